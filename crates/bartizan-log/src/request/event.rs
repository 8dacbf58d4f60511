//! The two events of a request. What they say is masked before it gets here.

use bartizan_core::Outcome;
use tracing::Level;

use super::REQUEST_TARGET;
use super::ahead::Ahead;
use super::facts::{Facts, milliseconds};
use super::text::Texts;
use crate::capture::{Bodies, CapturedBody};
use crate::line::own_fields;

/// By this module the subscriber knows these events.
pub(super) const MODULE: &str = module_path!();

/// What is the same in all events of a sort.
#[derive(Debug)]
pub(super) struct Sort {
    level: Level,
    message: &'static str,
    /// The fields before the method, and its key.
    pub(super) json: &'static str,
}

macro_rules! sort {
    ($level:ident, $message:literal) => {
        Sort {
            level: Level::$level,
            message: $message,
            json: concat!(
                ",\"level\":\"",
                stringify!($level),
                "\",\"target\":\"bartizan::request\",\"message\":\"",
                $message,
                "\",\"method\":\""
            ),
        }
    };
}

pub(super) static STARTED: Sort = sort!(INFO, "request started");

/// The event at the end.
pub(super) fn at_end(outcome: Outcome, slow: bool) -> &'static Sort {
    static SORTS: [Sort; 3] = [
        sort!(INFO, "request completed"),
        sort!(WARN, "request completed"),
        sort!(ERROR, "request completed"),
    ];
    let [info, warn, error] = &SORTS;
    if outcome.is_error() {
        error
    } else if outcome == Outcome::ClientError || outcome.is_cancelled() || slow {
        warn
    } else {
        info
    }
}

/// What the two events have in common: the first has no ending.
pub(super) struct Told<'a> {
    pub(super) sort: &'static Sort,
    pub(super) facts: &'a Facts<'a>,
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
        let Self { sort, facts, request_headers, response_headers, bodies } = *self;
        let (made, parts);
        let mut ahead = None;
        macro_rules! at {
            ($level:expr) => {
                tracing::event!(
                    target: REQUEST_TARGET,
                    $level,
                    message = {
                        made = texts();
                        parts = made.parts();
                        ahead = Some(Ahead::write(|line| self.write_json(&parts, line)));
                        sort.message
                    },
                    method = facts.method,
                    route = facts.route,
                    path = parts.path,
                    query = parts.query,
                    status = facts.status.map(|status| status.as_u16()),
                    outcome = facts.outcome,
                    duration_ms = facts.duration_us.map(milliseconds),
                    first_byte_ms = facts.first_byte_us.map(milliseconds),
                    client_address = parts.client_address,
                    request_bytes = facts.request_bytes,
                    response_bytes = facts.response_bytes,
                    http_version = facts.http_version,
                    user_agent = parts.user_agent,
                    error_type = facts.error_type,
                    grpc_code = facts.grpc_code,
                    request_messages = facts.request_messages,
                    response_messages = facts.response_messages,
                    slow = facts.slow.then_some(true),
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
        match sort.level {
            Level::ERROR => at!(Level::ERROR),
            Level::WARN => at!(Level::WARN),
            _ => at!(Level::INFO),
        }
        // Everyone has seen the event.
        drop(ahead);
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
            assert_eq!(at_end(outcome, false).level, expected, "{outcome}");
            assert_eq!(at_end(outcome, true).level, expected.min(Level::WARN), "{outcome}");
        }
    }
}
