//! A module uses only those above it in `lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules in the order of `lib.rs`.
fn order() -> Vec<String> {
    let text = fs::read_to_string(root().join("lib.rs")).unwrap();
    text.lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|rest| rest.trim_end_matches(';').to_owned())
        .collect()
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            files(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_path_buf());
    }
}

/// The text without comments and without what follows `#[cfg(test)]`.
fn code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]").next().unwrap();
    let lines = shipped.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The first names behind every `crate::`, those of `crate::{a, b::c}` included.
fn used(code: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => names.push(name(&std::mem::take(&mut item))),
                _ => {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    item.push(c);
                }
            }
        }
        names.push(name(&item));
    }
    names
}

#[test]
fn modules_look_up_only() {
    let order = order();
    assert!(order.len() > 15, "{order:?}");
    let place = |module: &str| order.iter().position(|name| name == module);
    let mut edges = 0;
    for module in &order {
        let mut found = Vec::new();
        for path in [root().join(format!("{module}.rs")), root().join(module)] {
            if path.exists() {
                files(&path, &mut found);
            }
        }
        assert!(!found.is_empty(), "{module} has no file");
        for file in found {
            let text = fs::read_to_string(&file).unwrap();
            for target in used(&code(&text)) {
                let Some(to) = place(&target) else { continue };
                edges += 1;
                assert!(
                    Some(to) <= place(module),
                    "{module} looks down at {target} in {}",
                    file.display()
                );
            }
        }
    }
    assert!(edges > 50, "only {edges} uses were seen");
}
