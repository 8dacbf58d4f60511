//! The bound in front of the SDK's batch processor, with a counter.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::Counts;

/// Lets through as many spans as the processor behind it has room for, and counts the others.
///
/// Spans that are recorded but not sampled stay here: the specification exports only sampled ones.
#[derive(Debug)]
pub(super) struct CountedQueue<P> {
    inner: P,
    limit: u64,
    counts: Arc<Counts>,
}

impl<P> CountedQueue<P> {
    pub(super) fn new(inner: P, limit: usize, counts: &Arc<Counts>) -> Self {
        Self { inner, limit: limit as u64, counts: Arc::clone(counts) }
    }
}

impl<P: SpanProcessor> SpanProcessor for CountedQueue<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.counts.admit(self.limit) {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
