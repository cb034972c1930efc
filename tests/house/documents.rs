//! The pages say what the code says, and their links lead somewhere, on GitHub and in rustdoc.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use costate::method::tableau::{Dense, ESDIRK, EXPLICIT, Tableau};
use costate::schedule::{ScheduleKind, StoreAll};

/// What build.rs puts in front of a page.
const PICTURES: &str = include_str!(concat!(env!("OUT_DIR"), "/pictures.md"));

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages, by their path from the root.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for directory in ["", "docs"] {
        for entry in fs::read_dir(root().join(directory)).unwrap() {
            let name = entry.unwrap().file_name();
            if Path::new(&name).extension().is_some_and(|end| end == "md") {
                pages.push(Path::new(directory).join(name));
            }
        }
    }
    assert!(pages.len() > 8, "{pages:?}");
    pages
}

/// A page without its code.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            for part in line.split('`').step_by(2) {
                prose += part;
            }
            prose.push('\n');
        }
    }
    prose
}

/// What stands behind each `open` up to the next `close`.
fn between<'a>(text: &'a str, open: &str, close: char) -> Vec<&'a str> {
    text.split(open)
        .skip(1)
        .filter_map(|rest| rest.split_once(close))
        .map(|(inner, _)| inner)
        .collect()
}

/// The definitions `[name]: target` of a page.
fn definitions(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

fn is_elsewhere(target: &str) -> bool {
    target.starts_with("https://") || target.starts_with("http://")
}

/// The name that GitHub and rustdoc give a heading.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let kept = line.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    for page in pages() {
        let text = read(&page);
        let prose = prose(&text);
        let defined = definitions(&prose);
        let inline = between(&prose, "](", ')');
        for target in inline.iter().chain(defined.values()).filter(|target| !is_elsewhere(target)) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(root().join(&path).exists(), "{}: {target} is not there", page.display());
            if !anchor.is_empty() {
                assert!(anchors(&read(&path)).contains(anchor), "{}: {target}", page.display());
            }
        }
        for name in between(&prose, "][", ']') {
            assert!(defined.contains_key(name), "{}: [{name}] is not defined", page.display());
        }
    }
}

/// rustdoc puts a page elsewhere and copies nothing beside it: what leads to a file must have a
/// definition of rustdoc's own in front.
#[test]
fn every_link_leads_somewhere_in_rustdoc() {
    let sources = ["src/guide.rs", "src/model/mod.rs"].map(read);
    let mut included = 0;
    for source in &sources {
        let mut in_front = BTreeSet::new();
        for line in source.lines() {
            if let Some(definition) = between(line, "doc = \"[", ']').first() {
                in_front.insert((*definition).to_owned());
            } else if line.contains("/pictures.md") {
                in_front.extend(definitions(PICTURES).keys().map(|name| (*name).to_owned()));
            } else if let Some(page) = between(line, "include_str!(\"../", '"').first() {
                let page = page.trim_start_matches("../");
                if page.starts_with("docs/") {
                    expect_defined(page, &in_front);
                    included += 1;
                }
                in_front.clear();
            }
        }
    }
    assert!(included > 8, "{included} pages");
}

fn expect_defined(page: &str, in_front: &BTreeSet<String>) {
    let text = read(page);
    let prose = prose(&text);
    for target in between(&prose, "](", ')') {
        assert!(is_elsewhere(target), "{page}: name the target {target}, as src/guide.rs says");
    }
    for (name, target) in definitions(&prose) {
        assert!(
            is_elsewhere(target) || in_front.contains(name),
            "{page}: rustdoc has no definition of [{name}] in src/guide.rs"
        );
    }
}

/// The pictures in front of a page are the files, byte by byte.
#[test]
fn pictures_in_rustdoc_are_the_files() {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let pictures = definitions(PICTURES);
    assert!(!pictures.is_empty());
    for (name, target) in pictures {
        let coded = target.strip_prefix("data:image/svg+xml;base64,").unwrap();
        let (mut bits, mut count, mut bytes) = (0, 0, Vec::new());
        for digit in coded.trim_end_matches('=').chars() {
            bits = bits << 6 | DIGITS.find(digit).unwrap() as u32;
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count & 255) as u8);
            }
        }
        let file = read(format!("docs/pictures/{name}.svg"));
        assert!(file.as_bytes() == bytes, "{name}");
    }
}

/// The cells of the rows of a page's tables whose first cell is one name in code.
fn rows(page: &str) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for line in read(page).lines() {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
        if let [_, first, rest @ ..] = cells.as_slice()
            && let Some(name) = first.strip_prefix('`').and_then(|name| name.strip_suffix('`'))
        {
            rows.entry(name.to_owned()).or_insert_with(|| rest.to_vec());
        }
    }
    rows
}

fn first_number(cell: &str) -> Option<u32> {
    cell.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty())?.parse().ok()
}

#[test]
fn the_table_of_methods_is_the_methods() {
    let page = rows("docs/methods.md");
    let methods: Vec<&Tableau> = EXPLICIT.iter().chain(ESDIRK).copied().collect();
    for method in &methods {
        let cells = page.get(method.name).unwrap_or_else(|| panic!("{}", method.name));
        let dense = match method.dense {
            Dense::Hermite => method.order.min(3),
            Dense::Polynomials { order, .. } => order,
        };
        assert_eq!(first_number(&cells[0]), Some(method.order), "{}", method.name);
        assert_eq!(first_number(&cells[1]), Some(method.c.len() as u32), "{}", method.name);
        assert_eq!(first_number(&cells[3]), Some(dense), "{}", method.name);
        let estimates = !method.error.is_empty();
        assert_eq!(first_number(&cells[2]).is_some(), estimates, "{}", method.name);
        if method.error_lower.is_empty() && estimates {
            assert_eq!(first_number(&cells[2]), Some(method.embedded_order), "{}", method.name);
        }
    }
    let names: Vec<_> =
        page.keys().filter(|name| !methods.iter().any(|m| m.name == **name)).collect();
    assert!(names.is_empty(), "docs/methods.md has {names:?}");
}

#[test]
fn the_table_of_schedules_is_the_schedules() {
    let page = rows("docs/checkpointing.md");
    for name in ScheduleKind::ALL.iter().map(|(name, _)| *name).chain([StoreAll::TAPES]) {
        assert!(page.contains_key(name), "docs/checkpointing.md has no schedule {name}");
    }
}

/// Programs are whole, with nothing that rustdoc hides.
#[test]
fn programs_in_the_readme_can_be_pasted() {
    let text = read("README.md");
    let programs = between(&text, "```rust\n", '`');
    assert!(!programs.is_empty());
    for program in programs {
        assert!(program.contains("fn main() -> Result<(), Error>"), "{program}");
        assert!(!program.lines().any(|line| line.starts_with("# ")), "{program}");
    }
}

#[test]
fn the_table_of_modules_is_lib_rs() {
    let source = read("src/lib.rs").replace("\nmod ", "\npub mod ");
    let source = source.replace("pub(crate) mod ", "pub mod ");
    let modules: Vec<&str> = between(&source, "\npub mod ", ';');
    let design = read("docs/design.md");
    let (_, table) = design.split_once("## The order of modules").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let named: Vec<&str> = between(table, "\n| `", '`');
    let common = |names: &[&str], others: &[&str]| -> Vec<String> {
        names.iter().filter(|name| others.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    assert_eq!(
        common(&modules, &named),
        modules,
        "docs/design.md lacks a module, or has the order wrong"
    );
    assert_eq!(common(&named, &modules), named, "docs/design.md names what is no module");
    assert_eq!(modules, named);
}

#[test]
fn the_table_of_dependencies_is_that_of_cargo() {
    let (manifest, design) = (read("Cargo.toml"), read("docs/design.md"));
    let (_, table) = design.split_once("## Dependencies").unwrap();
    let first: Vec<&str> = between(table, "\n| ", '|');
    let is_named = |name: &str| {
        let mut words = first.iter().flat_map(|cell| cell.split([' ', ',', '(', ')']));
        words.any(|word| word == name)
    };
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let ("[dependencies]" | "[dev-dependencies]", Some((name, _))) =
            (section, line.split_once(" = "))
            && name != "costate-models"
        {
            assert!(is_named(name), "docs/design.md does not say why {name}");
        }
    }
}

/// A library does not know the options of a command that uses it.
#[test]
fn the_library_names_no_options_of_the_command() {
    let mut files = vec![root().join("src")];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.ends_with("src/bin") {
            continue;
        }
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        read += 1;
        let source = fs::read_to_string(&path).unwrap();
        for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let option = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_lowercase());
            let named = line.split("--").skip(1).find(option);
            assert!(named.is_none(), "{}: {line}", path.display());
        }
    }
    assert!(read > 100, "{read} files");
}
