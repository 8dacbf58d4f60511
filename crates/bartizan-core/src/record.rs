//! The request record: what is known of a request, shared by handlers, observers and log lines.

mod outbound;
mod reuse;
mod trace;

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Request, Version};
use http_body::Body;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

pub(crate) use self::reuse::Left;
use self::trace::TraceCell;
use crate::client::{PeerAddress, Trust};
use crate::context::Context;
use crate::fields::Fields;
use crate::grpc::{GrpcCode, Protocol, timeout};
use crate::ids::{CorrelationId, TraceIds};
use crate::method::KnownMethod;
use crate::request_body::RequestSize;
use crate::route::{OTHER_METHOD, Route, Routes, UNMATCHED, UnknownMethod};
use crate::value::Value;

/// What is known of one request. The outermost bartizan layer makes it; layers further in, handlers and every log line
/// share it. Cloning it counts a reference.
///
/// ```
/// use bartizan_core::Record;
///
/// fn handler(request: &http::Request<()>) {
///     if let Some(record) = Record::of(request) {
///         record.bind("tenant_id", "acme");
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Record(Arc<Inner>);

struct Inner {
    facts: Facts,
    /// The route that was known at the start: certain, or by prefix.
    route: Option<Route>,
    late_route: OnceLock<Route>,
    /// A gRPC method that nobody knows yet.
    unknown_method: Option<UnknownMethod>,
    /// By which the request is known, where the record is not left with it.
    path: Option<PathAndQuery>,
    correlation_id: OnceLock<CorrelationId>,
    trace: TraceCell,
    request_size: RequestSize,
    bound: Mutex<Fields>,
    span: Span,
}

/// What is certain when the record is made.
#[derive(Clone, Copy, Debug)]
struct Facts {
    /// The address of the layer that made the record: it tells that one apart while the request is under way.
    maker: usize,
    method: KnownMethod,
    version: Version,
    protocol: Protocol,
    https: bool,
    peer: Option<SocketAddr>,
    client: Option<IpAddr>,
    inbound: bool,
    /// Whether the route at the start is more than a prefix's.
    routed: bool,
    grpc_timeout: Option<Duration>,
}

impl Record {
    /// The record of a request that a bartizan layer further out has seen: in the request's extensions, where an observer
    /// [shares](crate::Observer::shares_record) it, or that of the [current context](Context), where this is its request.
    #[inline]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        if let Some(record) = request.extensions().get::<Self>() {
            return Some(record.clone());
        }
        // One that is not left with its request is current.
        Context::with_current(|current| current.record().filter(|record| record.is_of(request)).cloned())?
    }

    /// Whether this is the same request further in, where a router may have taken the beginning off its path.
    fn is_of<B>(&self, request: &Request<B>) -> bool {
        let path =
            |uri: &PathAndQuery| self.0.path.as_ref().is_some_and(|own| own.path().ends_with(uri.path()));
        self.method() == KnownMethod::of(request.method()) && request.uri().path_and_query().is_some_and(path)
    }

    /// Makes the record of a request that no layer has seen yet, and leaves it with the request if it is to be shared.
    pub(crate) fn make<B: Body + 'static>(
        request: &mut Request<B>,
        routes: &Routes,
        trust: &Trust,
        maker: usize,
        shared: bool,
        left: Left,
    ) -> Self {
        let method = KnownMethod::of(request.method());
        let peer = PeerAddress::of(request.extensions());
        let peer_ip = peer.map(|peer| peer.ip());
        let protocol = match Protocol::of_request(method, request.headers()) {
            // Whoever asks can claim it: what is no route of methods does not serve them.
            Protocol::Grpc
                if Route::matched(request.extensions()).is_some_and(|route| !route.may_be_methods()) =>
            {
                Protocol::Http
            }
            protocol => protocol,
        };
        let is_grpc = protocol == Protocol::Grpc;
        let mut route = routes.certain(request, protocol);
        let is_certain = route.is_some();
        let span = span_of(method, route.as_ref());
        let mut unknown_method = None;
        if !is_certain && is_grpc {
            unknown_method = routes.unknown_method(request.uri());
        } else if !is_certain {
            route = routes.by_prefix(request.uri().path());
        }
        let facts = Facts {
            maker,
            method,
            version: request.version(),
            protocol,
            https: trust.is_https(peer_ip, request.uri(), request.headers()),
            peer,
            client: trust.client(peer_ip, request.headers()),
            inbound: true,
            routed: is_certain,
            grpc_timeout: if is_grpc { timeout::of(request.headers()) } else { None },
        };
        let record = Self::with(left, facts, RequestSize::of(request.body()), |inner| {
            inner.route = route;
            inner.unknown_method = unknown_method;
            inner.span = span;
            if !shared {
                inner.path = request.uri().path_and_query().cloned();
            }
        });
        if shared {
            request.extensions_mut().insert(record.clone());
        }
        record
    }

    /// Leaves the record with the request, where no layer further out has.
    pub(crate) fn share<B>(&self, request: &mut Request<B>) {
        if request.extensions().get::<Self>().is_none() {
            request.extensions_mut().insert(self.clone());
        }
    }

    #[inline]
    pub(crate) fn is_made_by(&self, maker: usize) -> bool {
        self.0.facts.maker == maker
    }

    /// A layer further in may know the route that an outer one could not.
    pub(crate) fn refine<B>(&self, request: &mut Request<B>, routes: &Routes) {
        if !self.is_routed()
            && let Some(route) = routes.certain(request, self.protocol())
        {
            self.set_route(route);
        }
    }

    /// The method, as a bounded name.
    #[inline]
    pub fn method(&self) -> KnownMethod {
        self.0.facts.method
    }

    /// The HTTP version of the request.
    #[inline]
    pub fn version(&self) -> Version {
        self.0.facts.version
    }

    /// HTTP or gRPC.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.0.facts.protocol
    }

    /// Whether the request came over TLS, as far as can be told and is trusted.
    #[inline]
    pub fn is_https(&self) -> bool {
        self.0.facts.https
    }

    /// The other end of the connection, if the host told.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.0.facts.peer
    }

    /// The client's address by the layer's [`Trust`].
    #[inline]
    pub fn client_address(&self) -> Option<IpAddr> {
        self.0.facts.client
    }

    /// The route: a template from a bounded set, or [`UNMATCHED`]. Of a gRPC call it is the path of the method if that is known
    /// (see [`Routes`]), or [`OTHER_METHOD`]; a method can become known by the end of its first call.
    #[inline]
    pub fn route(&self) -> &str {
        let none = if self.protocol() == Protocol::Grpc { OTHER_METHOD } else { UNMATCHED };
        self.matched_route().unwrap_or(none)
    }

    /// The route, `None` where nothing matched.
    #[inline]
    pub fn matched_route(&self) -> Option<&str> {
        self.0.late_route.get().or(self.0.route.as_ref()).map(Route::as_str)
    }

    /// Names the route, unless a certain one is known already. For hosts and middleware that learn it late.
    pub fn set_route(&self, route: Route) {
        if !self.is_routed() && self.0.late_route.set(route).is_ok() {
            self.0.span.record("route", self.route());
        }
    }

    /// Whether the route stays as it is: that of a prefix, or none, gives way to one that is found further in.
    ///
    /// ```
    /// use bartizan_core::Record;
    ///
    /// /// Says the route where it is certain, and else waits for the end.
    /// fn label(record: &Record) -> Option<&str> {
    ///     record.matched_route().filter(|_| record.is_routed())
    /// }
    /// ```
    #[inline]
    pub fn is_routed(&self) -> bool {
        self.0.facts.routed || self.0.late_route.get().is_some()
    }

    /// A call that ended with a code of the service's own can tell that its method exists.
    pub(crate) fn learn_method(&self, code: GrpcCode) {
        if !self.is_routed()
            && let Some(route) = self.0.unknown_method.as_ref().and_then(|method| method.learn(code))
        {
            self.set_route(route);
        }
    }

    /// How long the client of a gRPC call will wait, by `grpc-timeout`; `None` without one, and for HTTP.
    pub fn grpc_timeout(&self) -> Option<Duration> {
        self.0.facts.grpc_timeout
    }

    /// The correlation id, once a correlation layer has seen the request.
    #[inline]
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.0.correlation_id.get()
    }

    /// Sets the correlation id. The first one stays.
    pub fn set_correlation_id(&self, id: CorrelationId) -> &CorrelationId {
        let id = self.0.correlation_id.get_or_init(|| id);
        if !self.0.span.is_disabled() {
            self.0.span.record("correlation_id", id.as_str());
        }
        id
    }

    /// The trace, once a trace layer has seen the request.
    #[inline]
    pub fn trace(&self) -> Option<TraceIds> {
        self.0.trace.get()
    }

    /// Sets the trace. The first one stays.
    pub fn set_trace(&self, ids: TraceIds) {
        if self.0.trace.set(ids) && !self.0.span.is_disabled() {
            self.0.span.record("trace_id", ids.trace_id_hex().as_str());
            self.0.span.record("span_id", ids.span_id_hex().as_str());
        }
    }

    /// gRPC messages of the request's body that have been read in full so far, where the host's body can be counted (axum's and
    /// tonic's) or is empty; `None` elsewhere, and for HTTP.
    #[inline]
    pub fn request_messages(&self) -> Option<u64> {
        if self.protocol() == Protocol::Grpc { self.0.request_size.messages() } else { None }
    }

    /// Bytes of the request's body: those that have been read so far where the host's body can be counted (axum's and tonic's),
    /// else the length that the body promised; `None` if that is unknown.
    #[inline]
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
    #[inline]
    pub fn span(&self) -> &Span {
        &self.0.span
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("method", &self.method().as_str())
            .field("route", &self.route())
            .field("correlation_id", &self.correlation_id())
            .field("trace", &self.0.trace.get())
            .finish_non_exhaustive()
    }
}

/// The ordinary span of a request.
fn span_of(method: KnownMethod, route: Option<&Route>) -> Span {
    // Without a subscriber, the macro would hand its fields to the `log` crate.
    if LevelFilter::current() < Level::INFO {
        return Span::none();
    }
    tracing::info_span!(
        target: "bartizan::request",
        "request",
        method = method.as_str(),
        route = route.map(Route::as_str),
        correlation_id = Empty,
        trace_id = Empty,
        span_id = Empty,
    )
}
