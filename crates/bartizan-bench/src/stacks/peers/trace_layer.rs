//! tower-http's TraceLayer with tracing-subscriber's JSON.

use http::header::{AUTHORIZATION, COOKIE};
use tower::ServiceBuilder;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, HttpMakeClassifier, TraceLayer};
use tracing::Level;

use super::json_lines;
use crate::job::{Job, Parent};
use crate::stacks::Stack;

pub(super) const STACKS: [Stack; 3] = [
    Stack::new("trace-layer", Parent::None, "tower-http TraceLayer, JSON: status and latency", |job| {
        json_lines();
        job.http(TraceLayer::new_for_http().on_response(on_response()));
    }),
    Stack::new(
        "trace-layer-span",
        Parent::None,
        "tower-http TraceLayer, JSON: with method, URI, version",
        |job| {
            json_lines();
            job.http(spanned());
        },
    ),
    Stack::new(
        "trace-layer-headers",
        Parent::None,
        "tower-http TraceLayer, JSON: with masked headers",
        headers,
    ),
];

fn on_response() -> DefaultOnResponse {
    DefaultOnResponse::new().level(Level::INFO)
}

/// With its span at INFO, so that the line has what is on it.
pub(super) fn spanned() -> TraceLayer<HttpMakeClassifier> {
    let span = DefaultMakeSpan::new().level(Level::INFO);
    TraceLayer::new_for_http().make_span_with(span).on_response(on_response())
}

fn headers(job: &Job) {
    json_lines();
    let span = DefaultMakeSpan::new().level(Level::INFO).include_headers(true);
    let trace = TraceLayer::new_for_http().make_span_with(span).on_response(on_response());
    let masked = SetSensitiveRequestHeadersLayer::new([AUTHORIZATION, COOKIE]);
    job.http(ServiceBuilder::new().layer(masked).layer(trace));
}
