//! Capture of bodies: a bounded copy of the beginning, masked when the exchange is over.
//!
//! The body itself goes by as it is: no frame waits, is changed, or is held back. What is copied is bounded for each body and for all of
//! them together; what does not fit is left out, and counted. Whether the copy is wanted is decided at the end, when it is known whether
//! the exchange failed or was slow. Then it is masked, or dropped; the copy itself never leaves the exchange.

mod body;
mod buffer;
mod curl;
mod exchange;
mod har;
mod live;
mod media;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bartizan_core::{Ending, Outcome, Record};

use self::buffer::Room;
pub use self::buffer::{bodies_refused_total, bodies_truncated_total, captured_bytes};
pub use self::exchange::{CapturedBody, CapturedExchange};
pub(crate) use self::live::{Bodies, Capturing};
use self::media::MediaTypes;
use crate::setup::ParseError;

/// Which exchanges show their bodies, decided when they are over.
///
/// ```
/// use bartizan_log::CaptureWhen;
/// use std::sync::Arc;
///
/// assert!(matches!("error".parse(), Ok(CaptureWhen::Error)));
/// let teapots = CaptureWhen::If(Arc::new(|ending, _| ending.status.is_some_and(|status| status == 418)));
/// # let _ = teapots;
/// ```
#[expect(clippy::type_complexity, reason = "the predicate is named once")]
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum CaptureWhen {
    /// All that get a log line.
    Always,
    /// Those that are the service's fault: by outcome, or by a server code of gRPC. The default.
    #[default]
    Error,
    /// All that did not end well: errors, 4xx, and what the client gave up.
    Failure,
    /// Those that took longer than [`RequestLogLayer::slow`](crate::RequestLogLayer::slow) allows.
    Slow,
    /// [`Error`](Self::Error) or [`Slow`](Self::Slow).
    ErrorOrSlow,
    /// Those for which this says so.
    If(Arc<dyn Fn(&Ending, &Record) -> bool + Send + Sync>),
}

impl CaptureWhen {
    fn holds(&self, ending: &Ending, record: &Record, slow: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Error => ending.is_error(),
            Self::Failure => ending.is_error() || !matches!(ending.outcome, Outcome::Ok | Outcome::Upgraded),
            Self::Slow => slow,
            Self::ErrorOrSlow => slow || ending.is_error(),
            Self::If(wanted) => wanted(ending, record),
        }
    }
}

impl FromStr for CaptureWhen {
    type Err = ParseError;

    /// Reads `always`, `error`, `failure`, `slow` or `error_or_slow`, in any letter case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match &*text.trim().to_ascii_lowercase() {
            "always" => Ok(Self::Always),
            "error" => Ok(Self::Error),
            "failure" => Ok(Self::Failure),
            "slow" => Ok(Self::Slow),
            "error_or_slow" => Ok(Self::ErrorOrSlow),
            _ => Err(ParseError::new(text, "always, error, failure, slow, error_or_slow")),
        }
    }
}

impl fmt::Debug for CaptureWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "Always",
            Self::Error => "Error",
            Self::Failure => "Failure",
            Self::Slow => "Slow",
            Self::ErrorOrSlow => "ErrorOrSlow",
            Self::If(_) => "If",
        })
    }
}

/// What is captured of bodies, and when it is shown: for [`RequestLogLayer::capture`](crate::RequestLogLayer::capture).
///
/// The request event then has
///
/// | field | what |
/// |---|---|
/// | `request_body`, `response_body` | the masked text, or a placeholder; absent where the body is empty or cannot be seen. JSON stays valid, in a string, so that clients cannot add fields to an index of logs |
/// | `request_body_truncated`, `response_body_truncated` | `true` where that is only the beginning; else absent. The true lengths are `request_bytes` and `response_bytes` |
///
/// A request's body is seen as far as the service reads it, and only in axum's and tonic's body types (with the features of these
/// names); a response's body on any host. Masking takes place where the exchange ends, before its last frame is handed on, and only where
/// the bodies are shown: some 25 µs for 16 KiB of text, 70 µs for JSON.
///
/// ```
/// use bartizan_log::{Capture, CaptureWhen, RequestLogLayer};
///
/// let capture = Capture::new().when(CaptureWhen::ErrorOrSlow).limit(4 * 1024);
/// let layer = RequestLogLayer::new().capture(capture);
/// # let _ = layer;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Capture {
    request: bool,
    response: bool,
    when: CaptureWhen,
    limit: usize,
    room: Arc<Room>,
    types: MediaTypes,
    sink: Option<Arc<dyn Fn(CapturedExchange) + Send + Sync>>,
}

impl Capture {
    /// How much of a body is kept by default: 16 KiB.
    pub const DEFAULT_LIMIT: usize = 16 * 1024;
    /// How much is kept of all bodies at once by default: 16 MiB.
    pub const DEFAULT_TOTAL_LIMIT: usize = 16 * 1024 * 1024;

    /// Both bodies, of exchanges that end in an [error](CaptureWhen::Error).
    pub fn new() -> Self {
        Self {
            request: true,
            response: true,
            when: CaptureWhen::default(),
            limit: Self::DEFAULT_LIMIT,
            room: Arc::new(Room::new(Self::DEFAULT_TOTAL_LIMIT)),
            types: MediaTypes::default(),
            sink: None,
        }
    }

    /// Whether requests' bodies are captured. Default: yes.
    pub fn request_bodies(mut self, on: bool) -> Self {
        self.request = on;
        self
    }

    /// Whether responses' bodies are captured. Default: yes.
    pub fn response_bodies(mut self, on: bool) -> Self {
        self.response = on;
        self
    }

    /// Which exchanges show their bodies. Default: [`CaptureWhen::Error`].
    pub fn when(mut self, when: CaptureWhen) -> Self {
        self.when = when;
        self
    }

    /// How many bytes of a body are kept at most. Default: [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT). A log line shows about 20 KiB of
    /// each; a [sink](Self::sink) is given all.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// How many bytes of all bodies are kept at once, in all clones of this. Default:
    /// [`DEFAULT_TOTAL_LIMIT`](Self::DEFAULT_TOTAL_LIMIT). Past it bodies are cut short, and counted by [`bodies_refused_total`].
    pub fn total_limit(mut self, bytes: usize) -> Self {
        self.room = Arc::new(Room::new(bytes));
        self
    }

    /// The media types that are captured, in place of the default ones; `*` may stand for the beginning or the end. By default
    /// `application/json`, `text/json`, `*+json`, `application/x-ndjson`, `application/ndjson`, `application/jsonl`,
    /// `application/x-www-form-urlencoded`, `multipart/form-data` and `text/plain`. Of others nothing is kept: a placeholder stands for
    /// them, `[image/png, 1234 bytes]`, as for what [`Masker::body`](bartizan_mask::Masker::body) cannot read.
    ///
    /// ```
    /// use bartizan_log::Capture;
    ///
    /// let capture = Capture::new().media_types(["application/json", "*+json", "text/*"]);
    /// # let _ = capture;
    /// ```
    pub fn media_types<I>(mut self, types: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.types = MediaTypes::of(types.into_iter().map(Into::into));
        self
    }

    /// Also hands each captured exchange to this function, masked, with its headers: to keep the last ones, or to send them on. It is
    /// called where the exchange ends, so it must neither wait nor panic.
    pub fn sink(mut self, sink: impl Fn(CapturedExchange) + Send + Sync + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    pub(crate) fn has_sink(&self) -> bool {
        self.sink.is_some()
    }

    pub(crate) fn is_wanted(&self, ending: &Ending, record: &Record, slow: bool) -> bool {
        self.when.holds(ending, record, slow)
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("request_bodies", &self.request)
            .field("response_bodies", &self.response)
            .field("when", &self.when)
            .field("limit", &self.limit)
            .field("room", &self.room)
            .field("media_types", &self.types)
            .field("sink", &self.sink.is_some())
            .finish()
    }
}
