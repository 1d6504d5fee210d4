//! The test of the import order that ARCHITECTURE.md states.

use std::path::Path;

/// The groups of modules in section "Modules of the product", from left to right.
fn documented_order() -> Vec<Vec<&'static str>> {
    let line = include_str!("../ARCHITECTURE.md").lines().find(|line| line.starts_with('`') && line.contains(" ◀ "));
    let groups = line.expect("ARCHITECTURE.md has a line with the order of imports").split(" ◀ ");
    groups.map(|group| group.split('`').skip(1).step_by(2).collect()).collect()
}

/// The names after `crate::` in all files of a folder, or in one file.
fn imports(path: &Path, found: &mut Vec<(String, String)>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            imports(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text = std::fs::read_to_string(path).unwrap();
        for (at, found_text) in text.match_indices("crate::") {
            let rest = &text[at + found_text.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push((path.display().to_string(), rest[..end].to_owned()));
        }
    }
}

#[test]
fn imports_follow_the_documented_order() {
    let order = documented_order();
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let group_of = |module: &str| order.iter().position(|group| group.contains(&module));
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        if ["lib", "main", "import_order"].contains(&module.as_str()) {
            continue;
        }
        let group = group_of(&module).unwrap_or_else(|| panic!("the order of imports in ARCHITECTURE.md lacks `{module}`"));
        let mut found = Vec::new();
        imports(&path, &mut found);
        for (file, imported) in found.iter().filter(|(_, imported)| *imported != module) {
            let Some(other) = group_of(imported) else { continue };
            assert!(other < group, "{file} imports `{imported}`, which is not to the left of `{module}` in ARCHITECTURE.md");
        }
    }
}
