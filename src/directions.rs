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
