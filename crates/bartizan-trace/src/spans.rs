//! Spans of the `tracing` macros as children of the server span.

use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Level, Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{FilterFn, Filtered, LevelFilter, filter_fn};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// What [`span_layer`] returns.
pub type SpanLayer<S> = Filtered<OpenTelemetryLayer<S, SdkTracer>, FilterFn, S>;

/// A layer that makes an OpenTelemetry span of every `tracing` span of level INFO and above. Inside a request they become children of
/// its server span; the request's own `tracing` span is left out, because the server span is it.
///
/// Events stay with the log, where they carry the same ids.
///
/// ```
/// use bartizan_trace::opentelemetry::trace::TracerProvider;
/// use bartizan_trace::opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let spans = InMemorySpanExporter::default();
/// let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
/// let subscriber = tracing_subscriber::registry().with(bartizan_trace::span_layer(provider.tracer("shop")));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info_span!("charge", order = 17).in_scope(|| {});
/// });
/// assert_eq!(spans.get_finished_spans().unwrap()[0].name, "charge");
/// ```
pub fn span_layer<S>(tracer: SdkTracer) -> SpanLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let wanted: fn(&Metadata<'_>) -> bool = |metadata| {
        metadata.is_span() && *metadata.level() <= Level::INFO && metadata.target() != "bartizan::request"
    };
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Without the hint every `debug!` and `trace!` of the process would be asked about.
        .with_filter(filter_fn(wanted).with_max_level_hint(LevelFilter::INFO))
}
