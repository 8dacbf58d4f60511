//! What the plumbing knows of gRPC: telling it apart, and reading the status of a call.

pub(crate) mod framing;
pub(crate) mod methods;
pub(crate) mod timeout;

use std::fmt;

use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use crate::method::KnownMethod;
use crate::outcome::Outcome;

/// How the two sides talk, told from the request's `content-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// Anything that is not gRPC.
    #[default]
    Http,
    /// `application/grpc`, with or without a `+proto` suffix. gRPC-Web is plain HTTP here, because its
    /// status travels inside the body.
    Grpc,
}

impl Protocol {
    /// Classifies a request: a gRPC call is a POST.
    pub(crate) fn of_request(method: KnownMethod, headers: &HeaderMap) -> Self {
        if method == KnownMethod::POST { Self::of(headers) } else { Self::Http }
    }

    /// Classifies a request by its headers.
    ///
    /// ```
    /// use bartizan_core::Protocol;
    /// use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
    ///
    /// let mut headers = HeaderMap::new();
    /// assert_eq!(Protocol::of(&headers), Protocol::Http);
    /// headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
    /// assert_eq!(Protocol::of(&headers), Protocol::Grpc);
    /// headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc-web"));
    /// assert_eq!(Protocol::of(&headers), Protocol::Http);
    /// ```
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(rest) =
            headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"))
        else {
            return Self::Http;
        };
        if matches!(rest.first(), None | Some(b'+' | b';' | b' ')) { Self::Grpc } else { Self::Http }
    }
}

/// A gRPC status code. What is not one of the seventeen is `UNKNOWN`, so the set is bounded.
///
/// ```
/// use bartizan_core::GrpcCode;
///
/// assert_eq!(GrpcCode::NOT_FOUND.as_str(), "NOT_FOUND");
/// assert_eq!(GrpcCode::NOT_FOUND.as_u8(), 5);
/// assert!(GrpcCode::INTERNAL.is_server_error());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GrpcCode(u8);

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl GrpcCode {
    /// The call succeeded.
    pub const OK: Self = Self(0);
    /// The call was cancelled, typically by the client.
    pub const CANCELLED: Self = Self(1);
    /// No status, or one outside the table.
    pub const UNKNOWN: Self = Self(2);
    /// The client's deadline passed first.
    pub const DEADLINE_EXCEEDED: Self = Self(4);
    /// Something that was asked for does not exist.
    pub const NOT_FOUND: Self = Self(5);
    /// The caller may not do this.
    pub const PERMISSION_DENIED: Self = Self(7);
    /// A quota is used up.
    pub const RESOURCE_EXHAUSTED: Self = Self(8);
    /// The method does not exist.
    pub const UNIMPLEMENTED: Self = Self(12);
    /// An invariant broke.
    pub const INTERNAL: Self = Self(13);
    /// The service cannot take calls now.
    pub const UNAVAILABLE: Self = Self(14);
    /// The caller is not known.
    pub const UNAUTHENTICATED: Self = Self(16);

    /// The name that the conventions use, such as `DEADLINE_EXCEEDED`.
    pub fn as_str(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    /// The number on the wire.
    #[inline]
    pub fn as_u8(self) -> u8 {
        self.0
    }

    /// Whether the conventions count it as the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED,
    /// INTERNAL, UNAVAILABLE, DATA_LOSS.
    pub fn is_server_error(self) -> bool {
        matches!(self.0, 2 | 4 | 12 | 13 | 14 | 15)
    }

    /// Reads `grpc-status` from trailers or a trailers-only head. Anything but a number from 0 to 16 is
    /// `UNKNOWN`; an absent header is `None`.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let code = match headers.get("grpc-status")?.as_bytes() {
            [d @ b'0'..=b'9'] => d - b'0',
            [b'1', d @ b'0'..=b'6'] => 10 + d - b'0',
            _ => return Some(Self::UNKNOWN),
        };
        Some(Self(code))
    }

    /// What a response without `grpc-status` means, by its HTTP status (gRPC over HTTP/2, "HTTP to gRPC
    /// status code mapping"). A 200 without a status is `UNKNOWN`.
    pub(crate) fn of_missing(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 431 => Self::INTERNAL,
            401 => Self::UNAUTHENTICATED,
            403 => Self::PERMISSION_DENIED,
            404 => Self::UNIMPLEMENTED,
            429 | 502 | 503 | 504 => Self::UNAVAILABLE,
            _ => Self::UNKNOWN,
        }
    }

    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::OK => Outcome::Ok,
            code if code.is_server_error() => Outcome::ServerError,
            _ => Outcome::ClientError,
        }
    }
}

impl fmt::Debug for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Option<GrpcCode> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", http::HeaderValue::from_static(value));
        GrpcCode::from_headers(&headers)
    }

    #[test]
    fn all_seventeen_codes_are_read() {
        for (number, name) in NAMES.iter().enumerate() {
            let value: &'static str = Box::leak(number.to_string().into_boxed_str());
            assert_eq!(read(value).unwrap().as_str(), *name);
        }
    }

    #[test]
    fn anything_else_is_unknown_and_absent_is_none() {
        for value in ["17", "-1", "007", "", "99999999999", "OK"] {
            assert_eq!(read(value), Some(GrpcCode::UNKNOWN), "{value}");
        }
        assert_eq!(GrpcCode::from_headers(&HeaderMap::new()), None);
    }
}
