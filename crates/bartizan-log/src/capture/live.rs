//! An exchange being captured.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bartizan_core::{Ending, Outcome, Record, RequestTap};
use bartizan_mask::Masker;
use http::{HeaderMap, HeaderValue, Request, Response, header};

use super::Capture;
use super::body::Kind;
use super::buffer::Buffer;
use super::exchange::{CapturedBody, CapturedExchange, masked_headers, url};

/// What is kept of an exchange until its end tells whether it is wanted.
pub(crate) struct Capturing {
    request: Option<(Kind, Arc<Tap>)>,
    response: Option<(Kind, Buffer)>,
    heads: Option<Box<Heads>>,
}

/// What only a sink is told.
struct Heads {
    authority: Option<HeaderValue>,
    request: HeaderMap,
    response: HeaderMap,
}

/// The request's body, as the service reads it.
struct Tap(Mutex<Tapped>);

struct Tapped {
    /// Gone once the exchange is over.
    buffer: Option<Buffer>,
    ended: bool,
}

impl Tap {
    fn lock(&self) -> MutexGuard<'_, Tapped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestTap for Tap {
    fn data(&self, data: &[u8]) {
        if let Some(buffer) = &mut self.lock().buffer {
            buffer.pass(data.len());
            buffer.push(data);
        }
    }

    fn end(&self) {
        self.lock().ended = true;
    }
}

/// What the log line says of the bodies.
#[derive(Default)]
pub(crate) struct Bodies {
    pub(crate) request: Option<CapturedBody>,
    pub(crate) response: Option<CapturedBody>,
}

impl Capturing {
    pub(crate) fn begin<B>(capture: &Capture, request: &Request<B>, record: &Record) -> Self {
        let tapped = capture.request.then(|| {
            let kind = Kind::of(request.headers());
            let buffer = Some(kind.buffer(capture));
            let tap = Arc::new(Tap(Mutex::new(Tapped { buffer, ended: false })));
            record.tap_request(tap.clone()).then_some((kind, tap))
        });
        let heads = capture.sink.as_ref().map(|_| {
            let named =
                request.uri().authority().and_then(|named| HeaderValue::from_str(named.as_str()).ok());
            Box::new(Heads {
                authority: named.or_else(|| request.headers().get(header::HOST).cloned()),
                request: request.headers().clone(),
                response: HeaderMap::new(),
            })
        });
        Self { request: tapped.flatten(), response: None, heads }
    }

    pub(crate) fn head<B>(&mut self, capture: &Capture, response: &Response<B>) {
        if capture.response {
            let kind = Kind::of(response.headers());
            let buffer = kind.buffer(capture);
            self.response = Some((kind, buffer));
        }
        if let Some(heads) = &mut self.heads {
            heads.response.clone_from(response.headers());
        }
    }

    pub(crate) fn chunk(&mut self, len: usize) {
        if let Some((_, buffer)) = &mut self.response {
            buffer.pass(len);
        }
    }

    pub(crate) fn wants_data(&self) -> bool {
        self.response.as_ref().is_some_and(|(_, buffer)| buffer.wants_more())
    }

    pub(crate) fn data(&mut self, data: &[u8]) {
        if let Some((_, buffer)) = &mut self.response {
            buffer.push(data);
        }
    }

    /// Masks what is wanted. `path` and `query` are masked already.
    pub(crate) fn end(
        self,
        capture: &Capture,
        masker: &Masker,
        ending: &Ending,
        record: &Record,
        target: (&str, Option<&str>),
    ) -> Bodies {
        let Self { request, response, heads } = self;
        let request = request.and_then(|(kind, tap)| {
            let mut tapped = tap.lock();
            Some(Shown::of(kind, tapped.buffer.take()?, tapped.ended, masker))
        });
        let response = response.map(|(kind, buffer)| Shown::of(kind, buffer, is_sent(ending), masker));
        if let (Some(heads), Some(sink)) = (heads, &capture.sink) {
            let (path, query) = target;
            let authority = heads.authority.as_ref().and_then(|authority| authority.to_str().ok());
            sink(CapturedExchange {
                started: SystemTime::now().checked_sub(ending.duration).unwrap_or(SystemTime::UNIX_EPOCH),
                ending: ending.clone(),
                method: record.method().as_str(),
                url: url(record, authority, path, query),
                route: record.route().to_owned(),
                http_version: version(record.version()),
                correlation_id: record.correlation_id().map(ToString::to_string),
                request_headers: masked_headers(&heads.request, masker),
                response_headers: masked_headers(&heads.response, masker),
                request_body: request.as_ref().and_then(|shown| shown.body.clone()),
                response_body: response.as_ref().and_then(|shown| shown.body.clone()),
            });
        }
        Bodies {
            request: request.and_then(|shown| shown.for_line(masker)),
            response: response.and_then(|shown| shown.for_line(masker)),
        }
    }
}

/// A body and what may be shown of it.
struct Shown {
    kind: Kind,
    buffer: Buffer,
    body: Option<CapturedBody>,
}

impl Shown {
    fn of(kind: Kind, buffer: Buffer, ended: bool, masker: &Masker) -> Self {
        let body = kind.show(&buffer, ended, masker);
        Self { kind, buffer, body }
    }

    fn for_line(self, masker: &Masker) -> Option<CapturedBody> {
        let mut body = self.body?;
        self.kind.fit(&mut body, &self.buffer, masker);
        Some(body)
    }
}

/// Whether the response was handed on to its end. What the catcher answers for a panic is whole; a body that panicked is not.
fn is_sent(ending: &Ending) -> bool {
    match ending.outcome {
        Outcome::CancelledMidBody | Outcome::BodyError => false,
        Outcome::Panicked => ending.status == Some(http::StatusCode::INTERNAL_SERVER_ERROR),
        _ => true,
    }
}

fn version(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_09 => "HTTP/0.9",
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_2 => "HTTP/2.0",
        http::Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}
