//! Tests that modules import only modules to their right in the line of dependencies in `lib.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The position of each module in the line of dependencies, from the left. Modules with the same position do not import one
/// another.
fn positions() -> BTreeMap<String, usize> {
    let map = include_str!("lib.rs");
    let line: String = map
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .skip_while(|l| !l.starts_with("edge ─►"))
        .take_while(|l| *l != "```")
        .collect();
    let modules = |group: &str| group.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    line.split("─►")
        .enumerate()
        .flat_map(|(position, group)| modules(group).into_iter().map(move |name| (name, position)))
        .collect()
}

/// The source files of a module, except tests.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return path.extension().filter(|extension| *extension == "rs").map(|_| path.into()).into_iter().collect();
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_stem().unwrap() != "tests").flat_map(|path| files(&path)).collect()
}

/// The modules that a file imports outside its tests.
fn imported(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    assert!(!text.contains("crate::{"), "{}: name one module in each `use`", file.display());
    let is_tests =
        |at: usize| text[at..].lines().nth(2).is_some_and(|line| line.starts_with("mod ") || line.contains(" mod "));
    let tests_at = text.match_indices("\n#[cfg(test)]\n").map(|(at, _)| at).find(|at| is_tests(*at));
    let shipped = &text[..tests_at.unwrap_or(text.len())];
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    shipped.split("crate::").skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap().to_owned()).collect()
}

#[test]
fn dependencies_point_to_the_right() {
    let positions = positions();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports = 0;
    for entry in fs::read_dir(src).unwrap().map(|entry| entry.unwrap().path()) {
        let module = entry.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "directions", "redaction"].contains(&module.as_str()) {
            continue;
        }
        let position = positions
            .get(&module)
            .unwrap_or_else(|| panic!("lib.rs: the line of dependencies does not contain {module}"));
        for file in files(&entry) {
            for other in imported(&file).into_iter().filter(|other| *other != module) {
                let other_position = positions.get(&other).unwrap_or_else(|| panic!("{}: {other}?", file.display()));
                assert!(
                    position < other_position,
                    "{} imports {other}, which is not to the right of {module}",
                    file.display()
                );
                imports += 1;
            }
        }
    }
    assert!(imports > 100, "too few imports were found");
}

/// The modules of `edge`, from the line of dependencies in `edge/mod.rs`.
fn edge_modules() -> Vec<&'static str> {
    let line = include_str!("edge/mod.rs").lines().find_map(|line| line.strip_prefix("//! endpoints ─► "));
    ["endpoints"].into_iter().chain(line.unwrap().split(" ─► ")).collect()
}

#[test]
fn within_the_edge_dependencies_point_to_the_right_and_no_endpoint_imports_another() {
    let modules = edge_modules();
    let mut imports = 0;
    for (position, module) in modules.iter().enumerate() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/edge").join(module);
        for file in files(&folder) {
            let text = fs::read_to_string(&file).unwrap();
            let levels = file.with_extension("").components().filter(|name| name.as_os_str() != "mod").count();
            let depth = levels - folder.components().count();
            // A file may import other files of its module by `super`. An endpoint may do so only within its own folder.
            let parent = "super::".repeat(if *module == "endpoints" { depth.max(1) } else { depth + 1 });
            assert!(!text.contains(&parent), "{} imports by {parent}", file.display());
            for path in text.split("crate::edge::").skip(1) {
                let is_right = modules.iter().skip(position + 1).any(|right| path.starts_with(&format!("{right}::")));
                assert!(is_right, "{} imports {path:.30}, which is not to the right of {module}", file.display());
                imports += 1;
            }
        }
    }
    assert!(imports > 30, "too few imports were found");
}
