//! The layers of this workspace, each alone and all together.

use bartizan::Observability;
use bartizan::correlation::CorrelationLayer;
use bartizan::log::{LogBuilder, LogFormat, RequestLogLayer};
use bartizan::metrics::{RedLayer, Store};
use bartizan::trace::TraceSettings;
use http::header;
use tracing_subscriber::layer::SubscriberExt;

use super::Stack;
use super::spans::Dropping;
use crate::job::{Job, Parent};

pub(super) const STACKS: [Stack; 9] = [
    Stack::new("correlation", Parent::None, "correlation alone", correlation),
    Stack::new(
        "log",
        Parent::None,
        "request log alone: JSON line, three header fields and query, masked",
        log,
    ),
    Stack::new("log-headers", Parent::None, "the same with every header field", log_headers),
    Stack::new("red", Parent::None, "RED alone", red),
    Stack::new("trace", Parent::Sampled, "trace alone, sampled, through the SDK's batch processor", trace),
    Stack::new("trace-out", Parent::SampledOut, "trace alone, sampled out", trace),
    Stack::new("whole", Parent::Sampled, "whole, sampled", whole),
    Stack::new("whole-out", Parent::SampledOut, "whole, sampled out", whole),
    Stack::new("off", Parent::None, "whole, everything switched off by configuration", off),
];

fn correlation(job: &Job) {
    job.http(CorrelationLayer::new());
}

fn log(job: &Job) {
    // The third is the user agent, which every line has.
    let fields = [header::HOST, header::AUTHORIZATION];
    logged(job, RequestLogLayer::new().request_headers(true).only_headers(fields));
}

fn log_headers(job: &Job) {
    logged(job, RequestLogLayer::new().request_headers(true));
}

fn logged(job: &Job, layer: RequestLogLayer) {
    let log = LogBuilder::new().env(|_| None).format(LogFormat::Json).sink(std::io::sink()).build().unwrap();
    let (lines, _guard) = log.into_layer();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines)).unwrap();
    job.http(layer);
}

fn red(job: &Job) {
    let series = 2_000 + 2 * job.shape.routes as usize;
    let store = Store::builder().max_series(series).max_total_series(10 * series).build().unwrap();
    job.http(RedLayer::new().max_series(series).recorder(store));
}

fn trace(job: &Job) {
    let tracing = dropped_spans().build().unwrap();
    job.http(tracing.layer());
}

fn whole(job: &Job) {
    job.http(observability(job).layer());
}

fn off(job: &Job) {
    let off = |name: &str| match name {
        "RUST_LOG" => Some("off".to_owned()),
        "CORRELATION_ENABLED" | "ENABLE_METRICS" | "OTEL_ENABLED" => Some("false".to_owned()),
        _ => None,
    };
    let stack = Observability::builder("bench").vars(off).log_sink(std::io::sink()).init().unwrap();
    job.http(stack.layer());
}

/// Everything on, with room for the routes that are requested.
pub(super) fn observability(job: &Job) -> Observability {
    let series = 2_000 + 2 * job.shape.routes as usize;
    Observability::builder("bench")
        .vars(|_| None)
        .metrics(true)
        .red(RedLayer::new().max_series(series))
        .store(Store::builder().max_series(series).max_total_series(10 * series))
        .log_sink(std::io::sink())
        .trace(dropped_spans())
        .init()
        .unwrap()
}

/// Tracing through the SDK's batch processor, to an exporter that lets go of every span.
fn dropped_spans() -> TraceSettings {
    TraceSettings::new().customize(|provider| provider.with_batch_exporter(Dropping))
}
