//! The request record: what is known of a request, shared by handlers, observers and log lines.

mod outbound;
mod pool;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Request, Version};
use http_body::Body;
use tracing::field::Empty;

use crate::client::{PeerAddress, Trust};
use crate::fields::Fields;
use crate::grpc::{GrpcCode, Protocol, timeout};
use crate::method::KnownMethod;
use crate::request_body::RequestSize;
use crate::route::{OTHER_METHOD, Route, Routes, UNMATCHED, UnknownMethod};
use crate::value::Value;

/// A correlation id that has been checked or made, ready to be sent on. Cloning it allocates nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CorrelationId(HeaderValue);

impl CorrelationId {
    /// Longest id, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Checks an id: 1 to 128 bytes of `[A-Za-z0-9._:/+=@-]`. `None` for anything else.
    ///
    /// ```
    /// use bartizan_core::CorrelationId;
    /// use http::HeaderValue;
    ///
    /// assert!(CorrelationId::new(HeaderValue::from_static("order-17")).is_some());
    /// assert!(CorrelationId::new(HeaderValue::from_static("<script>")).is_none());
    /// ```
    pub fn new(value: HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let allowed = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'_' | b':' | b'/' | b'+' | b'=' | b'@' | b'-')
        };
        ((1..=Self::MAX_LEN).contains(&bytes.len()) && bytes.iter().all(allowed)).then_some(Self(value))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.0.as_bytes()).unwrap_or_default()
    }

    /// The id as a header value.
    pub fn header_value(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CorrelationId").field(&self.as_str()).finish()
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The ids of the trace that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIds {
    /// The trace, as on the wire.
    pub trace_id: [u8; 16],
    /// The span of this exchange.
    pub span_id: [u8; 8],
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl TraceIds {
    /// The trace id in lower-case hex.
    pub fn trace_id_hex(&self) -> Hex<32> {
        Hex::of(&self.trace_id)
    }

    /// The span id in lower-case hex.
    pub fn span_id_hex(&self) -> Hex<16> {
        Hex::of(&self.span_id)
    }
}

/// `N` lower-case hex digits, without an allocation.
#[derive(Clone, Copy)]
pub struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    fn of(bytes: &[u8]) -> Self {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut out = [b'0'; N];
        for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self(out)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of one request. The outermost bartizan layer makes it and puts it into the request's extensions;
/// layers further in, handlers and every log line share it. Cloning it counts a reference.
///
/// ```
/// use bartizan_core::Record;
///
/// fn handler(request: &http::Request<()>) {
///     if let Some(record) = request.extensions().get::<Record>() {
///         record.bind("tenant_id", "acme");
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Record(Arc<Inner>);

struct Inner {
    /// The address of the layer that made the record: it tells that one apart while the request is under way.
    maker: usize,
    method: KnownMethod,
    version: Version,
    protocol: Protocol,
    https: bool,
    peer: Option<std::net::SocketAddr>,
    client: Option<IpAddr>,
    inbound: bool,
    route: OnceLock<Route>,
    prefix: Option<Route>,
    /// A gRPC method that nobody knows yet.
    unknown_method: Option<UnknownMethod>,
    grpc_timeout: Option<Duration>,
    correlation_id: OnceLock<CorrelationId>,
    trace: OnceLock<TraceIds>,
    request_size: RequestSize,
    bound: Mutex<Fields>,
    span: tracing::Span,
}

impl Inner {
    /// Lets go of everything that belongs to the request alone.
    fn clear(&mut self) {
        self.correlation_id = OnceLock::new();
        self.route = OnceLock::new();
        self.prefix = None;
        self.unknown_method = None;
        self.request_size = RequestSize::Promised(None);
        *self.bound.get_mut().unwrap_or_else(PoisonError::into_inner) = Fields::default();
        self.span = tracing::Span::none();
    }
}

impl Record {
    /// Makes the record of a request that no layer has seen yet.
    pub(crate) fn make<B: Body + 'static>(
        request: &mut Request<B>,
        routes: &Routes,
        trust: &Trust,
        maker: usize,
    ) -> Self {
        let method = KnownMethod::of(request.method());
        let peer = PeerAddress::of(request.extensions());
        let protocol = Protocol::of(request.headers());
        let route = routes.certain(request, protocol);
        let is_grpc = protocol == Protocol::Grpc;
        let unrouted = route.is_none();
        let span = tracing::info_span!(
            target: "bartizan::request",
            "request",
            method = method.as_str(),
            route = route.as_ref().map(Route::as_str),
            correlation_id = Empty,
            trace_id = Empty,
            span_id = Empty,
        );
        Self(pool::take(Inner {
            maker,
            method,
            version: request.version(),
            protocol,
            https: trust.is_https(peer.map(|peer| peer.ip()), request.uri(), request.headers()),
            peer,
            client: trust.client(peer.map(|peer| peer.ip()), request.headers()),
            inbound: true,
            prefix: if unrouted && !is_grpc { routes.by_prefix(request.uri().path()) } else { None },
            unknown_method: if unrouted && is_grpc { routes.unknown_method(request.uri()) } else { None },
            grpc_timeout: if is_grpc { timeout::of(request.headers()) } else { None },
            route: route.map_or_else(OnceLock::new, OnceLock::from),
            correlation_id: OnceLock::new(),
            trace: OnceLock::new(),
            request_size: RequestSize::of(request.body()),
            bound: Mutex::default(),
            span,
        }))
    }

    pub(crate) fn is_made_by(&self, maker: usize) -> bool {
        self.0.maker == maker
    }

    /// A layer further in may know the route that an outer one could not.
    pub(crate) fn refine<B>(&self, request: &mut Request<B>, routes: &Routes) {
        if self.0.route.get().is_none()
            && let Some(route) = routes.certain(request, self.protocol())
        {
            self.set_route(route);
        }
    }

    /// The method, as a bounded name.
    pub fn method(&self) -> KnownMethod {
        self.0.method
    }

    /// The HTTP version of the request.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// HTTP or gRPC.
    pub fn protocol(&self) -> Protocol {
        self.0.protocol
    }

    /// Whether the request came over TLS, as far as can be told and is trusted.
    pub fn is_https(&self) -> bool {
        self.0.https
    }

    /// The other end of the connection, if the host told.
    pub fn peer_address(&self) -> Option<std::net::SocketAddr> {
        self.0.peer
    }

    /// The client's address by the layer's [`Trust`].
    pub fn client_address(&self) -> Option<IpAddr> {
        self.0.client
    }

    /// The route: a template from a bounded set, or [`UNMATCHED`]. Of a gRPC call it is the path of the method if that is known
    /// (see [`Routes`]), or [`OTHER_METHOD`]; a method can become known by the end of its first call.
    pub fn route(&self) -> &str {
        let none = if self.protocol() == Protocol::Grpc { OTHER_METHOD } else { UNMATCHED };
        self.matched_route().unwrap_or(none)
    }

    /// The route, `None` where nothing matched.
    pub fn matched_route(&self) -> Option<&str> {
        self.0.route.get().or(self.0.prefix.as_ref()).map(Route::as_str)
    }

    /// Names the route, unless a certain one is known already. For hosts and middleware that learn it late.
    pub fn set_route(&self, route: Route) {
        if self.0.route.set(route).is_ok() {
            self.0.span.record("route", self.route());
        }
    }

    /// A call that ended with a code of the service's own can tell that its method exists.
    pub(crate) fn learn_method(&self, code: GrpcCode) {
        if self.0.route.get().is_none()
            && let Some(route) = self.0.unknown_method.as_ref().and_then(|method| method.learn(code))
        {
            self.set_route(route);
        }
    }

    /// How long the client of a gRPC call will wait, by `grpc-timeout`; `None` without one, and for HTTP.
    pub fn grpc_timeout(&self) -> Option<Duration> {
        self.0.grpc_timeout
    }

    /// The correlation id, once a correlation layer has seen the request.
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.0.correlation_id.get()
    }

    /// Sets the correlation id. The first one stays.
    pub fn set_correlation_id(&self, id: CorrelationId) -> &CorrelationId {
        let id = self.0.correlation_id.get_or_init(|| id);
        self.0.span.record("correlation_id", id.as_str());
        id
    }

    /// The trace, once a trace layer has seen the request.
    pub fn trace(&self) -> Option<TraceIds> {
        self.0.trace.get().copied()
    }

    /// Sets the trace. The first one stays.
    pub fn set_trace(&self, ids: TraceIds) {
        if self.0.trace.set(ids).is_ok() && !self.0.span.is_disabled() {
            self.0.span.record("trace_id", ids.trace_id_hex().as_str());
            self.0.span.record("span_id", ids.span_id_hex().as_str());
        }
    }

    /// gRPC messages of the request's body that have been read in full so far, where the host's body can be counted (axum's and
    /// tonic's) or is empty; `None` elsewhere, and for HTTP.
    pub fn request_messages(&self) -> Option<u64> {
        if self.protocol() == Protocol::Grpc { self.0.request_size.messages() } else { None }
    }

    /// Bytes of the request's body: those that have been read so far where the host's body can be counted (axum's and tonic's),
    /// else the length that the body promised; `None` if that is unknown.
    pub fn request_bytes(&self) -> Option<u64> {
        self.0.request_size.bytes()
    }

    pub(crate) fn request_size(&self) -> &RequestSize {
        &self.0.request_size
    }

    /// Binds a field to every later log line of this request, whatever task writes it. Binding a name again
    /// replaces its value. At most 32 fields; see [`bound_fields_dropped_total`](crate::bound_fields_dropped_total)
    /// for what is refused. Returns whether the field was taken.
    pub fn bind(&self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> bool {
        self.0.bound.lock().unwrap_or_else(PoisonError::into_inner).bind(name.into(), value.into())
    }

    /// Visits the bound fields in the order they were first bound. Nothing may be bound meanwhile.
    pub fn visit_bound(&self, mut visit: impl FnMut(&str, &Value)) {
        self.0.bound.lock().unwrap_or_else(PoisonError::into_inner).visit(&mut visit);
    }

    /// The ordinary `tracing` span of the request, for subscribers that do not know the record. Its target is
    /// `bartizan::request`; it is disabled where the subscriber filters that out.
    pub fn span(&self) -> &tracing::Span {
        &self.0.span
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        pool::give_back(&mut self.0);
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("method", &self.0.method.as_str())
            .field("route", &self.route())
            .field("correlation_id", &self.correlation_id())
            .field("trace", &self.0.trace.get())
            .finish_non_exhaustive()
    }
}
