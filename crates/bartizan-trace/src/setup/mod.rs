//! Sets OpenTelemetry tracing up, from code and from the standard `OTEL_*` variables.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_trace::TraceSettings;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracing = TraceSettings::new()
//!     .service_name("orders")
//!     .service_version(env!("CARGO_PKG_VERSION"))
//!     .read_env()?
//!     .build()?;
//!
//! // ... serve ...
//!
//! tracing.shutdown(Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! A later call wins: what [`read_env`](TraceSettings::read_env) finds replaces what was set before
//! it, and what is set after it replaces what it found. Set defaults before, constraints after.
//!
//! # Off
//!
//! Without an endpoint nothing is set up: no thread, no connection, no provider. The same goes for
//! `OTEL_SDK_DISABLED=true`, `OTEL_ENABLED=false` and `OTEL_TRACES_EXPORTER=none`.
//!
//! # Variables
//!
//! | variable | form | default |
//! |---|---|---|
//! | `OTEL_ENABLED`, `OTEL_SDK_DISABLED` | `true`, `false`; if off, no other variable is looked at | on |
//! | `OTEL_TRACES_EXPORTER` | `otlp`, `none` | `otlp` |
//! | `OTEL_SERVICE_NAME` | text | `unknown_service:{executable}` |
//! | `OTEL_RESOURCE_ATTRIBUTES` | `key=value,...`, percent-encoded | |
//! | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | URL, used as it is | |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | URL, `/v1/traces` is added for HTTP | none: off |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL` | `grpc`, `http/protobuf` | `grpc` on port 4317, else `http/protobuf` |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]HEADERS` | `name=value,...`, percent-encoded | |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT` | milliseconds for one batch with its retries; `0` is ten minutes | 10000 |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]COMPRESSION` | `gzip`, `none` | `none` |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]CERTIFICATE` | PEM file to trust for `https`, instead of Mozilla's roots | |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | a standard name, a ratio | `parentbased_always_on`, 1 |
//! | `OTEL_BSP_MAX_QUEUE_SIZE` | spans that may wait | 2048 |
//! | `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` | spans a batch | 512, at most the queue |
//! | `OTEL_BSP_SCHEDULE_DELAY` | milliseconds that a span may wait | 5000 |
//! | `OTEL_BSP_EXPORT_TIMEOUT` | milliseconds after which a batch is given up; `0` is ten minutes | 30000 |
//!
//! `OTEL_PROPAGATORS` is not a setting of the export: [`Propagation::read_env`](crate::Propagation::read_env)
//! reads it. Where there is a variable for traces alone it wins over the general one. Upper and lower case of a name out of a list do
//! not matter. The SDK reads `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, `OTEL_SPAN_EVENT_COUNT_LIMIT` and `OTEL_SPAN_LINK_COUNT_LIMIT`.
//!
//! Not supported, and not looked at: the other limits (`OTEL_ATTRIBUTE_*`, `OTEL_EVENT_*`, `OTEL_LINK_*`, the length of values), client
//! certificates (`OTEL_EXPORTER_OTLP_[TRACES_]CLIENT_CERTIFICATE` and `_CLIENT_KEY`), and `OTEL_EXPORTER_OTLP_[TRACES_]INSECURE`, as the
//! endpoint's scheme says it.
//!
//! # Failure
//!
//! A value that cannot be used is a [`SetupError`] that names the variable, the form it must have
//! and the way out. A collector that is down, slow or silent is no error: a thread of its own sends
//! the spans, the queue is bounded, and [`Tracing::counts`] tells what was lost. Proxies
//! (`HTTP_PROXY`) are not used and redirects are not followed.

mod certificate;
mod endpoint;
mod error;
mod pairs;
mod read;
mod resource;
mod sampler;
mod settings;
mod tracing;
mod vars;

#[cfg(test)]
mod tests;

pub(crate) use certificate::Ca;
pub(crate) use endpoint::Target;
pub(crate) use error::quoted;
pub(crate) use vars::Vars;

pub use endpoint::Protocol;
pub use error::SetupError;
pub use settings::TraceSettings;
pub use tracing::{FlushError, SpanCounts, TraceStatus, Tracing};
