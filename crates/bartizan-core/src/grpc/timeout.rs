//! The deadline that a gRPC client sends along.

use std::time::Duration;

use http::HeaderMap;

/// Reads `grpc-timeout`: one to eight digits and a unit (gRPC over HTTP/2, "Timeout"). `None` for anything else.
pub(crate) fn of(headers: &HeaderMap) -> Option<Duration> {
    let (unit, digits) = headers.get("grpc-timeout")?.as_bytes().split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(value * 3600),
        b'M' => Duration::from_secs(value * 60),
        b'S' => Duration::from_secs(value),
        b'm' => Duration::from_millis(value),
        b'u' => Duration::from_micros(value),
        b'n' => Duration::from_nanos(value),
        _ => return None,
    })
}

/// Whether a call that was given up after so long was given up because of its deadline. The client's clock started a
/// little earlier than ours, so a tenth of the time, 20 ms at most, counts as late already.
pub(crate) fn has_passed(timeout: Duration, elapsed: Duration) -> bool {
    elapsed + (timeout / 10).min(Duration::from_millis(20)) >= timeout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_limits_are_those_of_the_protocol() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", http::HeaderValue::from_static(value));
            of(&headers)
        };
        assert_eq!(read("2H"), Some(Duration::from_hours(2)));
        assert_eq!(read("3M"), Some(Duration::from_mins(3)));
        assert_eq!(read("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("7u"), Some(Duration::from_micros(7)));
        assert_eq!(read("82n"), Some(Duration::from_nanos(82)));
        for bad in ["", "S", "100000000S", "1", "-1S", "1.5S", " 1S", "1s", "1h"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_cancel_well_before_the_deadline_is_the_clients() {
        let timeout = Duration::from_secs(1);
        assert!(has_passed(timeout, timeout));
        assert!(has_passed(timeout, Duration::from_millis(980)));
        assert!(!has_passed(timeout, Duration::from_millis(979)));
        assert!(!has_passed(Duration::from_millis(10), Duration::from_millis(8)));
    }
}
