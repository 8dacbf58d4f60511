//! The health paths of one port: what they are called, who sees what.

use std::sync::Arc;

use http::request::Parts;

use crate::{
    Answer, Exposure, Group, HealthEndpoint, HealthError, HealthLayer, Probe, Registry, ToolUrls, answer,
    paths::Paths,
};

/// A registry's HTTP side. One registry may have several: one for the public port, one for the management port.
///
/// | path | answer |
/// |---|---|
/// | `/health` | `{"status","timestamp","checks":[{"name","status","message","latency_ms","details","checked_at"}]}`, 200 |
/// | `/health/live`, `/health/liveness`, `/livez` | `{"status":"alive"}`, 200; no check is run |
/// | `/health/ready`, `/health/readiness`, `/readyz`, `/ready` | `{"status":"ready" or "not_ready","health":..,"checks":{name:"ok" or "error: .."}}`, 200 or 503 |
/// | `/health/startup`, `/startup` | `{"status":"started" or "not_started","checks":{name:..}}`, 503 until the startup checks have passed once |
/// | `/health/detailed` | as `/health`, with `failed_checks` (names of the unhealthy), `total_checks`, `passed_checks` (numbers) |
/// | `/health/tools` | `{"grafana","prometheus","alertmanager","tasks"}`, each a URL or null |
///
/// Readiness is about the checks that are part of readiness, and its `health` is the `/health` document of
/// these. A degraded check is `ok` there: it keeps no traffic away. Once the startup checks have passed, they
/// are not run for `/health/startup` again and its `checks` is empty.
///
/// GET and HEAD are served, OPTIONS is 204, any other method 405. A slash at the end does not matter.
/// Every answer has `cache-control: no-store`. Times are RFC 3339 in UTC.
///
/// ```
/// use bartizan_health::{Endpoints, Exposure, Registry};
///
/// let registry = Registry::new();
/// let public = Endpoints::new(registry.clone()).unhealthy_as_503(true).layer();
/// let management = Endpoints::new(registry).base_path("/-/health")?.exposure(Exposure::full()).service();
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Endpoints {
    registry: Registry,
    paths: Paths,
    exposure: Exposure,
    tools: ToolUrls,
    unhealthy_as_503: bool,
}

impl Endpoints {
    /// Under `/health` and the aliases, with messages and details for nobody.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            paths: Paths::default(),
            exposure: Exposure::default(),
            tools: ToolUrls::default(),
            unhealthy_as_503: false,
        }
    }

    /// What stands in place of `/health`. The aliases `/livez`, `/readyz`, `/ready` and `/startup` stay.
    ///
    /// # Errors
    ///
    /// The path is not absolute, ends in a slash, is longer than 128 bytes, or has other characters than ASCII
    /// letters, digits, `-`, `_`, `.`, `~` and single slashes.
    pub fn base_path(mut self, path: &str) -> Result<Self, HealthError> {
        self.paths.set_base(path)?;
        Ok(self)
    }

    /// Whether `/livez`, `/readyz`, `/ready` and `/startup` are served. Default true.
    #[must_use]
    pub fn aliases(mut self, aliases: bool) -> Self {
        self.paths.set_aliases(aliases);
        self
    }

    /// Who sees messages and details. Default [`Exposure::public`]: nobody.
    #[must_use]
    pub fn exposure(mut self, exposure: Exposure) -> Self {
        self.exposure = exposure;
        self
    }

    /// What `/health/tools` shows. Default nothing.
    #[must_use]
    pub fn tools(mut self, tools: ToolUrls) -> Self {
        self.tools = tools.redacted(self.registry.redactor());
        self
    }

    /// Whether `/health` and `/health/detailed` are 503 when the whole is unhealthy. Default false: the status
    /// is in the body.
    #[must_use]
    pub fn unhealthy_as_503(mut self, yes: bool) -> Self {
        self.unhealthy_as_503 = yes;
        self
    }

    /// What a path asks for; none if it is not one of these endpoints.
    ///
    /// ```
    /// use bartizan_health::{Endpoints, Probe, Registry};
    ///
    /// let endpoints = Endpoints::new(Registry::new());
    /// assert_eq!(endpoints.probe("/readyz"), Some(Probe::Ready));
    /// assert_eq!(endpoints.probe("/orders"), None);
    /// ```
    pub fn probe(&self, path: &str) -> Option<Probe> {
        self.paths.probe(path)
    }

    /// The answer to a probe, for a host that is no tower service.
    ///
    /// It takes no longer than the registry's [`answer_within`](crate::RegistryBuilder::answer_within).
    pub async fn answer(&self, probe: Probe, request: &Parts) -> Answer {
        if let Some(answer) = Answer::without_document(&request.method) {
            return answer;
        }
        let registry = &self.registry;
        let full = self.exposure.allows(request);
        let answer = match probe {
            Probe::Live => answer::live(),
            Probe::Tools => Answer::document(http::StatusCode::OK, &self.tools),
            Probe::Health => answer::health(&registry.report(Group::All).await, full, self.unhealthy_as_503),
            Probe::Detailed => {
                answer::detailed(&registry.report(Group::All).await, full, self.unhealthy_as_503)
            }
            Probe::Ready => answer::ready(&registry.readiness().await, full),
            Probe::Startup => answer::startup(&registry.startup().await, full),
        };
        answer.for_method(&request.method)
    }

    /// A tower layer that answers the health paths and passes all else on.
    pub fn layer(self) -> HealthLayer {
        HealthLayer::from(self)
    }

    /// A service of its own, for a management port; what is not a health path is 404.
    pub fn service(self) -> HealthEndpoint {
        HealthEndpoint::new(Arc::new(self))
    }

    #[cfg(feature = "axum")]
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }
}
