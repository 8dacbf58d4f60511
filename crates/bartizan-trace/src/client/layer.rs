//! The layer and its settings.

use std::fmt;

use bartizan_core::{Observe, ObserveLayer, Routes};
use bartizan_mask::Masker;
use opentelemetry_sdk::trace::{Sampler, SdkTracer};
use tower_layer::Layer;

use super::observer::ClientTrace;
use crate::{Propagation, TraceLayer};

/// A tower layer for clients that makes a span of every call and carries the trace on; see the
/// [module's documentation](crate::client).
///
/// ```
/// use bartizan_trace::ClientTraceLayer;
/// use bartizan_trace::Propagation;
/// use bartizan_trace::opentelemetry::trace::TracerProvider;
/// use bartizan_trace::opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let tracer = SdkTracerProvider::builder().build().tracer("shop");
/// // What is told to strangers: the trace, and no baggage.
/// let outward = ClientTraceLayer::new(tracer).propagation(Propagation::new().without_baggage());
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClientTraceLayer(ObserveLayer<ClientTrace>);

impl ClientTraceLayer {
    /// Spans are made by this tracer; W3C context and baggage go along.
    pub fn new(tracer: SdkTracer) -> Self {
        Self(ObserveLayer::client(ClientTrace::new(Some(tracer))))
    }

    /// Records nothing, but passes the current context on, and makes ids where there is none.
    pub fn propagate_only() -> Self {
        Self(ObserveLayer::client(ClientTrace::new(None)))
    }

    /// Which headers are written.
    pub fn propagation(self, propagation: Propagation) -> Self {
        Self(self.0.changed(|trace, _| trace.propagation = propagation))
    }

    /// Tells the layer of the sampler that the tracer's provider has. Calls that it is certain to drop then cost less; nothing
    /// else changes.
    pub fn sampler(self, sampler: Sampler) -> Self {
        Self(self.0.changed(|trace, _| trace.sampler = Some(sampler)))
    }

    /// What masks `url.full`. Default: the masker's default names.
    pub fn masker(self, masker: Masker) -> Self {
        Self(self.0.changed(|trace, _| trace.masker = masker))
    }

    /// How the templates of URLs are found: by a function, or by prefixes of the path. Default: not at all.
    ///
    /// ```
    /// use bartizan_core::Routes;
    /// use bartizan_trace::ClientTraceLayer;
    ///
    /// let templates = Routes::new().prefix("/items/{id}")?;
    /// let layer = ClientTraceLayer::propagate_only().templates(templates);
    /// # Ok::<(), bartizan_core::RouteError>(())
    /// ```
    pub fn templates(self, templates: Routes) -> Self {
        Self(self.0.changed(|_, settings| settings.routes = templates))
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer::client`].
    pub fn observer(&self) -> ClientTrace {
        self.0.observer().clone()
    }
}

impl TraceLayer {
    /// The layer for the calls that this service makes: the same tracer, sampler, propagation and masker.
    ///
    /// ```
    /// use bartizan_trace::TraceLayer;
    ///
    /// let client = TraceLayer::propagate_only().client();
    /// ```
    pub fn client(&self) -> ClientTraceLayer {
        ClientTraceLayer(ObserveLayer::client(self.observer().client()))
    }
}

impl fmt::Debug for ClientTraceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientTraceLayer").field(&self.0).finish()
    }
}

impl<S> Layer<S> for ClientTraceLayer {
    type Service = Observe<S, ClientTrace>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
