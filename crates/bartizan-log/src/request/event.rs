//! The two events of a request. What they say is masked before it gets here.

use std::cell::LazyCell;
use std::time::Duration;

use bartizan_core::{Ending, Outcome, Record};
use http::Version;
use tracing::Level;

use super::REQUEST_TARGET;
use super::text::Texts;
use crate::capture::{Bodies, CapturedBody};

/// By this module the subscriber knows these events.
pub(super) const MODULE: &str = module_path!();

/// Everything that the event at the end tells. The texts are only made where the event is wanted.
pub(super) struct Completed<'a, F> {
    pub(super) ending: &'a Ending,
    pub(super) record: &'a Record,
    pub(super) slow: bool,
    pub(super) texts: &'a LazyCell<Texts, F>,
    pub(super) request_headers: Option<&'a str>,
    pub(super) response_headers: Option<&'a str>,
    pub(super) bodies: &'a Bodies,
}

pub(super) fn completed<F: FnOnce() -> Texts>(completed: &Completed<'_, F>) {
    macro_rules! at {
        ($level:expr) => {
            tracing::event!(
                target: REQUEST_TARGET,
                $level,
                message = "request completed",
                method = completed.record.method().as_str(),
                route = completed.record.route(),
                path = completed.texts.path(),
                query = completed.texts.query(),
                status = completed.ending.status.map(|status| status.as_u16()),
                outcome = completed.ending.outcome.as_str(),
                duration_ms = milliseconds(completed.ending.duration),
                first_byte_ms = completed.ending.first_byte.map(milliseconds),
                client_address = completed.texts.client_address(),
                request_bytes = completed.ending.request_bytes,
                response_bytes = completed.ending.response_bytes,
                http_version = version(completed.record.version()),
                user_agent = completed.texts.user_agent(),
                error_type = completed.ending.error_type(),
                grpc_code = completed.ending.grpc_code.map(|code| code.as_str()),
                request_messages = completed.ending.request_messages,
                response_messages = completed.ending.response_messages,
                slow = completed.slow.then_some(true),
                request_headers = completed.request_headers,
                response_headers = completed.response_headers,
                request_body = text(completed.bodies.request.as_ref()),
                request_body_truncated = truncated(completed.bodies.request.as_ref()),
                response_body = text(completed.bodies.response.as_ref()),
                response_body_truncated = truncated(completed.bodies.response.as_ref()),
            )
        };
    }
    // A level is part of the callsite, so there are three of them.
    match level(completed.ending.outcome, completed.slow) {
        Level::ERROR => at!(Level::ERROR),
        Level::WARN => at!(Level::WARN),
        _ => at!(Level::INFO),
    }
}

pub(super) fn started<F: FnOnce() -> Texts>(
    record: &Record,
    texts: &LazyCell<Texts, F>,
    request_headers: Option<&str>,
) {
    tracing::event!(
        target: REQUEST_TARGET,
        Level::INFO,
        message = "request started",
        method = record.method().as_str(),
        route = record.route(),
        path = texts.path(),
        query = texts.query(),
        client_address = texts.client_address(),
        http_version = version(record.version()),
        user_agent = texts.user_agent(),
        request_headers = request_headers,
    );
}

fn text(body: Option<&CapturedBody>) -> Option<&str> {
    body.map(|body| &*body.text)
}

fn truncated(body: Option<&CapturedBody>) -> Option<bool> {
    body.filter(|body| body.truncated).map(|_| true)
}

fn level(outcome: Outcome, slow: bool) -> Level {
    if outcome.is_error() {
        Level::ERROR
    } else if outcome == Outcome::ClientError || outcome.is_cancelled() || slow {
        Level::WARN
    } else {
        Level::INFO
    }
}

/// Cut to three decimals.
fn milliseconds(duration: Duration) -> f64 {
    let micros = duration.as_secs().saturating_mul(1_000_000).saturating_add(duration.subsec_micros().into());
    micros as f64 / 1000.0
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
    fn the_level_follows_the_outcome_and_slowness() {
        for outcome in Outcome::ALL {
            let expected = match outcome {
                Outcome::Ok | Outcome::Upgraded => Level::INFO,
                Outcome::ClientError | Outcome::CancelledBeforeHead | Outcome::CancelledMidBody => {
                    Level::WARN
                }
                _ => Level::ERROR,
            };
            assert_eq!(level(outcome, false), expected, "{outcome}");
            assert_eq!(level(outcome, true), expected.min(Level::WARN), "{outcome}");
        }
    }

    #[test]
    fn milliseconds_have_three_decimals() {
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)).to_string(), "1.234");
        assert_eq!(milliseconds(Duration::from_secs(61)).to_string(), "61000");
        assert_eq!(milliseconds(Duration::ZERO).to_string(), "0");
        assert!(milliseconds(Duration::MAX).is_finite());
    }
}
