//! A module uses only those above it in `lib.rs`, and inside a room only those above it in `mod.rs`.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules in the order of a `lib.rs` or a `mod.rs`.
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

/// All paths in the code that begin with `crate`, `self` or `super`, from the crate's root on; those of
/// groups one by one.
fn paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (start, up) in [("crate::", None), ("self::", Some(0)), ("super::", Some(1))] {
        for (place, _) in code.match_indices(start) {
            // `$crate`, `other_crate::`, `super::` of which this is not the first.
            let part_of_more = |c: char| c.is_alphanumeric() || "_$:".contains(c);
            if code[..place].ends_with(part_of_more) {
                continue;
            }
            let (mut rest, mut base) = (&code[place + start.len()..], Vec::new());
            if let Some(mut up) = up {
                while let Some(further) = rest.strip_prefix("super::") {
                    (rest, up) = (further, up + 1);
                }
                base = module[..module.len().saturating_sub(up)].to_vec();
            }
            expand(rest, base, &mut paths);
        }
    }
    paths
}

/// Adds a path, or each of a group, to what stands before it.
fn expand(path: &str, mut before: Vec<String>, paths: &mut Vec<Vec<String>>) {
    if let Some(group) = path.strip_prefix('{') {
        let (mut depth, mut from) = (0, 0);
        for (place, c) in group.char_indices() {
            if depth == 0 && (c == ',' || c == '}') {
                expand(group[from..place].trim_start(), before.clone(), paths);
                from = place + 1;
                if c == '}' {
                    return;
                }
            }
            depth += i32::from(c == '{') - i32::from(c == '}');
        }
        return;
    }
    let name: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let rest = path[name.len()..].strip_prefix("::");
    before.push(name);
    match rest {
        Some(rest) => expand(rest, before, paths),
        None => paths.extend(Some(before).filter(|path| path.last() != Some(&String::new()))),
    }
}

/// The names of a file's own module, from the crate's root on.
fn module(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(root()).unwrap().with_extension("");
    let mut names: Vec<String> =
        inside.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    names.pop_if(|name| name == "mod" || name == "lib");
    names
}

/// A folder of modules, or the crate: its submodules in their order, and those that its names come from.
struct Room {
    path: Vec<String>,
    order: Vec<String>,
    exported: HashMap<String, String>,
}

impl Room {
    fn of(file: &Path) -> Room {
        let text = fs::read_to_string(file).unwrap();
        let code = code(&text);
        let order = order(&code);
        let mut uses = Vec::new();
        for (place, _) in code.match_indices("use ") {
            expand(&code[place + 4..], Vec::new(), &mut uses);
        }
        let exported = uses.into_iter().filter(|path| path.len() > 1 && order.contains(&path[0]));
        let exported = exported.map(|mut path| (path.pop().unwrap(), path.swap_remove(0)));
        Room { path: module(file), exported: exported.collect(), order }
    }

    /// The submodule that a path of the crate leads to.
    fn entered(&self, path: &[String]) -> Option<&str> {
        let name = path.strip_prefix(&self.path[..])?.first()?;
        let known = self.order.iter().find(|module| *module == name);
        Some(known.or_else(|| self.exported.get(name))?)
    }

    /// The submodule of a file, and those that the file names.
    fn uses(&self, file: &Path) -> Vec<(&str, &str)> {
        let own = module(file);
        let Some(from) = self.entered(&own) else { return Vec::new() };
        let text = fs::read_to_string(file).unwrap();
        let paths = paths(&code(&text), &own);
        paths.iter().filter_map(|path| Some((from, self.entered(path)?))).collect()
    }

    /// The edge, where one submodule names another below it.
    fn looks_down(&self, (from, to): (&str, &str)) -> Option<String> {
        let place = |module: &str| self.order.iter().position(|name| name == module);
        let edge = || format!("{}: {from} looks down at {to}", self.path.join("/"));
        (place(to) > place(from)).then(edge)
    }
}

/// All rooms, the crate first.
fn rooms() -> Vec<Room> {
    let mut found = Vec::new();
    files(&root(), &mut found);
    found.retain(|file| file.ends_with("mod.rs") && !file.starts_with(root().join("bin")));
    found.sort();
    std::iter::once(root().join("lib.rs")).chain(found).map(|file| Room::of(&file)).collect()
}

#[test]
fn modules_look_up_only() {
    let mut found = Vec::new();
    files(&root(), &mut found);
    found.retain(|file| !file.starts_with(root().join("bin")));
    let rooms = rooms();
    assert!(rooms.len() > 15 && rooms[0].order.len() > 5, "{} rooms", rooms.len());
    let (mut all, mut down) = (0, BTreeSet::new());
    for (room, file) in rooms.iter().flat_map(|room| found.iter().map(move |file| (room, file))) {
        let uses = room.uses(file);
        all += uses.len();
        down.extend(uses.into_iter().filter_map(|edge| room.looks_down(edge)));
    }
    assert!(all > 1000, "only {all} uses were seen");
    assert!(down.is_empty(), "{down:#?}");
}

/// No file stands beside the order.
#[test]
fn every_module_has_a_place() {
    for room in rooms() {
        let folder = room.path.iter().fold(root(), |folder, name| folder.join(name));
        let main = folder.join(if room.path.is_empty() { "lib.rs" } else { "mod.rs" });
        let mut known = order(&fs::read_to_string(main).unwrap());
        known.extend(["lib", "mod", "bin"].map(str::to_owned));
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(known.iter().any(|known| known == name), "{} has no place", path.display());
        }
    }
}

/// `.ci/run` runs what is ignored: all of it is there for one reason, and nothing that reads what
/// lies beside the project passes where that is missing.
#[test]
fn what_is_ignored_reads_what_lies_beside() {
    const REASON: &str = "#[ignore = \"reads ../shared\"]";
    let top = root().join("..");
    let mut found = Vec::new();
    for folder in ["src", "tests", "models/src", "models/tests"] {
        files(&top.join(folder), &mut found);
    }
    let mut reasons = 0;
    for file in found.iter().filter(|file| !file.ends_with("architecture.rs")) {
        let text = fs::read_to_string(file).unwrap();
        for line in text.lines().map(str::trim).filter(|line| line.starts_with("#[ignore")) {
            assert_eq!(line, REASON, "{}", file.display());
            reasons += 1;
        }
    }
    assert!(reasons > 20, "{reasons}");
}

#[test]
fn a_look_down_is_seen() {
    let listed = order(
        "//! mod no;\npub mod error;\nmod grid;\n#[cfg(feature = \"x\")]\npub(crate) mod control;\n",
    );
    assert_eq!(listed, ["error", "grid", "control"]);

    let text = "//! crate::doc\nuse crate::a::{b, c::d};\nuse crate::{\n    e::{f, g},\n    h,\n};\n\
                /// [crate::link]\nfn i(x: crate::j::K) -> super::l::M { n(); } // crate::note\n\
                #[cfg(test)]\nmod tests { use crate::test; fn t() { {} } }\nuse crate::late;\n\
                #[cfg(test)]\nmod more;\nuse super::super::far::Q;\nuse $crate::no;\n";
    let module = ["room", "part", "file"].map(str::to_owned);
    let seen: Vec<String> =
        paths(&code(text), &module).iter().map(|path| path.join("::")).collect();
    let expected = [
        "a::b",
        "a::c::d",
        "e::f",
        "e::g",
        "h",
        "j::K",
        "late",
        "room::part::l::M",
        "room::far::Q",
    ];
    assert_eq!(seen, expected);

    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let room = Room {
        path: names(&["room"]),
        order: names(&["up", "down"]),
        exported: HashMap::from([("Item".to_owned(), "down".to_owned())]),
    };
    for (path, entered) in [
        (&["room", "up"][..], Some("up")),
        (&["room", "Item"], Some("down")),
        (&["room", "Own"], None),
        (&["other", "up"], None),
    ] {
        assert_eq!(room.entered(&names(path)), entered, "{path:?}");
    }
    assert_eq!(room.looks_down(("down", "up")), None);
    assert_eq!(room.looks_down(("up", "up")), None);
    assert_eq!(room.looks_down(("up", "down")).unwrap(), "room: up looks down at down");
    assert_eq!(self::module(&root().join("schedule/mod.rs")), ["schedule"]);
    assert_eq!(
        self::module(&root().join("schedule/workers/clock.rs")),
        ["schedule", "workers", "clock"]
    );
}
