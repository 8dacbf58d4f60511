//! An answer to a probe, and the forms that it can have.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde::Serialize;

use crate::{Report, Status};

pub(crate) mod health_json;
pub(crate) mod json;
pub(crate) mod verbose;

/// The answer to a probe, for a host that is no tower service; [`Endpoints::answer`](crate::Endpoints::answer)
/// makes it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// 200, 204, 404, 405 or 503.
    pub status: StatusCode,
    /// The type of the document; none where there is no document.
    pub content_type: Option<&'static str>,
    /// The document; empty for HEAD, OPTIONS, 404 and 405.
    pub body: Bytes,
    /// The document's length, which HEAD tells too; as a header, as an answer may be given many times.
    length: Option<HeaderValue>,
    allow: bool,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

impl Answer {
    /// A refusal that needs no report: OPTIONS, or a method that is not served. None for GET and HEAD.
    pub(crate) fn without_document(method: &Method) -> Option<Self> {
        let status = match *method {
            Method::GET | Method::HEAD => return None,
            Method::OPTIONS => StatusCode::NO_CONTENT,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        let length = (status != StatusCode::NO_CONTENT).then(|| 0.into());
        Some(Self { status, content_type: None, body: Bytes::new(), length, allow: true })
    }

    pub(crate) fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            content_type: None,
            body: Bytes::new(),
            length: Some(0.into()),
            allow: false,
        }
    }

    pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Self {
        Self::serialized(status, JSON, document)
    }

    fn serialized(status: StatusCode, content_type: &'static str, document: &impl Serialize) -> Self {
        // Nothing in our documents can fail to be JSON; an empty object is still one.
        let body = serde_json::to_vec(document).unwrap_or_else(|_| b"{}".to_vec());
        Self::document(status, content_type, body)
    }

    fn text(status: StatusCode, text: String) -> Self {
        Self::document(status, TEXT, text.into_bytes())
    }

    fn document(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let length = Some(body.len().into());
        Self { status, content_type: Some(content_type), body: body.into(), length, allow: false }
    }

    pub(crate) fn for_method(mut self, method: &Method) -> Self {
        if method == Method::HEAD {
            self.body = Bytes::new();
        }
        self
    }

    /// The answer as a response, with `cache-control: no-store` and the length.
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(4);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            if content_type == TEXT {
                // Names and messages are not ours.
                headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            }
        }
        if let Some(length) = self.length {
            headers.insert(header::CONTENT_LENGTH, length);
        }
        if self.allow {
            headers.insert(header::ALLOW, ALLOW);
        }
        response
    }
}

/// Good is 200 and bad is 503.
fn code(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// What decides about the status of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Alive,
    Ready,
    Started,
    /// Not unhealthy.
    Healthy,
}

impl Verdict {
    pub(crate) fn of(self, report: &Report) -> bool {
        match self {
            Self::Alive => report.is_alive(),
            Self::Ready => report.is_ready(),
            Self::Started => report.started,
            Self::Healthy => report.status < Status::Unhealthy,
        }
    }
}

#[cfg(test)]
mod tests;
