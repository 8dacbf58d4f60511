//! `grpc.health.v1` for a tonic server (feature `tonic`), fed by the same registry as the HTTP paths.
//!
//! ```no_run
//! use bartizan_health::Registry;
//! use tonic::transport::Server;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! registry.register("database", || async { Ok::<_, std::io::Error>(()) })?;
//! registry.register("cache", || async { Ok::<_, std::io::Error>(()) })?;
//!
//! let health = registry.grpc().service("shop.v1.Orders", ["database", "cache"]).build()?;
//!
//! let stop = async move {
//!     let _ = tokio::signal::ctrl_c().await;
//!     registry.drain(); // ends the open watches too, which would hold up the shutdown
//!     tokio::time::sleep(std::time::Duration::from_secs(5)).await; // load balancers take note
//! };
//! Server::builder().add_service(health).serve_with_shutdown("127.0.0.1:50051".parse()?, stop).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Which services there are
//!
//! | service | SERVING when |
//! |---|---|
//! | the empty name, `readiness` | `/health/ready` is 200: not draining, no critical check of readiness unhealthy |
//! | `liveness` | `/health/live` is 200: always, unless a check of liveness failed |
//! | one of [`GrpcHealth::service`] | not draining, all of its checks are registered, none that is critical unhealthy |
//! | the name of a check, with [`GrpcHealth::check_names`] | not draining, the check not unhealthy, critical or not |
//!
//! Of two with the same name the upper one in the table is meant. A degraded check is SERVING.
//!
//! # What is answered
//!
//! - `Check` runs the checks that the service stands on, as a probe over HTTP does: at most once within their
//!   ttl, once for all who ask, and never waited for longer than the registry's `answer_within`. An unknown
//!   service is the error NOT_FOUND.
//! - `Watch` sends the status, then each change. The first watch waits for all checks, no longer than
//!   `answer_within`; the others have the status at once. An unknown service is SERVICE_UNKNOWN; the stream
//!   stays open and tells when a check of that name is registered.
//! - `List` sends the status of all services.
//!
//! Nobody learns more than statuses: no message and no detail of a check is sent, and no name of one unless
//! [`GrpcHealth::check_names`] says so.
//!
//! # What a watch costs
//!
//! While there is a watch, one task for all of them runs each check at its ttl, but leaves it alone for
//! [`GrpcHealth::refresh`] after each run. It ends with the last watch. A watcher that reads slowly skips what
//! is out of date: only the latest status is kept, once for all watchers.
//!
//! # Limits and failures
//!
//! - At most [`GrpcHealth::max_watchers`] watches; one more is the error RESOURCE_EXHAUSTED. A peer that has
//!   vanished without a word holds its place until the connection is closed: give the server a keep-alive
//!   (`Server::http2_keepalive_interval`).
//! - `List` of more than 1000 services is the error RESOURCE_EXHAUSTED.
//! - A request of more than 1 KiB is the error OUT_OF_RANGE.
//!
//! # Drain
//!
//! From [`Registry::drain`](crate::Registry::drain) on, every service but `liveness` is NOT_SERVING and no
//! check is run. Open watches send that at once and end; later ones send it and end. `liveness` goes on
//! SERVING, as `/health/live` goes on with 200: a process that drains is not to be killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{Group, HealthError, MAX_SERVICE_BYTES, Registry};

use self::{catalog::Catalog, proto::health_server::HealthServer, watch::Watches};

mod catalog;
mod service;
mod watch;

/// The generated code: the messages, the trait and server for tonic, and a client.
///
/// ```
/// use bartizan_health::{Registry, grpc::proto::{HealthCheckRequest, health_client::HealthClient}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The client takes a channel to a server or, as here, a service.
/// let mut client = HealthClient::new(Registry::new().grpc().build()?);
/// let answer = client.check(HealthCheckRequest { service: "readiness".into() }).await?;
/// assert_eq!(answer.into_inner().status().as_str_name(), "SERVING");
/// # Ok(())
/// # }
/// ```
#[allow(clippy::all, clippy::pedantic, missing_docs)]
#[path = "grpc/generated.rs"]
#[rustfmt::skip]
pub mod proto;

pub use self::{service::GrpcHealthService, watch::WatchStream};

/// In bytes. A name that is longer than any service's cannot be asked for.
const MAX_REQUEST_BYTES: usize = 1024;
/// Keeps a ttl of zero from running a check over and over.
const MIN_REFRESH: Duration = Duration::from_millis(10);

/// A registry's gRPC side: which services there are, and how much watching costs. See the [module](self).
///
/// ```
/// use std::time::Duration;
/// use bartizan_health::{GrpcHealth, Registry};
///
/// let registry = Registry::builder().register("database", || async {}).build()?;
/// let service = GrpcHealth::new(registry)
///     .service("shop.v1.Orders", ["database"])
///     .max_watchers(100)
///     .refresh(Duration::from_secs(5))
///     .build()?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GrpcHealth {
    registry: Registry,
    services: Vec<(String, BTreeSet<Box<str>>)>,
    check_names: bool,
    max_watchers: usize,
    refresh: Duration,
}

impl GrpcHealth {
    /// `liveness` and `readiness`, with the default limits.
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            services: Vec::new(),
            check_names: false,
            max_watchers: 1000,
            refresh: Duration::from_secs(1),
        }
    }

    /// Adds a service of the application, which serves as long as these checks let it.
    ///
    /// Each check counts by its criticality: one that is not critical keeps no traffic away. A check that is
    /// unregistered later leaves the service NOT_SERVING until one of that name is registered again. Without
    /// any check the service is SERVING until the drain.
    pub fn service(
        mut self,
        name: impl Into<String>,
        checks: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let checks = checks.into_iter().map(|check| check.into().into_boxed_str()).collect();
        self.services.push((name.into(), checks));
        self
    }

    /// Whether each check is a service of its own, in `List` too. Default false, as who can call can see them:
    /// for a server that is not open to everybody.
    pub fn check_names(mut self, shown: bool) -> Self {
        self.check_names = shown;
        self
    }

    /// How many watches there may be at a time. Default 1000; zero refuses all.
    pub fn max_watchers(mut self, limit: usize) -> Self {
        self.max_watchers = limit;
        self
    }

    /// How long a check is left alone after a run, as far as watches go, even if its ttl is shorter. Default
    /// 1 s; at least 10 ms.
    pub fn refresh(mut self, pause: Duration) -> Self {
        self.refresh = pause.max(MIN_REFRESH);
        self
    }

    /// The service for `Server::add_service`.
    ///
    /// # Errors
    ///
    /// A service stands on a check that is not registered; or its name is empty, longer than 256 bytes, has
    /// control characters, is given twice, or is `liveness` or `readiness`.
    pub fn build(self) -> Result<HealthServer<GrpcHealthService>, HealthError> {
        let checks = self.registry.last_report(Group::All).checks;
        let mut services = BTreeMap::new();
        for (service, stands_on) in self.services {
            if !is_usable(&service) || services.contains_key(&*service) {
                return Err(HealthError::ServiceName {
                    service: service.chars().take(MAX_SERVICE_BYTES).collect(),
                });
            }
            let missing = stands_on.iter().find(|name| !checks.iter().any(|check| *check.name == ***name));
            if let Some(check) = missing {
                return Err(HealthError::UnknownCheck {
                    service,
                    check: check.chars().take(MAX_SERVICE_BYTES).collect(),
                });
            }
            services.insert(Arc::from(service), stands_on);
        }
        let catalog = Arc::new(Catalog::new(self.registry, services, self.check_names));
        let watches = Watches::new(Arc::clone(&catalog), self.max_watchers, self.refresh);
        Ok(HealthServer::new(GrpcHealthService::new(catalog, watches))
            .max_decoding_message_size(MAX_REQUEST_BYTES))
    }
}

fn is_usable(service: &str) -> bool {
    let is_taken = [catalog::WHOLE, catalog::LIVENESS, catalog::READINESS].contains(&service);
    !is_taken && service.len() <= MAX_SERVICE_BYTES && !service.chars().any(char::is_control)
}

impl Registry {
    /// The checks as `grpc.health.v1`, to be set up further.
    ///
    /// ```
    /// use bartizan_health::Registry;
    ///
    /// let service = Registry::new().grpc().build()?;
    /// # Ok::<_, bartizan_health::HealthError>(())
    /// ```
    pub fn grpc(&self) -> GrpcHealth {
        GrpcHealth::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
