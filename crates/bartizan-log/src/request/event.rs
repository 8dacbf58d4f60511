//! The two events of a request. What they say is masked before it gets here.

use std::cell::LazyCell;
use std::time::Duration;

use bartizan_core::{Ending, Outcome, Record};
use http::Version;
use tracing::Level;

use super::REQUEST_TARGET;
use super::text::Texts;
use crate::capture::{Bodies, CapturedBody};
use crate::line::own_fields;

/// By this module the subscriber knows these events.
pub(super) const MODULE: &str = module_path!();

/// What the two events have in common: the first has no ending. The texts are only made where the event is wanted.
pub(super) struct Told<'a, F> {
    pub(super) message: &'static str,
    pub(super) record: &'a Record,
    pub(super) texts: &'a LazyCell<Texts, F>,
    pub(super) ending: Option<&'a Ending>,
    pub(super) slow: bool,
    pub(super) request_headers: Option<&'a str>,
    pub(super) response_headers: Option<&'a str>,
    pub(super) bodies: &'a Bodies,
}

own_fields! {
    /// The fields of the events, in their order; the message comes before them.
    pub(crate) FIELDS {
        method: plain,
        route: text,
        path: text,
        query: text,
        status: plain,
        outcome: plain,
        duration_ms: plain,
        first_byte_ms: plain,
        client_address: plain,
        request_bytes: plain,
        response_bytes: plain,
        http_version: plain,
        user_agent: text,
        error_type: plain,
        grpc_code: plain,
        request_messages: plain,
        response_messages: plain,
        slow: plain,
        request_headers: json,
        response_headers: json,
        request_body: text,
        request_body_truncated: plain,
        response_body: text,
        response_body_truncated: plain,
    }
}

impl<F: FnOnce() -> Texts> Told<'_, F> {
    pub(super) fn write(&self) {
        let Self { message, record, texts, ending, slow, request_headers, response_headers, bodies } = *self;
        macro_rules! at {
            ($level:expr) => {
                tracing::event!(
                    target: REQUEST_TARGET,
                    $level,
                    message = message,
                    method = record.method().as_str(),
                    route = record.route(),
                    path = texts.path(),
                    query = texts.query(),
                    status = ending.and_then(|ending| ending.status).map(|status| status.as_u16()),
                    outcome = ending.map(|ending| ending.outcome.as_str()),
                    duration_ms = ending.map(|ending| milliseconds(ending.duration)),
                    first_byte_ms = ending.and_then(|ending| ending.first_byte).map(milliseconds),
                    client_address = texts.client_address(),
                    request_bytes = ending.and_then(|ending| ending.request_bytes),
                    response_bytes = ending.map(|ending| ending.response_bytes),
                    http_version = version(record.version()),
                    user_agent = texts.user_agent(),
                    error_type = ending.and_then(Ending::error_type),
                    grpc_code = ending.and_then(|ending| ending.grpc_code).map(|code| code.as_str()),
                    request_messages = ending.and_then(|ending| ending.request_messages),
                    response_messages = ending.and_then(|ending| ending.response_messages),
                    slow = slow.then_some(true),
                    request_headers = request_headers,
                    response_headers = response_headers,
                    request_body = text(bodies.request.as_ref()),
                    request_body_truncated = truncated(bodies.request.as_ref()),
                    response_body = text(bodies.response.as_ref()),
                    response_body_truncated = truncated(bodies.response.as_ref()),
                )
            };
        }
        // A level is part of the callsite, so there are three of them.
        match ending.map_or(Level::INFO, |ending| level(ending.outcome, slow)) {
            Level::ERROR => at!(Level::ERROR),
            Level::WARN => at!(Level::WARN),
            _ => at!(Level::INFO),
        }
    }
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
