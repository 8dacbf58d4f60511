//! Correlation ids, masked request logs, RED metrics, traces and health for any tower service, in one layer.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use bartizan::Observability;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let observability = Observability::builder("orders").metrics(true).init()?;
//!     observability.start().await?;
//!     let app = Router::new()
//!         .route("/orders/{id}", get(|| async { "shipped" }))
//!         .layer(observability.layer())
//!         .merge(observability.routes());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(observability.serve(listener, app).await?)
//! }
//! ```
//!
//! [`Observability::builder`] sets everything up from code and environment; [`Observability::layer`] is the stack for the service,
//! [`Observability::routes`] the routes beside it, [`Observability::client_layer`] the stack for the calls that it makes, [`Observability::health`] the registry of checks, and
//! [`Observability::start`] the startup checks, and [`Observability::serve`] (or [`Observability::run`]) the service until its end.
//!
//! Each concern is a crate of its own and works alone: [`correlation`], [`log`], [`metrics`], [`trace`], [`health`], on the plumbing of
//! [`core`] and the masker of [`mask`].
//!
//! # Order
//!
//! One `.layer(..)` has the right order inside. Put it outermost, so that what other layers answer (a timeout's 408, a rate
//! limiter's 429) is logged, counted and traced too; on an axum `Router` it sees the matched route there as well. Layers outside of
//! it are not watched.
//!
//! # tonic
//!
//! `Server::builder().layer(observability.layer())` takes the same stack; switch on the feature `tonic`, so that what the service reads
//! is counted and the peer is known. A gRPC call ends with its status, wherever that travels: log line (`grpc_code`,
//! `request_messages`, `response_messages`), `grpc_server_*` series and span agree on it. Methods are labels once they are known, see
//! [`Routes`](core::Routes#grpc).
//!
//! tonic's `Server` enforces `grpc-timeout` outside of all layers. A call that it gives up is `DEADLINE_EXCEEDED` here; tonic itself tells
//! the client `CANCELLED`, in an answer that no layer sees and that carries no correlation id. [`Observability::serve`] with tonic's
//! `Routes` leaves the deadline to the client.
//!
//! # Stopping
//!
//! [`Observability::serve`] and [`Observability::run`] wait for SIGTERM or SIGINT and stop so that no request is lost: readiness fails
//! first, clients are told to go, requests in flight finish, logs and spans are flushed. [`health::drain`] has the order and the
//! reasons, [`Exit`] the exit codes.
//!
//! # Failure
//!
//! A panic or an unhandled error becomes one JSON 500 (`grpc-status: 13` for gRPC). A dead collector, a full log pipe or a hanging
//! health check cost spans, lines or a check's verdict, each counted, and never a request.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `axum` | yes | routes from `MatchedPath`, [`Observability::routes`]; switches `serve` on |
//! | `serve` | yes | [`Observability::serve`], `Drain::incoming` |
//! | `tonic` | no | what tonic services read is counted, why a call over a channel failed; interceptors, in `grpc`; `grpc.health.v1`, by `health().grpc()`; switches `serve` on |
//! | `hyper-util` | no | why a call of hyper-util's `Client` failed |
//! | `reqwest` | no | [`ClientLayer`] as a middleware of `reqwest-middleware` |
//! | `zstd` | no | `/metrics` compressed with zstd for those who accept it |
//! | `gzip` | no | captured bodies that are compressed are unpacked, within a limit, and masked |
//! | `hmac` | no | `mask::Action::Pseudonym`: keyed pseudonyms in place of values |
//! | `regex` | no | `mask::MaskerBuilder::pattern`: masking by patterns of your own |
//! | `sqlx` | no | `log::sqlx_slow_statements`: slow statements are logged, without literals |
//! | `health-postgres`, `health-mysql`, `health-sqlite`, `health-redis`, `health-http`, `health-http-tls`, `health-tcp`, `health-grpc`, `health-disk`, `health-memory` | no | checks that are ready to use, in `health::checks` |
//! | `otlp` | no | span export by OTLP over gRPC and HTTP |
//! | `otlp-tls` | no | the same over TLS |

mod builder;
mod carry;
mod client;
mod counters;
mod error;
mod exit;
#[cfg(feature = "tonic")]
pub mod grpc;
mod install;
mod meters;
mod observability;
mod redact;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "axum")]
mod routes;
mod serve;
mod signal;
mod stack;
mod start;
mod summary;
mod vars;

pub use bartizan_core as core;
pub use bartizan_correlation as correlation;
pub use bartizan_health as health;
pub use bartizan_log as log;
pub use bartizan_mask as mask;
pub use bartizan_metrics as metrics;
pub use bartizan_trace as trace;

pub use bartizan_log::{Scope, bind};
pub use builder::ObservabilityBuilder;
pub use carry::{CarriedFuture, carry, spawn};
pub use client::{ClientLayer, ClientObservers, ClientStack};
pub use error::{InitError, ServeError, ShutdownError};
pub use exit::Exit;
pub use observability::Observability;
pub use stack::{Observers, Stack, StackLayer};
pub use start::StartError;

/// What most services use.
///
/// ```
/// use bartizan::prelude::*;
/// ```
pub mod prelude {
    pub use crate::core::{CorrelationId, Record, Routes, Trust};
    pub use crate::health::{CheckOptions, Criticality, Health};
    pub use crate::{Exit, Observability, Scope, bind, carry, spawn};
}

/// The README's examples compile.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
