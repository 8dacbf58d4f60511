//! On tonic: bare, bartizan, and the peers.

use tonic_tracing_opentelemetry::middleware::server::OtelGrpcLayer;
use tower::layer::util::Identity;
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::Level;

use super::json_lines;
use super::trace::spans_of_tracing;
use crate::job::{Job, Parent};
use crate::stacks::Stack;
use crate::stacks::bartizan::observability;

pub(super) const STACKS: [Stack; 6] = [
    Stack::new("grpc-bare", Parent::None, "bare tonic service", |job| job.grpc(Identity::new())).grpc(),
    Stack::new("grpc-whole", Parent::Sampled, "tonic: whole, sampled", whole).grpc(),
    Stack::new("grpc-whole-out", Parent::SampledOut, "tonic: whole, sampled out", whole).grpc(),
    Stack::new("grpc-trace-layer", Parent::None, "tonic: tower-http TraceLayer, JSON", |job| {
        json_lines();
        let trace = TraceLayer::new_for_grpc().make_span_with(DefaultMakeSpan::new().level(Level::INFO));
        job.grpc(trace.on_response(DefaultOnResponse::new().level(Level::INFO)));
    })
    .grpc(),
    Stack::new("grpc-otel", Parent::Sampled, "tonic: tonic-tracing-opentelemetry, sampled", otel).grpc(),
    Stack::new("grpc-otel-out", Parent::SampledOut, "tonic: tonic-tracing-opentelemetry, sampled out", otel)
        .grpc(),
];

fn whole(job: &Job) {
    job.grpc(observability(job).layer());
}

fn otel(job: &Job) {
    spans_of_tracing();
    job.grpc(OtelGrpcLayer::default());
}
