//! What the events of a request say of it, but for its texts.

use std::time::Duration;

use bartizan_core::{Ending, Record};
use http::Version;

#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) method: &'static str,
    pub(super) route: &'a str,
    pub(super) status: Option<u16>,
    pub(super) outcome: Option<&'static str>,
    pub(super) duration: Option<Duration>,
    pub(super) first_byte: Option<Duration>,
    pub(super) request_bytes: Option<u64>,
    pub(super) response_bytes: Option<u64>,
    pub(super) http_version: &'static str,
    pub(super) error_type: Option<&'a str>,
    pub(super) grpc_code: Option<&'static str>,
    pub(super) request_messages: Option<u64>,
    pub(super) response_messages: Option<u64>,
    pub(super) slow: bool,
}

impl<'a> Facts<'a> {
    /// What is known at the start.
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            method: record.method().as_str(),
            route: record.route(),
            status: None,
            outcome: None,
            duration: None,
            first_byte: None,
            request_bytes: None,
            response_bytes: None,
            http_version: version(record.version()),
            error_type: None,
            grpc_code: None,
            request_messages: None,
            response_messages: None,
            slow: false,
        }
    }

    pub(super) fn at_end(record: &'a Record, ending: &'a Ending, slow: bool) -> Self {
        Self {
            status: ending.status.map(|status| status.as_u16()),
            outcome: Some(ending.outcome.as_str()),
            duration: Some(ending.duration),
            first_byte: ending.first_byte,
            request_bytes: ending.request_bytes,
            response_bytes: Some(ending.response_bytes),
            error_type: ending.error_type(),
            grpc_code: ending.grpc_code.map(|code| code.as_str()),
            request_messages: ending.request_messages,
            response_messages: ending.response_messages,
            slow,
            ..Self::of(record)
        }
    }
}

/// Cut.
pub(super) fn microseconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000).saturating_add(duration.subsec_micros().into())
}

/// Cut to three decimals.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    microseconds(duration) as f64 / 1000.0
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_three_decimals() {
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)).to_string(), "1.234");
        assert_eq!(milliseconds(Duration::from_secs(61)).to_string(), "61000");
        assert_eq!(milliseconds(Duration::ZERO).to_string(), "0");
        assert!(milliseconds(Duration::MAX).is_finite());
    }
}
