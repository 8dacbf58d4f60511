//! A health registry with checks in the background, timeouts, single flight, and probes over HTTP and gRPC.
//!
//! A [`Registry`] holds named async checks. Whoever asks, be it a probe over HTTP or the application, gets one
//! snapshot, the [`Report`]: all checks at once, each with its timeout, run at most once at a time, at an interval
//! or when asked and no more often than its ttl, and never waited for longer than 60 ms.
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
//! // So is a `Health`. Search may fail without taking the service down, and is asked in the background.
//! let options = CheckOptions::new().interval(Duration::from_secs(10)).criticality(Criticality::Degrading);
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
//! [`Endpoints`] says which paths there are and what they answer: JSON, `application/health+json`, or the text of
//! Kubernetes. It becomes a tower layer for axum, tonic and hyper ([`HealthLayer`]), a service for a management
//! port ([`HealthEndpoint`]), or with the feature `axum` an `axum::Router` (`Registry::routes`).
//!
//! With the feature `tonic`, `Registry::grpc` serves the same registry as `grpc.health.v1`: see the module
//! `grpc`.
//!
//! # Checks
//!
//! A closure, a type that implements [`Check`], a function that blocks ([`blocking`]), or one of [`checks`]: databases
//! and Redis, other services, disk and memory, each behind its feature. [`CheckOptions`] says when a check runs
//! ([`interval`](CheckOptions::interval) or [`ttl`](CheckOptions::ttl)), how many runs it takes to believe a change,
//! what it counts for ([`Criticality`]) and which [`Group`]s it is in. Liveness has no checks unless you put some
//! there, and takes none of a dependency.
//!
//! # What others see
//!
//! Messages and details pass a [`Redactor`] before they are kept. Over HTTP everybody sees the status and nothing
//! else, until an [`Exposure`] says to whom names, messages and details are shown.
//!
//! # Metrics and changes
//!
//! At the end of each run, through the `metrics` crate:
//!
//! | name | kind | value |
//! |---|---|---|
//! | `health_check_status{check}` | gauge | 1 healthy, 0.5 degraded, 0 unhealthy, by the thresholds; NaN unregistered |
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
//!   unless the check or [`CheckOptions::cancel_on_timeout`] says so, nor is the check started again before it has
//!   returned; its late result is dropped.
//! - A panic is unhealthy with the message `check panicked`; the panic's text is not kept.
//! - A result that is older than it should be is answered all the same, and marked: [`CheckReport::age`] and
//!   [`CheckReport::stale`]. Without an interval checks run when somebody asks, or has a gRPC watch open: after a
//!   long pause, one that takes longer than the answer may wait is answered with its last result.
//! - At most 256 checks, names of 128 bytes, messages of 256 characters, details of 8 KiB, 64 listeners.
//! - It needs a tokio runtime with its timer. On a runtime of one thread, a check that blocks the thread
//!   blocks the answers as well: see [`blocking`], whose functions hold a thread of their own, at most one each.
//! - Answers are kept while nothing changes, so that probes cost next to nothing: up to a second, fewer if a check is
//!   due before.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tonic")]
pub mod grpc;

pub mod checks;

mod answer;
mod builder;
mod change;
mod check;
pub mod drain;
mod endpoints;
mod error;
mod exposure;
mod health;
mod jitter;
mod layer;
mod meter;
mod module;
mod options;
mod paths;
mod redact;
mod registry;
mod report;
mod request;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod served;
mod service;
mod slot;
pub mod startup;
mod threshold;
mod tools;

#[cfg(feature = "tonic")]
pub use self::grpc::GrpcHealth;
#[cfg(feature = "serve")]
pub use self::serve::{Incoming, Paced, connections_stalled_total};
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
    layer::{HealthLayer, HealthService},
    module::Module,
    options::{CheckOptions, Criticality, Group},
    paths::Probe,
    redact::{DefaultRedactor, Redactor},
    registry::Registry,
    report::{CheckReport, Report},
    served::ProbeFuture,
    service::HealthEndpoint,
    startup::{Startup, StartupError},
    tools::ToolUrls,
};

/// In bytes.
const MAX_NAME_BYTES: usize = 128;
/// In bytes.
const MAX_SERVICE_BYTES: usize = 256;
const MAX_LISTENERS: usize = 64;
