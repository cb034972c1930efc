//! Bytes and seconds as people read and write them.

/// Powers of 1024, as they are written and read.
const BINARY: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Powers of 1000, which are read, and one byte.
const DECIMAL: [(&str, f64); 6] =
    [("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1.0)];

/// Number of bytes in a text, with or without a unit; `None` where it is not that.
///
/// ```
/// use costate::numbers::units::parse_bytes;
/// assert_eq!(parse_bytes("200MiB"), Some(200 << 20));
/// assert_eq!(parse_bytes("1.5 kB"), Some(1500));
/// assert_eq!(parse_bytes("much"), None);
/// ```
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let binary = (1..).zip(BINARY).map(|(power, unit)| (unit, 1024_f64.powi(power)));
    let mut units = binary.chain(DECIMAL);
    let split = units.find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let (number, unit) = split.unwrap_or((text, 1.0));
    let bytes = (number.trim().parse::<f64>().ok()? * unit).floor();
    (0.0..=2f64.powi(63)).contains(&bytes).then_some(bytes as u64)
}

/// Bytes in three digits: 640 B, 1.5 KiB, 12 MiB.
///
/// ```
/// assert_eq!(costate::numbers::units::bytes(1536), "1.5 KiB");
/// ```
pub fn bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for larger in BINARY {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    format!("{} {unit}", short(value))
}

/// Seconds in three digits: 250 ns, 12 µs, 1.5 ms, 3 s.
///
/// ```
/// assert_eq!(costate::numbers::units::seconds(0.0015), "1.5 ms");
/// ```
pub fn seconds(seconds: f64) -> String {
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];
    let largest = units.iter().find(|(size, _)| seconds >= 0.999 * size);
    let (size, unit) = largest.unwrap_or(&units[3]);
    format!("{} {unit}", short(seconds / size))
}

/// What is larger is written with an exponent.
pub(crate) const MOST_DIGITS: f64 = 1e15;

/// Three digits, without zeros at the end.
pub(crate) fn short(value: f64) -> String {
    if value >= MOST_DIGITS {
        return format!("{value:.2e}");
    }
    let decimals = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    short_of(value, decimals)
}

/// At most so many decimals, without zeros at the end.
pub(crate) fn short_of(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_have_units() {
        for (given, label) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (5 << 20, "5 MiB"), (3 << 40, "3 TiB")]
        {
            assert_eq!(bytes(given), label);
        }
        for (given, label) in
            [(2.5e-9, "2.5 ns"), (1e-6, "1 µs"), (0.02, "20 ms"), (1.0, "1 s"), (120.0, "120 s")]
        {
            assert_eq!(seconds(given), label);
        }
    }

    /// What is written comes back, but for the digits that are not shown.
    #[test]
    fn bytes_are_read_as_they_are_written() {
        for power in 0..63 {
            for count in [1_u64 << power, 3 << (power / 2), (1 << power) - 1] {
                let back = parse_bytes(&bytes(count)).unwrap();
                assert!(back.abs_diff(count) as f64 <= 5.1e-3 * count as f64, "{count}: {back}");
            }
        }
    }
}
