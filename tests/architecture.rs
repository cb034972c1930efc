//! A module uses only those above it in `lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules in the order of a `lib.rs`.
fn order(lib: &str) -> Vec<String> {
    let after_mod = |line: &str| {
        let line = line.trim();
        let (visibility, rest) = line.split_once("mod ")?;
        let is_item = visibility.is_empty() || visibility.starts_with("pub");
        is_item.then(|| rest.strip_suffix(';').map(str::to_owned)).flatten()
    };
    lib.lines().filter_map(after_mod).collect()
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

/// The text without comments and without the items under `#[cfg(test)]`.
fn code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
    let text = lines.join("\n");
    let mut pieces = text.split("#[cfg(test)]");
    let mut kept = pieces.next().unwrap().to_owned();
    for piece in pieces {
        kept.push_str(after_item(piece));
    }
    kept
}

/// What follows the first item: its `;`, or the brace that closes its block.
fn after_item(text: &str) -> &str {
    let mut depth = 0;
    for (place, c) in text.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 && (c == ';' || c == '}') {
            return &text[place + 1..];
        }
    }
    ""
}

/// The modules of the crate that the code names: the first name behind every `crate::`, and behind
/// as many `super::` as lead out of a file `depth` modules deep; those of groups included.
fn used(code: &str, depth: usize) -> Vec<String> {
    let mut names = Vec::new();
    let out = "super::".repeat(depth);
    for start in ["crate::", &out] {
        for (place, _) in code.match_indices(start) {
            let before = &code[..place];
            // `$crate`, `other_crate::`, `super::` of which this is not the first.
            let part_of_more = |c: char| c.is_alphanumeric() || "_$:".contains(c);
            if !before.ends_with(part_of_more) {
                heads(&code[place + start.len()..], &mut names);
            }
        }
    }
    names
}

/// The first names of a path, or of each path in a group.
fn heads(path: &str, names: &mut Vec<String>) {
    let Some(group) = path.strip_prefix('{') else {
        let name = |c: &char| c.is_alphanumeric() || *c == '_';
        let head: String = path.chars().take_while(name).collect();
        names.extend(Some(head).filter(|head| !head.is_empty()));
        return;
    };
    let (mut depth, mut from) = (0, 0);
    for (place, c) in group.char_indices() {
        if depth == 0 && (c == ',' || c == '}') {
            heads(group[from..place].trim_start(), names);
            from = place + 1;
            if c == '}' {
                return;
            }
        }
        depth += i32::from(c == '{') - i32::from(c == '}');
    }
}

/// How many `super` lead from a file's own module to the crate's root.
fn depth(file: &Path) -> usize {
    let inside = file.strip_prefix(root()).unwrap();
    inside.components().count() - usize::from(file.ends_with("mod.rs"))
}

/// The edge, where a module names one below it.
fn looks_down(order: &[String], module: &str, target: &str) -> Option<String> {
    let place = |module: &str| order.iter().position(|name| name == module);
    (place(target)? > place(module)?).then(|| format!("{module} looks down at {target}"))
}

#[test]
fn modules_look_up_only() {
    let order = order(&fs::read_to_string(root().join("lib.rs")).unwrap());
    assert!(order.len() > 15, "{order:?}");
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
            for target in used(&code(&text), depth(&file)) {
                edges += usize::from(order.contains(&target));
                let edge = looks_down(&order, module, &target);
                assert_eq!(edge, None, "in {}", file.display());
            }
        }
    }
    assert!(edges > 50, "only {edges} uses were seen");
}

/// No file stands beside the order.
#[test]
fn every_module_has_a_place() {
    let order = order(&fs::read_to_string(root().join("lib.rs")).unwrap());
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let known = name == "lib" || name == "bin" || order.iter().any(|module| module == name);
        assert!(known, "{} is not in lib.rs", path.display());
    }
}

#[test]
fn a_look_down_is_seen() {
    let order = order(
        "//! mod no;\npub mod error;\nmod grid;\n#[cfg(feature = \"x\")]\npub(crate) mod control;\n",
    );
    assert_eq!(order, ["error", "grid", "control"]);
    assert_eq!(looks_down(&order, "grid", "error"), None);
    assert_eq!(looks_down(&order, "grid", "grid"), None);
    assert_eq!(looks_down(&order, "grid", "std"), None);
    assert_eq!(looks_down(&order, "grid", "control").unwrap(), "grid looks down at control");

    let text = "//! crate::doc\nuse crate::a::{b, c::d};\nuse crate::{\n    e::{f, g},\n    h,\n};\n\
                /// [crate::link]\nfn i(x: crate::j::K) -> super::l::M { n(); } // crate::note\n\
                #[cfg(test)]\nmod tests { use crate::test; fn t() { {} } }\nuse crate::late;\n\
                #[cfg(test)]\nmod more;\nuse super::super::far::Q;\nuse $crate::no;\n";
    let seen = |depth| {
        let mut names = used(&code(text), depth);
        names.sort();
        names
    };
    assert_eq!(seen(1), ["a", "e", "h", "j", "l", "late", "super"]);
    assert_eq!(seen(2), ["a", "e", "far", "h", "j", "late"]);
    assert_eq!(depth(&root().join("grid.rs")), 1);
    assert_eq!(depth(&root().join("schedule/mod.rs")), 1);
    assert_eq!(depth(&root().join("schedule/online.rs")), 2);
}
