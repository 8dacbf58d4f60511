//! The layer and its settings.

use std::fmt;

use bartizan_core::{Observe, ObserveLayer, Settings};
use bartizan_mask::Masker;
use opentelemetry_sdk::trace::SdkTracer;
use tower_layer::Layer;

use super::observer::Trace;
use crate::Propagation;

/// In which response header the caller is told of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TraceHeader {
    /// None.
    None,
    /// `x-trace-id` with the trace id. The default.
    #[default]
    XTraceId,
    /// `traceresponse`, as the draft of W3C Trace Context level 2 has it.
    TraceResponse,
    /// `server-timing: trace;desc=..`, which browsers show and scripts can read.
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
pub struct TraceLayer {
    trace: Trace,
    settings: Settings,
}

impl TraceLayer {
    /// Spans are made by this tracer; W3C context is believed; `x-trace-id` tells the caller.
    pub fn new(tracer: SdkTracer) -> Self {
        Self { trace: Trace::new(Some(tracer)), settings: Settings::default() }
    }

    /// Records nothing, but passes the caller's context on as it came, and makes ids for the logs where there is none.
    pub fn propagate_only() -> Self {
        Self { trace: Trace::new(None), settings: Settings::default() }
    }

    /// Which context is read and whether it is believed.
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.trace.set().propagation = propagation;
        self
    }

    /// How the caller is told of the trace.
    pub fn response_header(mut self, header: TraceHeader) -> Self {
        self.trace.set().header = header;
        self
    }

    /// What masks `url.path` and `url.query`. Default: the masker's default names.
    pub fn masker(mut self, masker: Masker) -> Self {
        self.trace.set().masker = masker;
        self
    }

    /// How routes and clients are found, where this is the outermost bartizan layer.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer`].
    pub fn into_observer(self) -> Trace {
        self.trace
    }
}

impl fmt::Debug for TraceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Observe<S, Trace>;

    fn layer(&self, inner: S) -> Self::Service {
        ObserveLayer::with_settings(self.trace.clone(), self.settings.clone()).layer(inner)
    }
}
