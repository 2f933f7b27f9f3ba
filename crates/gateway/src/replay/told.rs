//! What a replay says of itself.

use model::{Speed, UnixNanos};
use serde_json::{Number, Value};

/// A speed as the protocol writes it.
pub(crate) fn told(speed: Speed) -> Value {
    match speed.thousandths() {
        None => Value::from("max"),
        Some(factor) if factor.is_multiple_of(1_000) => Value::from(factor / 1_000),
        // At most seven digits: exact enough to be read back as it was written.
        Some(factor) => {
            let factor = f64::from(u32::try_from(factor).unwrap_or(u32::MAX)) / 1_000.0;
            Number::from_f64(factor).map_or(Value::Null, Value::Number)
        }
    }
}

/// Which part of a span is over at a time, in steps of a ten-thousandth.
pub(super) fn progress(at: UnixNanos, (from, to): (UnixNanos, UnixNanos)) -> f64 {
    const STEPS: u32 = 10_000;
    let (all, over) = (u128::from(to.since(from)), u128::from(at.min(to).since(from)));
    let steps = (over * u128::from(STEPS)).checked_div(all).unwrap_or(0);
    f64::from(u32::try_from(steps).unwrap_or(STEPS)) / f64::from(STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_progress() {
        for (speed, text) in
            [("10", "10"), ("0.5", "0.5"), ("0.001", "0.001"), ("1000", "1000"), ("max", "\"max\"")]
        {
            assert_eq!(told(speed.parse().unwrap()).to_string(), text);
        }
        let span = (UnixNanos(1_000), UnixNanos(3_000));
        for (at, part) in [(0, 0.0), (1_000, 0.0), (2_500, 0.75), (3_000, 1.0), (9_000, 1.0)] {
            assert_eq!(progress(UnixNanos(at), span).to_string(), f64::to_string(&part));
        }
        assert_eq!(progress(UnixNanos(5), (UnixNanos(5), UnixNanos(5))).to_string(), "0");
    }
}
