//! The same job as the whole of bartizan, composed of what there is.

use axum_prometheus::PrometheusMetricLayer;
use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use http::header::{AUTHORIZATION, COOKIE};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::trace::tracer;
use super::trace_layer::spanned;
use crate::job::{Job, Parent};
use crate::stacks::Stack;

pub(super) const STACKS: [Stack; 2] = [
    Stack::new("peers-whole", Parent::Sampled, "the peers' whole, as documented", |job| {
        let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::sink);
        let spans = tracing_opentelemetry::layer().with_tracer(tracer());
        let filter = EnvFilter::new("info,otel::tracing=trace");
        tracing_subscriber::registry().with(filter).with(lines).with(spans).init();
        composed(job);
    }),
    Stack::new("peers-whole-tuned", Parent::Sampled, "the peers' whole, as an expert tunes it", |job| {
        // Lines never see the span of OpenTelemetry, nor OpenTelemetry that of TraceLayer.
        let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::sink);
        let lines = lines.with_filter(filter_fn(|metadata| {
            metadata.target() != "otel::tracing" && *metadata.level() <= Level::INFO
        }));
        let spans = tracing_opentelemetry::layer().with_tracer(tracer());
        let spans = spans.with_filter(filter_fn(|metadata| metadata.target() == "otel::tracing"));
        tracing_subscriber::registry().with(lines).with(spans).init();
        composed(job);
    }),
];

fn composed(job: &Job) {
    let (metrics, _handle) = PrometheusMetricLayer::pair();
    let layers = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION, COOKIE]))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(OtelAxumLayer::default())
        .layer(OtelInResponseLayer)
        .layer(spanned())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(metrics)
        .layer(CatchPanicLayer::new());
    job.http(layers);
}
