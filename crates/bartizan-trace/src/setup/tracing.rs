//! What is running once the settings are built.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use super::Protocol;
use crate::TraceLayer;
use crate::conventions::SCHEMA_URL;
use crate::export::Counts;

/// Tracing as it was set up: gives tracers, flushes, shuts down.
///
/// ```
/// use bartizan_trace::TraceSettings;
///
/// let tracing = TraceSettings::new().build()?;
/// assert!(tracing.tracer().is_none(), "without an endpoint there is nothing to record for");
/// assert_eq!(tracing.status().to_string(), "off, because there is no endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)");
/// # Ok::<(), bartizan_trace::SetupError>(())
/// ```
///
/// # Shutdown
///
/// Call [`shutdown`](Self::shutdown) at the end: what still waits is lost when the process exits.
/// Exporting needs nothing from the caller's runtime, so calling it on a tokio thread, even the only
/// one, blocks that thread for the given time at most and never for good.
pub struct Tracing {
    provider: Option<SdkTracerProvider>,
    sampler: Option<Sampler>,
    counts: Arc<Counts>,
    status: TraceStatus,
    resource: Resource,
}

impl Tracing {
    pub(super) fn on(
        provider: SdkTracerProvider,
        sampler: Sampler,
        counts: Arc<Counts>,
        status: TraceStatus,
        resource: Resource,
    ) -> Self {
        Self { provider: Some(provider), sampler: Some(sampler), counts, status, resource }
    }

    pub(super) fn off(reason: &'static str, resource: Resource) -> Self {
        let status = TraceStatus::Off { reason };
        Self { provider: None, sampler: None, counts: Arc::default(), status, resource }
    }

    /// What produces the spans, and would where tracing is off: service, instance, host, and what `OTEL_RESOURCE_ATTRIBUTES` adds.
    ///
    /// ```
    /// use bartizan_trace::TraceSettings;
    ///
    /// let tracing = TraceSettings::new().service_name("orders").build()?;
    /// assert!(tracing.resource().any(|(name, value)| (name, &*value) == ("service.name", "orders")));
    /// # Ok::<(), bartizan_trace::SetupError>(())
    /// ```
    pub fn resource(&self) -> impl Iterator<Item = (&str, String)> {
        self.resource.iter().map(|(name, value)| (name.as_str(), value.to_string()))
    }

    /// Whether spans are recorded at all.
    pub fn is_enabled(&self) -> bool {
        self.provider.is_some()
    }

    /// What was set up, for a start-up message or a status page; no secrets.
    pub fn status(&self) -> &TraceStatus {
        &self.status
    }

    /// The SDK's provider, `None` if tracing is off.
    pub fn provider(&self) -> Option<&SdkTracerProvider> {
        self.provider.as_ref()
    }

    /// The tracer of this crate's own spans, `None` if tracing is off. It is cheap to clone.
    pub fn tracer(&self) -> Option<SdkTracer> {
        let scope = InstrumentationScope::builder("bartizan")
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(SCHEMA_URL)
            .build();
        self.provider.as_ref().map(|provider| provider.tracer_with_scope(scope))
    }

    /// The server layer for this set-up; it only passes context on if tracing is off.
    pub fn layer(&self) -> TraceLayer {
        match (self.tracer(), self.sampler.clone()) {
            (Some(tracer), Some(sampler)) => TraceLayer::new(tracer).sampler(sampler),
            _ => TraceLayer::propagate_only(),
        }
    }

    /// What has become of the spans so far.
    pub fn counts(&self) -> SpanCounts {
        self.counts.snapshot()
    }

    /// Reads [`counts`](Self::counts) whenever it is called, for a metrics exporter that outlives this value.
    pub fn counts_reader(&self) -> impl Fn() -> SpanCounts + Clone + Send + Sync + 'static {
        let counts = Arc::clone(&self.counts);
        move || counts.snapshot()
    }

    /// Sends what is waiting, and blocks until it is sent, for five seconds at most.
    ///
    /// # Errors
    ///
    /// [`FlushError`] if some of it was not sent.
    pub fn force_flush(&self) -> Result<(), FlushError> {
        self.watch(|provider| drop(provider.force_flush()))
    }

    /// Sends what is waiting, and stops. Blocks for `timeout` at most; what is not sent by then is
    /// lost. Spans that end later are ignored. A second call does nothing.
    ///
    /// # Errors
    ///
    /// [`FlushError`] if some spans were not sent.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        let result = self.watch(|provider| drop(provider.shutdown_with_timeout(timeout)));
        self.counts.abandon();
        result
    }

    /// Runs a flush and judges it by what became of the spans: the SDK reports less.
    fn watch(&self, flush: impl FnOnce(&SdkTracerProvider)) -> Result<(), FlushError> {
        let Some(provider) = &self.provider else { return Ok(()) };
        let (failed, started) = (self.counts().failed, Instant::now());
        flush(provider);
        let counts = self.counts();
        match counts.failed - failed + counts.waiting {
            0 => Ok(()),
            spans => Err(FlushError { spans, waited: started.elapsed() }),
        }
    }
}

/// Whether and where spans are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceStatus {
    /// To a collector.
    Exporting {
        /// How.
        protocol: Protocol,
        /// Scheme, host and port.
        endpoint: String,
    },
    /// Only to what [`customize`](super::TraceSettings::customize) has added.
    Custom,
    /// Nowhere; no span is recorded.
    Off {
        /// Why.
        reason: &'static str,
    },
}

impl fmt::Display for TraceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exporting { protocol, endpoint } => write!(f, "spans go to {endpoint} by {protocol}"),
            Self::Custom => f.write_str("spans go to the application's own processors"),
            Self::Off { reason } => write!(f, "off, because {reason}"),
        }
    }
}

/// What has become of the sampled spans that ended in this process.
///
/// Counts the way to the collector only, not processors that the application has added.
///
/// ```
/// let tracing = bartizan_trace::TraceSettings::new().build()?;
/// let counts = tracing.counts();
/// assert_eq!(counts.exported + counts.failed + counts.dropped + counts.waiting, 0);
/// # Ok::<(), bartizan_trace::SetupError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanCounts {
    /// Taken by the collector. Spans that it rejects in an answer of partial success are among them: the SDK does not tell.
    pub exported: u64,
    /// In a batch that the collector refused or did not answer in time, or that came too late for
    /// the shutdown.
    pub failed: u64,
    /// Dropped because the queue was full.
    pub dropped: u64,
    /// In the queue or on the way.
    pub waiting: u64,
}

/// Spans were not sent: the collector was down, refused them, or took too long.
#[derive(Debug, thiserror::Error)]
#[error("{spans} spans were not sent within {waited:?}; see that the collector answers, or allow more time")]
#[non_exhaustive]
pub struct FlushError {
    /// How many.
    pub spans: u64,
    /// How long the call took.
    pub waited: Duration,
}

// The resource's attributes may be nobody's business.
impl fmt::Debug for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracing").field("status", &self.status).finish_non_exhaustive()
    }
}
