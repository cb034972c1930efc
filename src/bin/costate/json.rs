//! JSON with numbers of 17 significant digits, which are enough to give every f64 back.

use std::io;

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

struct SeventeenDigits;

impl Formatter for SeventeenDigits {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write!(writer, "{value:.16e}")
    }
}

/// One line.
pub fn to_line(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, SeventeenDigits);
    // Neither a vector nor the types here can fail to be written.
    value.serialize(&mut serializer).expect("JSON in memory");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// `{name: value}` in the order given.
pub struct Named<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
