//! Writes the pictures of docs/ as link definitions that hold them, `[stem]: data:…`.
//!
//! rustdoc copies no files beside its pages, so that `pictures/wing_mach.svg` shows on GitHub and
//! not there. Of two definitions of a link the first counts: `src/guide.rs` puts these in front of
//! a page, and the page's own, which name the files, are for whoever reads docs/ itself.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

const PICTURES: &str = "docs/pictures";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={PICTURES}");
    let mut paths = fs::read_dir(PICTURES)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    let mut definitions = String::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "svg")) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let _ = writeln!(
            definitions,
            "[{stem}]: data:image/svg+xml;base64,{}",
            base64(&fs::read(path)?)
        );
    }
    let directory = env::var_os("OUT_DIR").expect("cargo gives a build script this directory");
    fs::write(Path::new(&directory).join("pictures.md"), definitions)
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let mut padded = [0; 3];
        padded[..three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for k in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * k)) as usize & 63];
            text.push(if k <= three.len() { digit as char } else { '=' });
        }
    }
    text
}
