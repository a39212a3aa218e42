//! The test that dependencies point one way, as the line of arrows in `lib.rs` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The place of each room in the line of arrows: 0 is at the left. Rooms of one place do not import one another.
fn places() -> BTreeMap<String, usize> {
    let map = include_str!("lib.rs");
    let line: String = map
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .skip_while(|l| !l.starts_with("edge ─►"))
        .take_while(|l| *l != "```")
        .collect();
    let rooms = |group: &str| group.split(',').map(|room| room.trim().to_owned()).collect::<Vec<_>>();
    line.split("─►")
        .enumerate()
        .flat_map(|(place, group)| rooms(group).into_iter().map(move |room| (room, place)))
        .collect()
}

/// The files of a room, except those of tests.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return if path.extension().is_some_and(|extension| extension == "rs") {
            vec![path.into()]
        } else {
            Vec::new()
        };
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_stem().unwrap() != "tests").flat_map(|path| files(&path)).collect()
}

/// The rooms that a file names, except in its tests.
fn named(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let shipped = text.split("\n#[cfg(test)]\n").next().unwrap();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    shipped.split("crate::").skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap().to_owned()).collect()
}

#[test]
fn dependencies_point_to_the_right() {
    let places = places();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports = 0;
    for entry in fs::read_dir(src).unwrap().map(|entry| entry.unwrap().path()) {
        let room = entry.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "directions", "redaction"].contains(&room.as_str()) {
            continue;
        }
        let place = places.get(&room).unwrap_or_else(|| panic!("lib.rs: the line of arrows does not name {room}"));
        for file in files(&entry) {
            for other in named(&file).into_iter().filter(|other| *other != room) {
                let other_place = places.get(&other).unwrap_or_else(|| panic!("{}: {other}?", file.display()));
                assert!(place < other_place, "{} imports {other}, which is not to the right of {room}", file.display());
                imports += 1;
            }
        }
    }
    assert!(imports > 100, "the test reads the files");
}

/// The rooms of `edge`, as its line of arrows says.
fn edge_rooms() -> Vec<&'static str> {
    let line = include_str!("edge/mod.rs").lines().find_map(|line| line.strip_prefix("//! endpoints ─► "));
    ["endpoints"].into_iter().chain(line.unwrap().split(" ─► ")).collect()
}

#[test]
fn within_the_edge_dependencies_point_to_the_right_and_no_endpoint_imports_another() {
    let rooms = edge_rooms();
    let mut imports = 0;
    for (place, room) in rooms.iter().enumerate() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/edge").join(room);
        for file in files(&folder) {
            let text = fs::read_to_string(&file).unwrap();
            let modules = file.with_extension("").components().filter(|name| name.as_os_str() != "mod").count();
            let depth = modules - folder.components().count();
            // A file of a room imports its neighbours by `super`. An endpoint imports only its own folder so.
            let climbs = "super::".repeat(if *room == "endpoints" { depth.max(1) } else { depth + 1 });
            assert!(!text.contains(&climbs), "{} imports by {climbs}", file.display());
            for path in text.split("crate::edge::").skip(1) {
                let is_right = rooms.iter().skip(place + 1).any(|right| path.starts_with(&format!("{right}::")));
                assert!(is_right, "{} imports {path:.30}, which is not to the right of {room}", file.display());
                imports += 1;
            }
        }
    }
    assert!(imports > 30, "the test reads the files");
}
