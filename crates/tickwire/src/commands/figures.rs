//! Figures for eyes: short, of one width where they stand under each other.

/// `1,234`, `12.3 k`, `4.1 M`; below ten with a digit behind the point, unless that is whole.
pub(super) fn count(number: f64) -> String {
    match number {
        number if number < 0.05 => "0".to_owned(),
        number if number < 9.95 && (number - number.round()).abs() > 0.04 => format!("{number:.1}"),
        number if number < 99_999.5 => grouped(number),
        number if number < 999_500.0 => format!("{:.0} k", number / 1e3),
        number if number < 999.5e6 => format!("{:.1} M", number / 1e6),
        number => format!("{:.1} G", number / 1e9),
    }
}

fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    match digits.len() {
        4.. => {
            let (thousands, rest) = digits.split_at(digits.len() - 3);
            format!("{thousands},{rest}")
        }
        _ => digits,
    }
}

/// `512 B`, `3.4 kB`, `88 MB`: powers of a thousand.
pub(super) fn bytes(number: f64) -> String {
    let scaled = |by: f64, unit: &str| {
        let number = number / by;
        if number < 9.95 { format!("{number:.1} {unit}") } else { format!("{number:.0} {unit}") }
    };
    match number {
        number if number < 0.5 => "0 B".to_owned(),
        number if number < 999.5 => format!("{number:.0} B"),
        number if number < 999.5e3 => scaled(1e3, "kB"),
        number if number < 999.5e6 => scaled(1e6, "MB"),
        _ => scaled(1e9, "GB"),
    }
}

/// `0.5 ms`, `12 ms`, `1.2 s`, `3m 12s`, `4h 10m`, `3d 4h`.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds <= 0.0 => "0 ms".to_owned(),
        seconds if seconds < 0.009_95 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 0.999_5 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 9.95 => format!("{seconds:.1} s"),
        seconds if seconds < 59.5 => format!("{seconds:.0} s"),
        seconds if seconds < 3_599.5 => pair(seconds, 60.0, "m", 1.0, "s"),
        seconds if seconds < 86_399.5 => pair(seconds, 3_600.0, "h", 60.0, "m"),
        seconds => pair(seconds, 86_400.0, "d", 3_600.0, "h"),
    }
}

fn pair(seconds: f64, large: f64, large_unit: &str, small: f64, small_unit: &str) -> String {
    let small_units = (seconds / small).round();
    let per = large / small;
    let (whole, rest) = ((small_units / per).floor(), small_units % per);
    format!("{whole:.0}{large_unit} {rest:.0}{small_unit}")
}

/// `12 %`
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        let told = [0.0, 0.4, 3.0, 9.96, 12.4, 999.6, 1_234.0, 99_999.0, 123_456.0, 4.06e6, 2.0e9].map(count);
        assert_eq!(
            told,
            ["0", "0.4", "3", "10", "12", "1,000", "1,234", "99,999", "123 k", "4.1 M", "2.0 G"]
        );
        let told = [0.0, 12.0, 999.6, 3_400.0, 88.2e6, 1.5e9].map(bytes);
        assert_eq!(told, ["0 B", "12 B", "1.0 kB", "3.4 kB", "88 MB", "1.5 GB"]);
        let told = [0.0, 0.000_5, 0.012, 0.9996, 1.23, 59.4, 59.6, 192.0, 15_000.0, 273_600.0].map(duration);
        assert_eq!(
            told,
            ["0 ms", "0.5 ms", "12 ms", "1.0 s", "1.2 s", "59 s", "1m 0s", "3m 12s", "4h 10m", "3d 4h"]
        );
        assert_eq!(percent(0.123), "12 %");
    }
}
