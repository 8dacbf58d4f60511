//! One exchange being logged.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Context, Ending, Exchange, Outcome, Record};
use bartizan_mask::Masker;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, header};

use super::Options;
use super::event::Told;
use super::headers::Headers;
use super::text::Texts;
use crate::capture::{Bodies, Capturing};

/// What is kept of a request until its line is written: references to what it sent, and of headers and bodies the text
/// that is to be shown. Nothing at all where there is neither a subscriber nor a sink.
pub struct RequestLogExchange {
    kept: Option<Kept>,
}

struct Kept {
    options: Arc<Options>,
    uri: Option<PathAndQuery>,
    user_agent: Option<HeaderValue>,
    /// Whether the line is wanted if all goes well.
    picked: bool,
    /// The start event is still to come.
    starting: bool,
    request_headers: Option<Headers>,
    response_headers: Option<Headers>,
    capturing: Option<Box<Capturing>>,
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
        let kept = Kept {
            uri: request.uri().path_and_query().cloned(),
            user_agent: request.headers().get(header::USER_AGENT).cloned(),
            picked,
            starting: options.start_event
                && picked
                && !options.skip.has(record.route(), request.uri().path()),
            request_headers: options.request_headers.then(|| Headers::of(request.headers(), options)),
            response_headers: None,
            capturing: options
                .capture
                .as_ref()
                .map(|capture| Box::new(Capturing::begin(capture, request, record))),
            options: Arc::clone(options),
        };
        Self { kept: Some(kept) }
    }
}

/// Nothing of what was sent.
impl fmt::Debug for RequestLogExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLogExchange").finish_non_exhaustive()
    }
}

impl RequestLogExchange {
    fn capturing(&mut self) -> Option<&mut Capturing> {
        self.kept.as_mut()?.capturing.as_deref_mut()
    }
}

impl Exchange for RequestLogExchange {
    #[inline]
    fn enter(&mut self) -> impl Sized {
        // Not before here is the request's context current, which gives the line its ids.
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.starting) {
            kept.starting = false;
            kept.start();
        }
    }

    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        let Some(kept) = &mut self.kept else { return };
        if kept.options.response_headers {
            kept.response_headers = Some(Headers::of(response.headers(), &kept.options));
        }
        if let (Some(capturing), Some(capture)) = (&mut kept.capturing, &kept.options.capture) {
            capturing.head(capture, response);
        }
    }

    fn chunk(&mut self, len: usize, _: &Record) {
        if let Some(capturing) = self.capturing() {
            capturing.chunk(len);
        }
    }

    fn wants_data(&self) -> bool {
        let kept = self.kept.as_ref();
        kept.and_then(|kept| kept.capturing.as_ref()).is_some_and(|capturing| capturing.wants_data())
    }

    fn data(&mut self, data: &[u8], _: &Record) {
        if let Some(capturing) = self.capturing() {
            capturing.data(data);
        }
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        if let Some(kept) = &mut self.kept {
            kept.end(ending, record);
        }
    }
}

impl Kept {
    fn start(&self) {
        if let Some(record) = Context::current().record() {
            let route = record.route();
            let masker = self.options.masker.for_route(route);
            let texts = || self.texts(record, masker);
            self.tell(record, route, None, masker, &Bodies::default(), texts);
        }
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        let slow = self.options.slow.is_some_and(|threshold| ending.duration >= threshold);
        let route = record.route();
        if !(slow || ending.outcome.is_error() || self.is_wanted(ending.outcome, route)) {
            return;
        }
        let capturing = self.capturing.take();
        let masker = self.options.masker.for_route(route);
        let mut texts = None;
        let bodies = match (capturing, &self.options.capture) {
            (Some(capturing), Some(capture)) if capture.is_wanted(ending, record, slow) => {
                let parts = texts.insert(self.texts(record, masker)).parts();
                capturing.end(capture, masker, ending, record, (parts.path, parts.query))
            }
            _ => Bodies::default(),
        };
        let texts = || texts.unwrap_or_else(|| self.texts(record, masker));
        self.tell(record, route, Some((ending, slow)), masker, &bodies, texts);
    }

    fn texts(&self, record: &Record, masker: &Masker) -> Texts {
        Texts::of(self.uri.as_ref(), self.user_agent.as_ref(), record, masker)
    }

    fn tell(
        &self,
        record: &Record,
        route: &str,
        end: Option<(&Ending, bool)>,
        masker: &Masker,
        bodies: &Bodies,
        texts: impl FnOnce() -> Texts,
    ) {
        let request_headers = self.request_headers.as_ref().map(|kept| kept.masked(&self.options, masker));
        let response_headers = self.response_headers.as_ref().map(|kept| kept.masked(&self.options, masker));
        let told = Told {
            record,
            route,
            end,
            request_headers: request_headers.as_deref(),
            response_headers: response_headers.as_deref(),
            bodies,
        };
        told.write(texts);
    }

    /// Whether an exchange that is neither failed nor slow gets its line.
    fn is_wanted(&self, outcome: Outcome, route: &str) -> bool {
        let is_success = matches!(outcome, Outcome::Ok | Outcome::Upgraded);
        let path = self.uri.as_ref().map_or("", PathAndQuery::path);
        (self.picked || !is_success) && !self.options.skip.has(route, path)
    }
}
