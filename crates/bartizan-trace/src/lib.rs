//! Server spans by the OpenTelemetry conventions, W3C propagation and OTLP set-up.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_trace::{Propagation, TraceSettings};
//! use bartizan_trace::opentelemetry::Context;
//! use bartizan_trace::opentelemetry::trace::{TraceContextExt, Tracer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Off unless OTEL_EXPORTER_OTLP_ENDPOINT or an endpoint in code says where to.
//! let tracing = TraceSettings::new().service_name("orders").read_env()?.build()?;
//!
//! // What a request brings goes on to the next one.
//! let incoming = http::HeaderMap::new();
//! let context = Propagation::new().extract(&incoming).attach_to(&Context::new());
//! let context = match tracing.tracer() {
//!     Some(tracer) => context.with_span(tracer.start_with_context("GET /orders", &context)),
//!     None => context,
//! };
//! let mut outgoing = http::HeaderMap::new();
//! Propagation::new().inject(&context, &mut outgoing);
//!
//! tracing.shutdown(Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! None is on by default; without them spans go to the application's own processors only.
//!
//! | feature | what |
//! |---|---|
//! | `otlp` | both of the next two |
//! | `otlp-grpc` | export over gRPC (tonic) |
//! | `otlp-http` | export as protobuf over HTTP/1.1 (hyper) |
//! | `otlp-tls` | `otlp` to `https` endpoints: rustls with ring, and the roots that Mozilla trusts |
//!
//! # One OpenTelemetry
//!
//! Two versions of the OpenTelemetry crates in one program do not see each other's spans. Use the
//! ones that are re-exported here: [`opentelemetry`] and [`opentelemetry_sdk`].

pub mod client;
pub mod conventions;
mod export;
mod mask;
pub mod propagation;
pub mod server;
pub mod setup;
#[cfg(feature = "tracing-opentelemetry")]
mod spans;
pub mod w3c;

pub use opentelemetry;
pub use opentelemetry_sdk;

pub use client::ClientTraceLayer;
pub use mask::MaskedExporter;
pub use propagation::{Extracted, Propagation};
pub use server::{TraceHeader, TraceLayer};
pub use setup::{FlushError, SetupError, SpanCounts, TraceSettings, TraceStatus, Tracing};
#[cfg(feature = "tracing-opentelemetry")]
pub use spans::{SpanLayer, span_layer};
