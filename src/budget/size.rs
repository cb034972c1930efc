//! Bytes as people write them.

const UNITS: [(&str, f64); 10] = [
    ("KiB", 1024.0),
    ("MiB", 1024.0 * 1024.0),
    ("GiB", 1024.0 * 1024.0 * 1024.0),
    ("TiB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

/// Bytes, with or without a unit; `None` where it is not that.
///
/// ```
/// use costate::budget::parse_bytes;
/// assert_eq!(parse_bytes("200MiB"), Some(200 << 20));
/// assert_eq!(parse_bytes("1.5 kB"), Some(1500));
/// assert_eq!(parse_bytes("much"), None);
/// ```
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = UNITS.iter().find_map(|&(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let (number, unit) = unit.unwrap_or((text, 1.0));
    let bytes = (number.trim().parse::<f64>().ok()? * unit).floor();
    (0.0..=2f64.powi(63)).contains(&bytes).then_some(bytes as u64)
}
