//! Numbers as Prometheus writes them.

/// Writes an integer.
pub(crate) fn push_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a sample value: whole numbers without a fraction, `+Inf`, `-Inf` and `NaN` by name.
pub(crate) fn push_f64(out: &mut Vec<u8>, value: f64) {
    /// Whole numbers below this are written digit by digit, exactly.
    const WHOLE: f64 = 1e15;

    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if value.abs() < WHOLE && value.fract() == 0.0 {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    }
}

/// A bucket bound as the text format's own exporters write it (Go's `%g`): `0.005`, `1`, `1e+06`.
///
/// The spelling matters, because `le` is a label: two spellings are two series.
pub(crate) fn bound(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse().unwrap_or(0) {
        -4..6 => value.to_string(),
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", i32::abs(exponent))
        }
    }
}

/// The same for OpenMetrics, where a bound must be seen to be a float: `1.0`.
pub(crate) fn float_bound(value: f64) -> String {
    let mut text = bound(value);
    if !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_the_way_scrapers_read_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (-3.0, "-3"),
            (0.25, "0.25"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e16"),
            (1.5e-7, "1.5e-7"),
            (999_999_999_999_999.0, "999999999999999"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            let mut out = Vec::new();
            push_f64(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn bounds_are_canonical() {
        for (value, text, float) in [
            (0.005, "0.005", "0.005"),
            (0.0001, "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05"),
            (1.0, "1", "1.0"),
            (2.5, "2.5", "2.5"),
            (100_000.0, "100000", "100000.0"),
            (1e6, "1e+06", "1e+06"),
            (16_777_216.0, "1.6777216e+07", "1.6777216e+07"),
            (1e100, "1e+100", "1e+100"),
            (-5.0, "-5", "-5.0"),
            (0.0, "0", "0.0"),
        ] {
            assert_eq!(bound(value), text);
            assert_eq!(float_bound(value), float);
        }
    }
}
