//! What the allocation tests share: a stack that keeps nothing, a count in the steady state, and budgets that hold.

use bartizan::Observability;
use bartizan::trace::TraceSettings;
use bartizan::trace::opentelemetry_sdk::error::OTelSdkResult;
use bartizan::trace::opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// An exporter that lets go of every span.
#[derive(Debug)]
struct Dropping;

impl SpanExporter for Dropping {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// Tracing through the SDK's batch processor, to an exporter that lets go of every span.
pub fn dropped_spans() -> TraceSettings {
    TraceSettings::new().customize(|provider| provider.with_batch_exporter(Dropping))
}

/// The whole stack with everything on, its log to a sink and its spans to nowhere. Once a process.
pub fn stack() -> Observability {
    let builder = Observability::builder("budget").vars(|_| None).metrics(true);
    builder.log_sink(std::io::sink()).trace(dropped_spans()).init().unwrap()
}

/// Allocations of one call in the steady state.
pub fn steady(mut call: impl FnMut()) -> u64 {
    // Handles, caches and buffers are made once.
    for _ in 0..64 {
        call();
    }
    // The least of several: the batch processor's queue grows now and then.
    (0..16).map(|_| allocation_counter::measure(&mut call).count_total).min().unwrap()
}

/// Prints what was measured, and fails where it is over its budget.
pub fn hold(measured: &[(&str, u64, u64)]) {
    for (what, allocations, budget) in measured {
        println!("{what:32} {allocations:3} of {budget}");
    }
    for (what, allocations, budget) in measured {
        assert!(allocations <= budget, "{what}: {allocations} allocations, {budget} are its budget");
    }
}
