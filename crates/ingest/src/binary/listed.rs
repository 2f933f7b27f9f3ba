//! Names of instruments as exchanges write them, in our form.

use std::fmt::Write;

use model::{Definition, Instrument, InstrumentKind};
use rust_decimal::Decimal;

/// The symbol for an exchange's own name. Two names never become one: a run of spaces is a `_`, a small letter
/// gets a `:` before it, and whatever our grammar lacks is a `:` and its two hexadecimal digits, `_` too.
pub(crate) fn listed(name: &str) -> String {
    let mut symbol = String::with_capacity(name.len());
    let mut before = None;
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'0'..=b'9' => symbol.push(char::from(byte)),
            // Continuous contracts (`ES.c.0`) are the only names with a small letter there.
            b'a'..=b'z' if before == Some(b'.') => symbol.push(char::from(byte.to_ascii_uppercase())),
            _ if before.is_none() => symbol.push('X'),
            _ => {}
        }
        match byte {
            b'-' | b'.' | b'/' | b':' => symbol.push(char::from(byte)),
            b' ' if before == Some(b' ') => {}
            b' ' => symbol.push('_'),
            b'a'..=b'z' if before != Some(b'.') => {
                symbol.extend([':', char::from(byte.to_ascii_uppercase())]);
            }
            b'A'..=b'Z' | b'0'..=b'9' | b'a'..=b'z' => {}
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(symbol, ":{byte:02X}");
            }
        }
        before = Some(byte);
    }
    symbol
}

/// What holds of every share that is listed in the United States.
pub(crate) fn us_share(instrument: &mut Instrument) {
    instrument.definition.update(&Definition {
        lot_size: Some(Decimal::ONE),
        price_scale: Some(4),
        kind: Some(InstrumentKind::Equity),
        quote: Some("USD".into()),
        ..Definition::default()
    });
}

#[cfg(test)]
mod tests {
    use model::Symbol;

    use super::*;

    #[test]
    fn names_of_exchanges_become_symbols() {
        for (name, symbol) in [
            ("AAPL", "AAPL"),
            ("BRK.B", "BRK.B"),
            ("BAC-L", "BAC-L"),
            ("ESH4-ESM4", "ESH4-ESM4"),
            ("ESH4 P4500", "ESH4_P4500"),
            ("AAPL  240119C00150000", "AAPL_240119C00150000"),
            ("UD:1V: GN 2401", "UD:1V:_GN_2401"),
            ("ES.c.0", "ES.C.0"),
            ("BACpB", "BAC:PB"),
            ("ABC+", "ABC:2B"),
            ("A_B", "A:5FB"),
            ("5482", "5482"),
            ("#A", "X:23A"),
            ("a", "X:A"),
        ] {
            assert_eq!(listed(name), symbol, "{name}");
            assert!(Symbol::parse(symbol).is_ok(), "{symbol}");
        }
    }
}
