//! What the events of a request say of it, but for its texts.

use std::time::Duration;

use bartizan_core::{Ending, GrpcCode, Record};
use http::{StatusCode, Version};

#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) method: &'static str,
    pub(super) route: &'a str,
    pub(super) status: Option<StatusCode>,
    pub(super) outcome: Option<&'static str>,
    pub(super) duration_us: Option<u64>,
    pub(super) first_byte_us: Option<u64>,
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
    #[inline]
    pub(super) fn of(record: &'a Record, route: &'a str) -> Self {
        Self {
            method: record.method().as_str(),
            route,
            status: None,
            outcome: None,
            duration_us: None,
            first_byte_us: None,
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

    #[inline]
    pub(super) fn at_end(record: &'a Record, route: &'a str, ending: &'a Ending, slow: bool) -> Self {
        Self {
            status: ending.status,
            outcome: Some(ending.outcome.as_str()),
            duration_us: Some(microseconds(ending.duration)),
            first_byte_us: ending.first_byte.map(microseconds),
            request_bytes: ending.request_bytes,
            response_bytes: Some(ending.response_bytes),
            error_type: ending.error_type(),
            grpc_code: ending.grpc_code.map(GrpcCode::as_str),
            request_messages: ending.request_messages,
            response_messages: ending.response_messages,
            slow,
            ..Self::of(record, route)
        }
    }
}

/// Cut.
fn microseconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000).saturating_add(duration.subsec_micros().into())
}

/// With three decimals.
pub(super) fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
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
        let text = |duration| milliseconds(microseconds(duration)).to_string();
        assert_eq!(text(Duration::from_nanos(1_234_567)), "1.234");
        assert_eq!(text(Duration::from_secs(61)), "61000");
        assert_eq!(text(Duration::ZERO), "0");
        assert!(milliseconds(microseconds(Duration::MAX)).is_finite());
    }
}
