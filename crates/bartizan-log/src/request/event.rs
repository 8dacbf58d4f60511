//! The two events of a request. What they say is masked before it gets here.

use std::time::Duration;

use bartizan_core::{Ending, GrpcCode, Outcome, Record};
use http::Version;
use tracing::Level;

use super::REQUEST_TARGET;
use super::ahead::Ahead;
use super::text::Texts;
use crate::capture::{Bodies, CapturedBody};
use crate::line::own_fields;

/// By this module the subscriber knows these events.
pub(super) const MODULE: &str = module_path!();

/// What the events say.
pub(super) struct Told<'a> {
    pub(super) record: &'a Record,
    pub(super) route: &'a str,
    /// How it ended, and whether it was slow; `None` at the start.
    pub(super) end: Option<(&'a Ending, bool)>,
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

impl Told<'_> {
    /// `texts` is only called where the event is wanted.
    pub(super) fn write(&self, texts: impl FnOnce() -> Texts) {
        let Self { record, route, bodies, .. } = *self;
        let (made, parts);
        let mut ahead = None;
        /// `$end!` is for what is known at the end only.
        macro_rules! event {
            ($level:ident, $message:literal, $end:ident, $ending:ident, $slow:ident) => {
                tracing::event!(
                    target: REQUEST_TARGET,
                    Level::$level,
                    message = {
                        made = texts();
                        parts = made.parts();
                        let begin = concat!(
                            ",\"level\":\"",
                            stringify!($level),
                            "\",\"target\":\"bartizan::request\",\"message\":\"",
                            $message,
                            "\",\"method\":\""
                        );
                        ahead = Some(Ahead::write(|line| self.write_json(begin, &parts, line)));
                        $message
                    },
                    method = record.method().as_str(),
                    route = route,
                    path = parts.path,
                    query = parts.query,
                    status = $end!($ending.status.map(|status| status.as_u16())),
                    outcome = $end!($ending.outcome.as_str()),
                    duration_ms = $end!(milliseconds($ending.duration)),
                    first_byte_ms = $end!($ending.first_byte.map(milliseconds)),
                    client_address = parts.client_address,
                    request_bytes = $end!($ending.request_bytes),
                    response_bytes = $end!($ending.response_bytes),
                    http_version = version(record.version()),
                    user_agent = parts.user_agent,
                    error_type = $end!($ending.error_type()),
                    grpc_code = $end!($ending.grpc_code.map(GrpcCode::as_str)),
                    request_messages = $end!($ending.request_messages),
                    response_messages = $end!($ending.response_messages),
                    slow = $end!($slow.then_some(true)),
                    request_headers = self.request_headers,
                    response_headers = self.response_headers,
                    request_body = text(bodies.request.as_ref()),
                    request_body_truncated = truncated(bodies.request.as_ref()),
                    response_body = text(bodies.response.as_ref()),
                    response_body_truncated = truncated(bodies.response.as_ref()),
                )
            };
        }
        macro_rules! known {
            ($value:expr) => {
                $value
            };
        }
        macro_rules! unknown {
            ($value:expr) => {
                tracing::field::Empty
            };
        }
        // A level is part of the callsite, so there is one for each.
        match self.end.map(|(ending, slow)| (level(ending.outcome, slow), ending, slow)) {
            None => event!(INFO, "request started", unknown, ending, slow),
            Some((Level::ERROR, ending, slow)) => event!(ERROR, "request completed", known, ending, slow),
            Some((Level::WARN, ending, slow)) => event!(WARN, "request completed", known, ending, slow),
            Some((_, ending, slow)) => event!(INFO, "request completed", known, ending, slow),
        }
        // Everyone has seen the event.
        drop(ahead);
    }
}

/// The level of the event at the end.
fn level(outcome: Outcome, slow: bool) -> Level {
    if outcome.is_error() {
        Level::ERROR
    } else if outcome == Outcome::ClientError || outcome.is_cancelled() || slow {
        Level::WARN
    } else {
        Level::INFO
    }
}

/// With three decimals; the rest is cut.
fn milliseconds(duration: Duration) -> f64 {
    microseconds(duration) as f64 / 1000.0
}

pub(super) fn microseconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000).saturating_add(duration.subsec_micros().into())
}

pub(super) fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

fn text(body: Option<&CapturedBody>) -> Option<&str> {
    body.map(|body| &*body.text)
}

fn truncated(body: Option<&CapturedBody>) -> Option<bool> {
    body.filter(|body| body.truncated).map(|_| true)
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
        let text = |duration| milliseconds(duration).to_string();
        assert_eq!(text(Duration::from_nanos(1_234_567)), "1.234");
        assert_eq!(text(Duration::from_secs(61)), "61000");
        assert_eq!(text(Duration::ZERO), "0");
        assert!(milliseconds(Duration::MAX).is_finite());
    }
}
