//! The layer and its settings.

use std::fmt;

use bartizan_core::{Observe, ObserveLayer, Settings};
use bartizan_mask::Masker;
use opentelemetry_sdk::trace::{Sampler, SdkTracer};
use tower_layer::Layer;

use super::observer::Trace;
use crate::{Propagation, SetupError};

/// In which response header the caller is told of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TraceHeader {
    /// None.
    None,
    /// `x-trace-id` with the trace id. The default.
    #[default]
    XTraceId,
    /// `traceresponse`, as the draft of W3C Trace Context level 3 has it.
    TraceResponse,
    /// `server-timing: trace;desc=..`, which browsers show and scripts can read, beside timings of the service's own.
    ServerTiming,
}

/// A tower layer that makes a server span of every request; see the [module's documentation](crate::server).
///
/// ```
/// use bartizan_trace::opentelemetry::trace::TracerProvider;
/// use bartizan_trace::opentelemetry_sdk::trace::SdkTracerProvider;
/// use bartizan_trace::{Propagation, TraceHeader, TraceLayer};
///
/// let tracer = SdkTracerProvider::builder().build().tracer("shop");
/// let edge = TraceLayer::new(tracer)
///     .propagation(Propagation::new().untrusted())
///     .response_header(TraceHeader::ServerTiming);
/// ```
#[derive(Clone)]
#[must_use]
pub struct TraceLayer(ObserveLayer<Trace>);

impl TraceLayer {
    /// Spans are made by this tracer; W3C context is believed; `x-trace-id` tells the caller.
    pub fn new(tracer: SdkTracer) -> Self {
        Self(ObserveLayer::new(Trace::new(Some(tracer))))
    }

    /// Records nothing, but passes the caller's context on as it came, and makes ids for the logs where there is none. Calls that go
    /// out take those along as not sampled, so that callees that follow their caller's decision record nothing either.
    pub fn propagate_only() -> Self {
        Self(ObserveLayer::new(Trace::new(None)))
    }

    /// Which formats of context are read, and whether it is believed.
    pub fn propagation(self, propagation: Propagation) -> Self {
        Self(self.0.changed(|trace, _| trace.propagation = propagation))
    }

    /// Reads `OTEL_PROPAGATORS`, from the environment or elsewhere. If it is set, its formats replace those of
    /// [`propagation`](Self::propagation); whether callers are believed stays.
    ///
    /// ```
    /// use bartizan_trace::{Propagation, TraceLayer};
    ///
    /// let edge = TraceLayer::propagate_only().propagation(Propagation::new().untrusted());
    /// let edge = edge.read_vars(|name| std::env::var(name).ok())?;
    /// # Ok::<(), bartizan_trace::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Propagation::read_env`].
    pub fn read_vars(self, vars: impl Fn(&str) -> Option<String>) -> Result<Self, SetupError> {
        let propagation = self.0.observer().propagation.read_vars(vars)?;
        Ok(self.propagation(propagation))
    }

    /// Tells the layer of the sampler that the tracer's provider has. Requests that it is certain to drop then cost less; nothing
    /// else changes.
    pub fn sampler(self, sampler: Sampler) -> Self {
        Self(self.0.changed(|trace, _| trace.sampler = Some(sampler)))
    }

    /// How the caller is told of the trace.
    pub fn response_header(self, header: TraceHeader) -> Self {
        Self(self.0.changed(|trace, _| trace.header = header))
    }

    /// What masks `url.path` and `url.query`. Default: the masker's default names.
    pub fn masker(self, masker: Masker) -> Self {
        Self(self.0.changed(|trace, _| trace.masker = masker))
    }

    /// How routes and clients are found, where this is the outermost bartizan layer.
    pub fn settings(self, settings: Settings) -> Self {
        Self(self.0.changed(|_, own| *own = settings))
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer`].
    pub fn observer(&self) -> Trace {
        self.0.observer().clone()
    }
}

impl fmt::Debug for TraceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceLayer").field(&self.0).finish()
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Observe<S, Trace>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
