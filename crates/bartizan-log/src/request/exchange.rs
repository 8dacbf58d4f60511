//! One exchange being logged.

use std::cell::LazyCell;
use std::sync::Arc;

use bartizan_core::{Context, Ending, Exchange, Outcome, Record};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, header};

use super::Options;
use super::buffer::Buffer;
use super::event::Told;
use super::headers::masked_json;
use super::text::Texts;

/// What is kept of a request until its line is written: references to what it sent, nothing copied. Nothing at all
/// where there is no subscriber.
#[derive(Debug)]
pub struct RequestLogExchange {
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    options: Arc<Options>,
    uri: Option<PathAndQuery>,
    user_agent: Option<HeaderValue>,
    /// Whether the line is wanted if all goes well.
    picked: bool,
    /// The start event is still to come.
    starting: bool,
    request_headers: Option<Buffer>,
    response_headers: Option<Buffer>,
}

impl RequestLogExchange {
    pub(super) fn off() -> Self {
        Self { kept: None }
    }

    pub(super) fn new<B>(
        options: &Arc<Options>,
        picked: bool,
        request: &Request<B>,
        record: &Record,
    ) -> Self {
        let path = request.uri().path();
        let kept = Kept {
            uri: request.uri().path_and_query().cloned(),
            user_agent: request.headers().get(header::USER_AGENT).cloned(),
            picked,
            starting: options.start_event && picked && !options.skip.has(record.route(), path),
            request_headers: options
                .request_headers
                .then(|| masked_json(request.headers(), &options.shown, &options.masker)),
            response_headers: None,
            options: Arc::clone(options),
        };
        Self { kept: Some(kept) }
    }
}

impl Exchange for RequestLogExchange {
    fn enter<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        // Not before here is the request's context current, which gives the line its ids.
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.starting) {
            kept.starting = false;
            kept.start();
        }
        poll()
    }

    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.options.response_headers) {
            kept.response_headers =
                Some(masked_json(response.headers(), &kept.options.shown, &kept.options.masker));
        }
    }

    fn end(self, ending: &Ending, record: &Record) {
        if let Some(kept) = self.kept {
            kept.end(ending, record);
        }
    }
}

impl Kept {
    fn start(&self) {
        if let Some(record) = Context::current().record() {
            self.tell("request started", record, None, false);
        }
    }

    fn end(&self, ending: &Ending, record: &Record) {
        let slow = self.options.slow.is_some_and(|threshold| ending.duration >= threshold);
        if slow || ending.outcome.is_error() || self.is_wanted(ending.outcome, record) {
            self.tell("request completed", record, Some(ending), slow);
        }
    }

    fn tell(&self, message: &'static str, record: &Record, ending: Option<&Ending>, slow: bool) {
        let texts = LazyCell::new(|| {
            Texts::of(self.uri.as_ref(), self.user_agent.as_ref(), record, &self.options.masker)
        });
        let told = Told {
            message,
            record,
            texts: &texts,
            ending,
            slow,
            request_headers: self.request_headers.as_deref(),
            response_headers: self.response_headers.as_deref(),
        };
        told.write();
    }

    /// Whether an exchange that is neither failed nor slow gets its line.
    fn is_wanted(&self, outcome: Outcome, record: &Record) -> bool {
        let is_success = matches!(outcome, Outcome::Ok | Outcome::Upgraded);
        let path = self.uri.as_ref().map_or("", PathAndQuery::path);
        (self.picked || !is_success) && !self.options.skip.has(record.route(), path)
    }
}
