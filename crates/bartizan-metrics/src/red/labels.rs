//! Labels of the application's own on the series of exchanges.

mod values;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri};
use metrics::Label;

use self::values::{FOLD, NONE, REST, Values};

/// Labels of the application's own on one layer.
const MAX_LABELS: usize = 4;

/// Values of one label.
const MAX_VALUES: usize = 1_000;

/// Names that the series have already, or that mean something to Prometheus.
const RESERVED: [&str; 22] = [
    "method",
    "endpoint",
    "status",
    "outcome",
    "le",
    "quantile",
    "grpc_type",
    "grpc_service",
    "grpc_method",
    "grpc_code",
    "job",
    "instance",
    "http_request_method",
    "http_response_status_code",
    "http_route",
    "network_protocol_version",
    "rpc_method",
    "rpc_response_status_code",
    "rpc_system_name",
    "url_scheme",
    "error_type",
    "metric",
];

/// The head of a request, as a function sees it that names a label's value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URI.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// What layers further out have put in.
    pub extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    /// The first header of this name, if it is plain text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The head of a response, as a function sees it that names a label's value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ResponseHead<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// What handlers and layers further in have put in.
    pub extensions: &'a Extensions,
}

impl<'a> ResponseHead<'a> {
    /// The first header of this name, if it is plain text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A label of the application's own, whose value a function of the request or of the response names.
///
/// [`RedLayer::label`](super::RedLayer::label) takes it. Its values are bounded:
///
/// | value | when |
/// |---|---|
/// | one of [`values`](Self::values), or of the first [`at_most`](Self::at_most) that came | the function named it |
/// | `other` | the function named none of the declared values |
/// | `overflow` | there were too many; `bartizan_series_overflow_total` counts it |
/// | `none` | the function named nothing, or panicked; or there was no response |
///
/// Declare the values where clients choose them: with a cap alone, those that come first have the series, and an attacker
/// may be first. A value is cut at 128 bytes.
///
/// ```
/// use bartizan_metrics::RedLayer;
/// use bartizan_metrics::red::CustomLabel;
///
/// let layer = RedLayer::new()
///     .label(CustomLabel::of_request("api", |request| request.header("x-api-version").map(Into::into)).values(["1", "2"]))?
///     .label(CustomLabel::of_response("cache", |response| response.header("x-cache").map(Into::into)).at_most(5))?;
/// # Ok::<(), bartizan_metrics::red::LabelError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct CustomLabel {
    name: Arc<str>,
    source: Source,
    bound: Bound,
}

type OfRequest = dyn for<'a> Fn(RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync;
type OfResponse = dyn for<'a> Fn(ResponseHead<'a>) -> Option<Cow<'a, str>> + Send + Sync;

#[derive(Clone)]
enum Source {
    Request(Arc<OfRequest>),
    Response(Arc<OfResponse>),
}

#[derive(Clone)]
enum Bound {
    Declared(Arc<[String]>),
    AtMost(usize),
}

/// Why a label cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// The name is bad.
    #[error(
        "label {name:?}: give a lower-case letter and then lower-case letters, digits and _, at most 64 bytes"
    )]
    BadName {
        /// The name, cut if it is very long.
        name: String,
    },
    /// The series have a label of this name.
    #[error("label {name:?} is taken: choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// More than four.
    #[error("label {name:?}: a layer takes {MAX_LABELS} at most, as every one multiplies the series")]
    TooMany {
        /// The name.
        name: String,
    },
    /// No value, or too many.
    #[error("label {name:?}: give 1 to {MAX_VALUES} values")]
    Values {
        /// The name.
        name: String,
    },
}

impl CustomLabel {
    /// A label named by the request, before the service sees it; at most 20 values, until that is changed.
    pub fn of_request(
        name: &str,
        value: impl for<'a> Fn(RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), source: Source::Request(Arc::new(value)), bound: Bound::AtMost(20) }
    }

    /// A label named by the response's head; at most 20 values, until that is changed.
    pub fn of_response(
        name: &str,
        value: impl for<'a> Fn(ResponseHead<'a>) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), source: Source::Response(Arc::new(value)), bound: Bound::AtMost(20) }
    }

    /// The values that there are, 1 to 1 000; all else is `other`.
    pub fn values<V: Into<String>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.bound = Bound::Declared(values.into_iter().map(Into::into).collect());
        self
    }

    /// How many values there may be, 1 to 1 000; past that it is `overflow`.
    pub fn at_most(mut self, values: usize) -> Self {
        self.bound = Bound::AtMost(values);
        self
    }
}

impl fmt::Debug for CustomLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomLabel").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The values of one exchange, by number. All are `none` to begin with.
pub(super) type Picked = [u16; MAX_LABELS];

/// The values of every label of an exchange past the cap on series.
pub(super) const FOLDED: Picked = [FOLD; MAX_LABELS];

/// The labels of one layer, and the values that came so far.
#[derive(Clone, Default)]
pub(super) struct Labels(Vec<(CustomLabel, Arc<Values>)>);

impl Labels {
    pub(super) fn with(mut self, label: CustomLabel) -> Result<Self, LabelError> {
        let name = || label.name.chars().take(64).collect::<String>();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = label.name.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || label.name.len() > 64 || !label.name.chars().all(plain) {
            return Err(LabelError::BadName { name: name() });
        }
        if RESERVED.contains(&&*label.name) || self.0.iter().any(|(other, _)| other.name == label.name) {
            return Err(LabelError::Taken { name: name() });
        }
        if self.0.len() >= MAX_LABELS {
            return Err(LabelError::TooMany { name: name() });
        }
        let count = match &label.bound {
            Bound::Declared(values) => values.len(),
            Bound::AtMost(count) => *count,
        };
        if count == 0 || count > MAX_VALUES {
            return Err(LabelError::Values { name: name() });
        }
        let values = Arc::new(Values::new(&label.bound, count));
        self.0.push((label, values));
        Ok(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of_request<B>(&self, request: &Request<B>) -> Picked {
        let head = RequestHead {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        };
        let mut picked = [NONE; MAX_LABELS];
        for ((label, values), picked) in self.0.iter().zip(&mut picked) {
            if let Source::Request(value) = &label.source {
                *picked = values.number(|| value(head));
            }
        }
        picked
    }

    pub(super) fn of_response<B>(&self, picked: &mut Picked, response: &Response<B>) {
        let head = ResponseHead {
            status: response.status(),
            headers: response.headers(),
            extensions: response.extensions(),
        };
        for ((label, values), picked) in self.0.iter().zip(picked) {
            if let Source::Response(value) = &label.source {
                *picked = values.number(|| value(head));
            }
        }
    }

    /// Whether one of the values is past its cap.
    pub(super) fn overflowed(&self, picked: Picked) -> bool {
        self.0.iter().zip(picked).any(|((_, values), picked)| picked == REST && !values.declared)
    }

    /// The labels as the series have them.
    pub(super) fn texts(&self, picked: Picked) -> Vec<Label> {
        let label = |((label, values), number): (&(CustomLabel, Arc<Values>), u16)| {
            Label::new(label.name.to_string(), values.text(number).to_owned())
        };
        self.0.iter().zip(picked).map(label).collect()
    }
}
