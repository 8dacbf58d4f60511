//! The spans of the OpenTelemetry layers: by way of `tracing` but for opentelemetry-instrumentation-tower.

use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use bartizan::trace::opentelemetry::global;
use bartizan::trace::opentelemetry::trace::TracerProvider;
use bartizan::trace::opentelemetry_sdk::propagation::TraceContextPropagator;
use bartizan::trace::opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tower::ServiceBuilder;
use tower_otel::trace::HttpLayer;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::metrics::record;
use crate::job::{Job, Parent};
use crate::stacks::Stack;
use crate::stacks::spans::Dropping;

pub(super) const STACKS: [Stack; 5] = [
    Stack::new("axum-tracing-otel", Parent::Sampled, "axum-tracing-opentelemetry, sampled", axum_tracing),
    Stack::new(
        "axum-tracing-otel-out",
        Parent::SampledOut,
        "axum-tracing-opentelemetry, sampled out",
        axum_tracing,
    ),
    Stack::new(
        "otel-instr",
        Parent::Sampled,
        "opentelemetry-instrumentation-tower, metrics and trace",
        |job| {
            record();
            tracer();
            job.http(opentelemetry_instrumentation_tower::http::server::Layer::new());
        },
    ),
    Stack::new("tower-otel", Parent::Sampled, "tower-otel, trace, sampled", tower_otel),
    Stack::new("tower-otel-out", Parent::SampledOut, "tower-otel, trace, sampled out", tower_otel),
];

fn axum_tracing(job: &Job) {
    spans_of_tracing();
    job.http(ServiceBuilder::new().layer(OtelAxumLayer::default()).layer(OtelInResponseLayer));
}

fn tower_otel(job: &Job) {
    spans_of_tracing();
    job.http(HttpLayer::server(Level::INFO));
}

/// A subscriber that makes spans of OpenTelemetry, and no lines.
pub(super) fn spans_of_tracing() {
    let spans = tracing_opentelemetry::layer().with_tracer(tracer());
    tracing_subscriber::registry().with(EnvFilter::new("info,otel::tracing=trace")).with(spans).init();
}

/// A tracer whose spans go through the batch processor; it is the global one.
pub(super) fn tracer() -> SdkTracer {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().with_batch_exporter(Dropping).build();
    global::set_tracer_provider(provider.clone());
    provider.tracer("bench")
}
