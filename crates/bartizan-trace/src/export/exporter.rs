//! The exporter that the batch processor drives.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use opentelemetry_otlp::SpanExporter as Inner;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::time::timeout;

use super::Counts;
use super::runtime::ExportRuntime;
use crate::setup::SetupError;

/// Runs each export on the [`ExportRuntime`], bounds its time and counts its outcome.
#[derive(Debug)]
pub(super) struct OtlpExporter {
    inner: Arc<Inner>,
    runtime: ExportRuntime,
    limit: Duration,
    counts: Arc<Counts>,
    /// Where to, as far as that may be shown.
    endpoint: String,
    failing: AtomicBool,
}

impl OtlpExporter {
    /// Starts the runtime and makes the transport on it.
    pub(super) fn start(
        limit: Duration,
        counts: &Arc<Counts>,
        endpoint: String,
        transport: impl FnOnce() -> Result<Inner, SetupError>,
    ) -> Result<Self, SetupError> {
        let runtime = ExportRuntime::start().map_err(|error| SetupError::Exporter(error.to_string()))?;
        let inner = {
            let _inside = runtime.enter();
            Arc::new(transport()?)
        };
        let counts = Arc::clone(counts);
        Ok(Self { inner, runtime, limit, counts, endpoint, failing: AtomicBool::new(false) })
    }

    async fn send(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        if self.counts.is_abandoned() {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        let (inner, limit) = (Arc::clone(&self.inner), self.limit);
        // Inside the task, because both the transport and the clock need its runtime.
        let sending = self.runtime.spawn(async move { timeout(limit, inner.export(batch)).await });
        match sending.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(OTelSdkError::Timeout(self.limit)),
            Err(_) => Err(OTelSdkError::InternalFailure("the transport panicked".to_owned())),
        }
    }

    /// One line when exports begin to fail and one when they work again, not one a batch.
    fn tell(&self, result: &OTelSdkResult) {
        let failed = result.is_err();
        if self.failing.swap(failed, Relaxed) == failed {
            return;
        }
        if let Err(error) = result {
            tracing::warn!(
                endpoint = self.endpoint,
                %error,
                "spans cannot be exported, they are lost until this ends"
            );
        } else {
            tracing::info!(endpoint = self.endpoint, "spans are exported again");
        }
    }
}

impl SpanExporter for OtlpExporter {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        let spans = batch.len() as u64;
        self.counts.begin(spans);
        async move {
            let result = self.send(batch).await;
            self.counts.end(spans, result.is_ok());
            self.tell(&result);
            result
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        // The provider calls this before the first export, so nobody else holds the exporter.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.set_resource(resource);
        }
    }
}
