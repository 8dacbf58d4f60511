//! Interceptors for tonic services and clients that stack no layer.
//!
//! A tonic server takes the whole stack by `Server::builder().layer(observability.layer())`; it needs nothing of this. Where there is no
//! layer, [`ServerInterceptor`] still gives every call its correlation id and trace, and [`ClientInterceptor`] sends them on. An
//! interceptor sees no response: it logs, counts and echoes nothing.
//!
//! ```
//! use bartizan::grpc::{ClientInterceptor, ServerInterceptor};
//! use tonic::service::Interceptor;
//!
//! // For `EchoServer::with_interceptor(echo, ServerInterceptor::new())`.
//! let mut incoming = tonic::Request::new(());
//! incoming.metadata_mut().insert("x-correlation-id", "<script>".parse()?);
//! let incoming = ServerInterceptor::new().call(incoming)?;
//! let id = incoming.extensions().get::<bartizan::core::CorrelationId>().unwrap().clone();
//! assert_ne!(id.as_str(), "<script>");
//!
//! // For `EchoClient::with_interceptor(channel, ClientInterceptor::new())`.
//! let mut outgoing = tonic::Request::new(());
//! outgoing.extensions_mut().insert(id.clone());
//! let outgoing = ClientInterceptor::new().call(outgoing)?;
//! assert_eq!(outgoing.metadata().get("x-correlation-id").unwrap().to_str()?, id.as_str());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bartizan_core::{Context, CorrelationId, Record};
use bartizan_correlation::{Correlation, CorrelationLayer};
use bartizan_trace::Propagation;
use bartizan_trace::opentelemetry::Context as TraceContext;
use bartizan_trace::opentelemetry::trace::TraceContextExt;
use http::HeaderMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// What both interceptors carry, and how.
#[derive(Clone, Debug)]
struct Carried {
    correlation: Correlation,
    propagation: Propagation,
}

impl Default for Carried {
    fn default() -> Self {
        Self { correlation: CorrelationLayer::new().observer(), propagation: Propagation::new() }
    }
}

/// Puts a [`CorrelationId`] and a [`TraceContext`] into the extensions of every call. A hostile id is replaced, also in the metadata, and
/// a malformed trace by a new one. Inside of a layer of bartizan's the call has both already: those stay.
///
/// ```
/// use bartizan::correlation::CorrelationLayer;
/// use bartizan::grpc::ServerInterceptor;
///
/// let interceptor = ServerInterceptor::new().correlation(&CorrelationLayer::request_id());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ServerInterceptor(Carried);

impl ServerInterceptor {
    /// Ids travel in `x-correlation-id`, traces as W3C has it; both are believed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes header, kind and trust from this layer.
    pub fn correlation(mut self, layer: &CorrelationLayer) -> Self {
        self.0.correlation = layer.observer();
        self
    }

    /// Which trace context is read and whether it is believed.
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.0.propagation = propagation;
        self
    }
}

impl Interceptor for ServerInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let known = request.extensions().get::<Record>().and_then(Record::correlation_id).cloned();
        let id = known.unwrap_or_else(|| self.0.correlation.id_for(request.metadata().as_ref()));
        let current = TraceContext::current();
        let context = if current.has_active_span() {
            current
        } else {
            self.0.propagation.extract(request.metadata().as_ref()).attach_or_make(&current)
        };
        let headers: &mut HeaderMap = request.metadata_mut().as_mut();
        headers.insert(self.0.correlation.header().clone(), id.header_value().clone());
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(context);
        Ok(request)
    }
}

/// Sends the correlation id and the trace on: those in the outgoing request's extensions (a [`CorrelationId`], a [`TraceContext`]), else
/// those of the request that is being worked on. An id that the metadata has already stays.
///
/// ```
/// use bartizan::grpc::ClientInterceptor;
///
/// let interceptor = ClientInterceptor::new();
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ClientInterceptor(Carried);

impl ClientInterceptor {
    /// Ids travel in `x-correlation-id`, traces as W3C has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the header from this layer.
    pub fn correlation(mut self, layer: &CorrelationLayer) -> Self {
        self.0.correlation = layer.observer();
        self
    }

    /// How trace context is written.
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.0.propagation = propagation;
        self
    }
}

impl Interceptor for ClientInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let id = request.extensions().get::<CorrelationId>().cloned().or_else(current_id);
        let context = request.extensions().get::<TraceContext>().cloned();
        let headers: &mut HeaderMap = request.metadata_mut().as_mut();
        if let (Some(id), false) = (id, headers.contains_key(self.0.correlation.header())) {
            headers.insert(self.0.correlation.header().clone(), id.header_value().clone());
        }
        self.0.propagation.inject(&context.unwrap_or_else(TraceContext::current), headers);
        Ok(request)
    }
}

fn current_id() -> Option<CorrelationId> {
    Context::with_current(|context| context.record()?.correlation_id().cloned()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn incoming(pairs: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::new(());
        for (name, value) in pairs {
            request.metadata_mut().append(*name, value.parse().unwrap());
        }
        ServerInterceptor::new().call(request).unwrap()
    }

    fn id(request: &Request<()>) -> &str {
        request.extensions().get::<CorrelationId>().unwrap().as_str()
    }

    fn text<'a>(request: &'a Request<()>, name: &str) -> &'a str {
        request.metadata().get(name).unwrap().to_str().unwrap()
    }

    #[test]
    fn good_ids_and_traces_are_taken_over() {
        let request = incoming(&[("x-correlation-id", "order-17"), ("traceparent", PARENT)]);
        assert_eq!(id(&request), "order-17");
        let context = request.extensions().get::<TraceContext>().unwrap();
        let trace = context.span().span_context().clone();
        assert_eq!(trace.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(trace.is_sampled() && trace.is_remote());
    }

    #[test]
    fn bad_ones_are_replaced() {
        for pairs in [
            &[("x-correlation-id", "a b"), ("traceparent", "00-zz")][..],
            &[("x-correlation-id", "one"), ("x-correlation-id", "two")],
            &[],
        ] {
            let request = incoming(pairs);
            assert_eq!(id(&request).len(), 36, "{pairs:?}");
            assert_eq!(text(&request, "x-correlation-id"), id(&request));
            assert_eq!(request.metadata().get_all("x-correlation-id").iter().count(), 1);
            let context = request.extensions().get::<TraceContext>().unwrap();
            assert!(context.span().span_context().is_valid());
        }
    }

    #[test]
    fn what_came_in_goes_out_again() {
        let served = incoming(&[("x-correlation-id", "order-17"), ("traceparent", PARENT)]);
        let mut request = Request::new(());
        *request.extensions_mut() = served.extensions().clone();
        let request = ClientInterceptor::new().call(request).unwrap();
        assert_eq!(text(&request, "x-correlation-id"), "order-17");
        assert_eq!(text(&request, "traceparent"), PARENT);
    }

    #[test]
    fn without_a_request_nothing_is_sent_and_an_own_id_stays() {
        let request = ClientInterceptor::new().call(Request::new(())).unwrap();
        assert!(request.metadata().is_empty());
        let mut own = Request::new(());
        own.metadata_mut().insert("x-correlation-id", "own".parse().unwrap());
        own.extensions_mut().insert(incoming(&[]).extensions().get::<CorrelationId>().unwrap().clone());
        assert_eq!(text(&ClientInterceptor::new().call(own).unwrap(), "x-correlation-id"), "own");
    }
}
