//! A process of its own, because a subscriber is global.

use bartizan::Observability;
use bartizan::trace::TraceSettings;
use bartizan::trace::opentelemetry_sdk::error::OTelSdkResult;
use bartizan::trace::opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tracing::level_filters::LevelFilter;

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn what_is_below_the_level_of_logs_and_spans_costs_one_comparison() {
    let _stack = Observability::builder("level")
        .vars(|_| None)
        .log_sink(std::io::sink())
        .trace(TraceSettings::new().customize(|provider| provider.with_simple_exporter(Nowhere)))
        .init()
        .unwrap();
    assert_eq!(LevelFilter::current(), LevelFilter::INFO);
}
