//! The way of a finished span: a bounded queue, the SDK's batch processor, the transport.
//!
//! ```text
//! span ends ──► CountedQueue ──► BatchSpanProcessor ──► MaskedExporter ──► OtlpExporter ──► tonic or hyper
//!               counts drops     its own thread                            counts results   on ExportRuntime's thread
//! ```
//!
//! The SDK's processor drops spans when its queue is full, but tells nobody how many. So the queue
//! in front of it has the same length and drops first.
//!
//! HTTP goes through hyper, which gRPC brings anyway, on a small runtime of our own. A blocking
//! client would be a second HTTP stack beside it, and the application's runtime is no place for
//! this: it may be the one thread that waits for the shutdown.

mod counts;
#[cfg(feature = "_otlp")]
mod exporter;
#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-http")]
mod http;
#[cfg(feature = "_otlp")]
mod queue;
#[cfg(feature = "_otlp")]
mod runtime;
#[cfg(feature = "otlp-tls")]
mod tls;

use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;
use bartizan_mask::Masker;
use opentelemetry_sdk::trace::TracerProviderBuilder;

use crate::setup::{Ca, SetupError, Target};

pub(crate) use counts::Counts;

/// How spans are gathered into batches.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "_otlp"), allow(dead_code))]
pub(crate) struct Batch {
    /// Spans that may wait.
    pub(crate) queue: usize,
    /// Spans a batch.
    pub(crate) size: usize,
    /// How long a span may wait for others.
    pub(crate) delay: Duration,
    /// When a batch is given up, whatever the transport thinks.
    pub(crate) limit: Duration,
}

impl Batch {
    /// The queue's memory is taken when it is made, so its length has a bound.
    pub(crate) const LONGEST_QUEUE: usize = 1_000_000;
    /// The processor would spin without a pause.
    pub(crate) const SHORTEST_DELAY: Duration = Duration::from_millis(1);
}

impl Default for Batch {
    /// The specification's defaults.
    fn default() -> Self {
        Self { queue: 2048, size: 512, delay: Duration::from_secs(5), limit: Duration::from_secs(30) }
    }
}

/// How batches are sent.
#[cfg_attr(not(feature = "otlp-tls"), allow(dead_code))]
pub(crate) struct Transport {
    pub(crate) target: Target,
    /// Trusted instead of Mozilla's roots.
    pub(crate) ca: Option<Ca>,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) masker: Masker,
}

/// Adds the way to the collector to the provider.
#[cfg(feature = "_otlp")]
pub(crate) fn add_to(
    provider: TracerProviderBuilder,
    transport: &Transport,
    batch: Batch,
    counts: &Arc<Counts>,
) -> Result<TracerProviderBuilder, SetupError> {
    use crate::MaskedExporter;
    use crate::setup::Protocol;
    use exporter::OtlpExporter;
    use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor};

    let Target { setting, protocol, .. } = transport.target;
    let missing = |wanted, feature, instead| SetupError::FeatureMissing { setting, wanted, feature, instead };
    if transport.target.is_https() && !cfg!(feature = "otlp-tls") {
        return Err(missing("https", "otlp-tls", "use an http:// URL"));
    }
    let endpoint = transport.target.origin();
    let exporter = match protocol {
        #[cfg(feature = "otlp-grpc")]
        Protocol::Grpc => OtlpExporter::start(batch.limit, counts, endpoint, || grpc::exporter(transport))?,
        #[cfg(feature = "otlp-http")]
        Protocol::HttpProtobuf => {
            OtlpExporter::start(batch.limit, counts, endpoint, || http::exporter(transport))?
        }
        #[cfg(not(feature = "otlp-grpc"))]
        Protocol::Grpc => {
            let instead = "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and the port of HTTP";
            return Err(missing("OTLP over gRPC", "otlp-grpc", instead));
        }
        #[cfg(not(feature = "otlp-http"))]
        Protocol::HttpProtobuf => {
            let instead = "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc and the port of gRPC";
            return Err(missing("OTLP over HTTP", "otlp-http", instead));
        }
    };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(batch.queue)
        .with_max_export_batch_size(batch.size)
        .with_scheduled_delay(batch.delay)
        .build();
    let masked = MaskedExporter::new(exporter, transport.masker.clone());
    let processor = BatchSpanProcessor::new(masked, config);
    Ok(provider.with_span_processor(queue::CountedQueue::new(processor, batch.queue, counts)))
}

/// Without a transport an endpoint cannot be served.
#[cfg(not(feature = "_otlp"))]
pub(crate) fn add_to(
    _provider: TracerProviderBuilder,
    transport: &Transport,
    _batch: Batch,
    _counts: &Arc<Counts>,
) -> Result<TracerProviderBuilder, SetupError> {
    Err(SetupError::FeatureMissing {
        setting: transport.target.setting,
        wanted: "the OTLP exporter",
        feature: "otlp",
        instead: "unset it or set OTEL_ENABLED=false",
    })
}
