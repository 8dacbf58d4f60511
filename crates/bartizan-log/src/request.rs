//! The request event: one line an exchange, at its true end.

pub(crate) mod ahead;
mod buffer;
mod event;
mod exchange;
mod headers;
mod json;
mod skip;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bartizan_core::{Observe, ObserveLayer, Observer, Record, Settings};
use bartizan_mask::Masker;
use http::{HeaderName, Request};
use tower_layer::Layer;
use tracing::{Level, Metadata};

pub use self::exchange::RequestLogExchange;
use self::headers::Shown;
pub(crate) use self::headers::push_value as push_header_value;
use self::skip::Skip;
use crate::capture::Capture;
use crate::line::OwnField;

/// The target of request events, and of the span of a request.
pub(crate) const REQUEST_TARGET: &str = "bartizan::request";

/// The fields of this event if it is one of [`event`], whose fields are masked already.
pub(crate) fn own_fields_of(metadata: &Metadata<'_>) -> Option<&'static [OwnField]> {
    (metadata.module_path() == Some(event::MODULE) && metadata.is_event()).then_some(event::FIELDS)
}

/// A tower layer that logs every exchange once, when it is over.
///
/// The event has the target `bartizan::request`, the message `request completed` and these fields:
///
/// | field | what |
/// |---|---|
/// | `method` | the method, `_OTHER` for one that is not known |
/// | `route` | the matched template, or `unmatched` |
/// | `path` | with the values of sensitive route parameters masked; at most 4 KiB |
/// | `query` | masked, at most 4 KiB; absent where there is none |
/// | `status` | absent where no head was sent |
/// | `outcome` | one of the nine of [`Outcome`](bartizan_core::Outcome) |
/// | `duration_ms` | to the last byte, the trailers, the error or the disconnect |
/// | `first_byte_ms` | to the first byte of the body; absent where there is none |
/// | `client_address` | by the layer's [`Trust`](bartizan_core::Trust); absent where the host does not tell |
/// | `request_bytes`, `response_bytes` | the size of the two bodies, as [`Ending`](bartizan_core::Ending) counts them; the first is absent where the host's body cannot be counted and promises no length |
/// | `http_version` | `1.0`, `1.1`, `2` or `3` |
/// | `user_agent` | at most 1 KiB, bytes outside ASCII as `\xNN`; absent where there is none |
/// | `error_type` | the semantic conventions' `error.type`; absent on success and on a 4xx |
/// | `grpc_code` | the status of a gRPC call, by name |
/// | `request_messages`, `response_messages` | the messages of a gRPC call, as [`Ending`](bartizan_core::Ending) counts them |
/// | `slow` | `true` from the [threshold](Self::slow) on, else absent |
///
/// Headers and bodies are there where they are switched on: [`request_headers`](Self::request_headers),
/// [`response_headers`](Self::response_headers), [`capture`](Self::capture).
///
/// The level is `INFO` for `ok` and `upgraded`, `WARN` for `client_error`, what the client gave up, and slow requests,
/// `ERROR` for everything that is the service's fault. The ids of the request are not among the fields: a
/// [`LogLayer`](crate::LogLayer) adds them to every line, other subscribers find them on the request's span.
///
/// ```
/// use bartizan_log::RequestLogLayer;
/// use std::time::Duration;
/// use tower_layer::Layer;
/// # let service = ();
///
/// let layer = RequestLogLayer::new().slow(Duration::from_millis(300)).skip_routes(["/internal/*"]);
/// let service = layer.layer(service);
/// ```
#[derive(Clone, Debug)]
pub struct RequestLogLayer(ObserveLayer<RequestLog>);

#[derive(Clone, Debug)]
struct Options {
    masker: Masker,
    slow: Option<Duration>,
    skip: Skip,
    one_in: u64,
    start_event: bool,
    request_headers: bool,
    response_headers: bool,
    shown: Shown,
    capture: Option<Capture>,
}

impl RequestLogLayer {
    /// A layer with the default options.
    pub fn new() -> Self {
        let options = Options {
            masker: Masker::default(),
            slow: Some(Duration::from_secs(1)),
            skip: Skip::default(),
            one_in: 1,
            start_event: false,
            request_headers: false,
            response_headers: false,
            shown: Shown::default(),
            capture: None,
        };
        Self(ObserveLayer::new(RequestLog { options: Arc::new(options), seen: Arc::default() }))
    }

    fn with(self, change: impl FnOnce(&mut Options, &mut Settings)) -> Self {
        Self(self.0.changed(|log, settings| {
            log.seen = Arc::default();
            change(Arc::make_mut(&mut log.options), settings);
        }))
    }

    /// Sets what masks. Default: [`Masker::default`].
    #[must_use]
    pub fn masker(self, masker: Masker) -> Self {
        self.with(|options, _| options.masker = masker)
    }

    /// Sets from which duration on a request is slow; `None` for never. Default: one second. The duration is that of
    /// the whole exchange, so a download to a slow client counts too.
    #[must_use]
    pub fn slow(self, threshold: impl Into<Option<Duration>>) -> Self {
        self.with(|options, _| options.slow = threshold.into())
    }

    /// Adds routes that are logged only when they end in an error, or are slow. Each is compared with the route's
    /// template and with the path; one that ends in `*` is a prefix. By default these are `/health`, `/health/*`,
    /// `/healthz`, `/livez`, `/livez/*`, `/readyz`, `/readyz/*`,
    /// `/ready`, `/startup`, `/metrics`, `/metrics/business` and `/grpc.health.v1.Health/*`.
    #[must_use]
    pub fn skip_routes<I>(self, routes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.with(|options, _| options.skip.add(routes.into_iter().map(Into::into)))
    }

    /// Logs all routes: forgets the default routes to skip, and those added before.
    #[must_use]
    pub fn skip_no_routes(self) -> Self {
        self.with(|options, _| options.skip = Skip::none())
    }

    /// Logs only one in so many requests that end well, counted from the first; all others are always logged, and so
    /// are slow ones. Default: 1, all of them. 0 means none.
    #[must_use]
    pub fn sample_successes(self, one_in: u64) -> Self {
        self.with(|options, _| options.one_in = one_in)
    }

    /// Also logs `request started` at `INFO` when a request comes in, with what is known by then. Routes to skip and
    /// requests that sampling leaves out have none. Where a layer is around a router, the route is not among it, so that its parameters are not
    /// masked in `path`: put the layer on the router (`Router::layer`). Default: off.
    #[must_use]
    pub fn start_event(self, on: bool) -> Self {
        self.with(|options, _| options.start_event = on)
    }

    /// Also logs the request's headers, masked, as one field `request_headers`: a JSON object in a string, which a
    /// [`LogLayer`](crate::LogLayer) writes as an object. At most 64 headers, 1 KiB each and 8 KiB together; `"...":true`
    /// tells that some are missing. Default: off.
    #[must_use]
    pub fn request_headers(self, on: bool) -> Self {
        self.with(|options, _| options.request_headers = on)
    }

    /// Also logs the response's headers, as `response_headers`. Default: off.
    #[must_use]
    pub fn response_headers(self, on: bool) -> Self {
        self.with(|options, _| options.response_headers = on)
    }

    /// Of the headers, of requests and of responses, shows only these, where they are logged at all. Default: all.
    ///
    /// ```
    /// use bartizan_log::RequestLogLayer;
    /// use http::header;
    ///
    /// let layer = RequestLogLayer::new().request_headers(true).only_headers([header::HOST, header::AUTHORIZATION]);
    /// ```
    #[must_use]
    pub fn only_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let mut only = Vec::new();
        for name in names {
            // Twice would be a key twice.
            if only.len() < 64 && !only.contains(&name) {
                only.push(name);
            }
        }
        self.with(|options, _| options.shown = Shown::Only(only))
    }

    /// Also logs the bodies of some exchanges, masked and bounded; see [`Capture`]. Default: none.
    ///
    /// ```
    /// use bartizan_log::{Capture, RequestLogLayer};
    ///
    /// let layer = RequestLogLayer::new().capture(Capture::new());
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn capture(self, capture: impl Into<Option<Capture>>) -> Self {
        self.with(|options, _| options.capture = capture.into())
    }

    /// How routes and clients are found, where this is the outermost bartizan layer, and the clock that measures.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        self.with(|_, own| *own = settings)
    }

    /// Only the observer, for a stack of several.
    ///
    /// ```
    /// use bartizan_core::ObserveLayer;
    /// use bartizan_log::RequestLogLayer;
    ///
    /// let layer = ObserveLayer::new((RequestLogLayer::new().observer(),));
    /// # let _ = layer;
    /// ```
    pub fn observer(&self) -> RequestLog {
        RequestLog { options: Arc::clone(&self.0.observer().options), seen: Arc::default() }
    }
}

impl Default for RequestLogLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for RequestLogLayer {
    type Service = Observe<S, RequestLog>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

/// The observer that logs exchanges: what a [`RequestLogLayer`] makes of its options.
///
/// ```
/// use bartizan_log::{RequestLog, RequestLogLayer};
///
/// let observer: RequestLog = RequestLogLayer::new().sample_successes(10).observer();
/// # let _ = observer;
/// ```
#[derive(Clone, Debug)]
pub struct RequestLog {
    options: Arc<Options>,
    /// Requests seen, counted only where they are sampled.
    seen: Arc<AtomicU64>,
}

impl RequestLog {
    fn picks(&self) -> bool {
        match self.options.one_in {
            0 => false,
            1 => true,
            one_in => self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(one_in),
        }
    }
}

impl Observer for RequestLog {
    type Exchange = RequestLogExchange;

    /// Not without a subscriber or a sink.
    fn is_on(&self) -> bool {
        tracing::level_enabled!(Level::ERROR) || self.options.capture.as_ref().is_some_and(Capture::has_sink)
    }

    fn shares_record(&self) -> bool {
        false
    }

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> RequestLogExchange {
        if !self.is_on() {
            return RequestLogExchange::off();
        }
        RequestLogExchange::new(&self.options, self.picks(), request, record)
    }
}
