//! A health registry with timeouts, single flight and HTTP probes.
//!
//! A [`Registry`] holds named async checks. Whoever asks, be it a probe over HTTP or the application, gets one
//! snapshot, the [`Report`]: all checks at once, each with its timeout, run at most once at a time and no
//! more often than its ttl, and never waited for longer than 90 ms.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_health::{CheckOptions, Criticality, Health, HealthLayer, Registry};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use serde_json::json;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//!
//! // A `Result` is a check: `Err` is unhealthy, with the error's text.
//! registry.register("database", || async { Ok::<_, std::io::Error>(()) })?;
//!
//! // So is a `Health`. Search may fail without taking the service down.
//! let options = CheckOptions::new().timeout(Duration::from_secs(1)).criticality(Criticality::NonCritical);
//! let search = || async { Health::unhealthy("no route").with_details(json!({ "nodes": 0 })) };
//! registry.register_with("search", search, options)?;
//!
//! // The layer answers /health, /health/live, /health/ready, .. on any host and passes all else on.
//! let host = service_fn(|_: Request<()>| async { Ok::<_, String>(Response::new(Full::<Bytes>::from("orders"))) });
//! let service = HealthLayer::new(registry.clone()).layer(host);
//!
//! let ready = service.clone().oneshot(Request::get("/health/ready").body(())?).await?;
//! assert_eq!(ready.status(), 200);
//!
//! registry.drain(); // first step of a shutdown
//! let ready = service.oneshot(Request::get("/health/ready").body(())?).await?;
//! assert_eq!(ready.status(), 503);
//! # Ok(())
//! # }
//! ```
//!
//! # Faces
//!
//! [`Endpoints`] says which paths there are and what they answer. It becomes a tower layer for axum, tonic and
//! hyper ([`HealthLayer`]), a service for a management port ([`HealthEndpoint`]), or with the feature `axum`
//! an `axum::Router` (`Registry::routes`). The [`Probe::Live`] answer never runs a check.
//!
//! With the feature `tonic`, `Registry::grpc` serves the same registry as `grpc.health.v1`: see the module
//! `grpc`.
//!
//! # What others see
//!
//! Messages and details pass a [`Redactor`] before they are kept. Over HTTP they are shown to nobody until an
//! [`Exposure`] says to whom.
//!
//! # Metrics and changes
//!
//! At the end of each run, through the `metrics` crate:
//!
//! | name | kind | value |
//! |---|---|---|
//! | `health_check_status{check}` | gauge | 1 healthy, 0.5 degraded, 0 unhealthy, NaN unregistered |
//! | `health_check_duration_seconds{check}` | histogram | how long the run took, up to its timeout |
//!
//! A change of a check's status is a `tracing` event, WARN for the worse and INFO for the better, and goes to
//! the listeners of [`Registry::on_change`].
//!
//! # Start and end
//!
//! [`Registry::start`] runs the startup checks with retry, back-off and deadline: see [`startup`]. [`Drain`] stops a
//! service so that no request is lost: see [`drain`]. With the feature `serve`, `Drain::serve` is a server for it.
//!
//! # Limits and failures
//!
//! - A run that takes longer than its timeout is unhealthy with the message `Timeout`. It is not cancelled
//!   unless [`CheckOptions::cancel_on_timeout`] says so, nor is the check started again before it has returned;
//!   its late result is dropped.
//! - A panic is unhealthy with the message `check panicked`; the panic's text is not kept.
//! - Checks run when somebody asks, or has a gRPC watch open. After a long pause, a check that takes longer than the answer may wait is
//!   answered with its last result, which can be old: see `checked_at`, or [`CheckReport::stale`].
//! - At most 256 checks, names of 128 bytes, messages of 256 characters, details of 8 KiB, 64 listeners.
//! - It needs a tokio runtime with its timer. On a runtime of one thread, a check that blocks the thread
//!   blocks the answers as well: see [`blocking`].

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tonic")]
pub mod grpc;

mod answer;
mod builder;
mod change;
mod check;
pub mod drain;
mod endpoints;
mod error;
mod exposure;
mod health;
mod layer;
mod meter;
mod module;
mod options;
mod paths;
mod redact;
mod registry;
mod report;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod service;
mod slot;
pub mod startup;
mod tools;

#[cfg(feature = "tonic")]
pub use self::grpc::GrpcHealth;
#[cfg(feature = "serve")]
pub use self::serve::{Incoming, Paced};
pub use self::{
    answer::Answer,
    builder::RegistryBuilder,
    change::Change,
    check::{Blocking, Check, blocking},
    drain::{Drain, Phase, Unfinished},
    endpoints::Endpoints,
    error::HealthError,
    exposure::Exposure,
    health::{Health, IntoHealth, Status},
    layer::{HealthFuture, HealthLayer, HealthService},
    module::Module,
    options::{CheckOptions, Criticality, Group},
    paths::Probe,
    redact::{DefaultRedactor, Redactor},
    registry::Registry,
    report::{CheckReport, Report},
    service::{EndpointFuture, HealthEndpoint},
    startup::{Startup, StartupError},
    tools::ToolUrls,
};

/// In bytes.
const MAX_NAME_BYTES: usize = 128;
/// In bytes.
const MAX_SERVICE_BYTES: usize = 256;
const MAX_LISTENERS: usize = 64;
