//! The layers of this workspace, each alone and all together.

use bartizan::Observability;
use bartizan::correlation::CorrelationLayer;
use bartizan::log::{LogBuilder, LogFormat, RequestLogLayer};
use bartizan::metrics::{RedLayer, Store};
use bartizan::trace::TraceSettings;
use bartizan::trace::opentelemetry_sdk::error::OTelSdkResult;
use bartizan::trace::opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tracing_subscriber::layer::SubscriberExt;

use http::header;

use super::Stack;
use crate::job::{Job, Parent};

pub(super) const STACKS: [Stack; 8] = [
    Stack::new("correlation", Parent::None, "correlation alone", correlation),
    Stack::new("log", Parent::None, "request log alone: JSON line, masked headers and query", log),
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
    let log = LogBuilder::new().env(|_| None).format(LogFormat::Json).sink(std::io::sink()).build().unwrap();
    let (lines, _guard) = log.into_layer();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines)).unwrap();
    job.http(
        RequestLogLayer::new().request_headers(true).only_headers([header::HOST, header::AUTHORIZATION]),
    );
}

fn red(job: &Job) {
    job.http(RedLayer::new().recorder(Store::new()));
}

fn trace(job: &Job) {
    let tracing = dropped_spans().build().unwrap();
    job.http(tracing.layer());
}

fn whole(job: &Job) {
    let builder = Observability::builder("bench").vars(|_| None).metrics(true);
    let stack = builder.log_sink(std::io::sink()).trace(dropped_spans()).init().unwrap();
    job.http(stack.layer());
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

/// An exporter that lets go of every span.
#[derive(Debug)]
struct Dropping;

impl SpanExporter for Dropping {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// Tracing through the SDK's batch processor, to an exporter that lets go of every span.
fn dropped_spans() -> TraceSettings {
    TraceSettings::new().customize(|provider| provider.with_batch_exporter(Dropping))
}
