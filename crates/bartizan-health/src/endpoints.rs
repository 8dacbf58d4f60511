//! The health paths of one port: what they are called, who sees what.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    Answer, Exposure, Group, HealthEndpoint, HealthError, HealthLayer, Probe, Registry, ToolUrls,
    answer::{
        Verdict,
        health_json::{self, About},
        json, verbose,
    },
    exposure::Sight,
    paths::{Paths, Route},
    registry::Snapshot,
    request::{Ask, Form},
    served::{Rendered, Served},
};

/// A registry's HTTP side. One registry may have several: one for the public port, one for the management port.
///
/// | path | answer |
/// |---|---|
/// | `/health` | `{"status","timestamp","checks":[{"name","status","message","latency_ms","details","checked_at"}]}`, 200 |
/// | `/health/live`, `/health/liveness`, `/livez` | `{"status":"alive"}`, 200; 503 and `dead` if a check of liveness failed |
/// | `/health/ready`, `/health/readiness`, `/readyz`, `/ready` | `{"status":"ready" or "not_ready","health":..,"checks":{name:"ok" or "error: .."}}`, 200 or 503 |
/// | `/health/startup`, `/startup` | `{"status":"started" or "not_started","checks":{name:..}}`, 503 until the startup checks have passed once |
/// | `/health/detailed` | as `/health`, with `failed_checks` (names of the unhealthy), `total_checks`, `passed_checks` (numbers), and for each check `criticality`, `age_ms`, `stale`, `failures` |
/// | `/health/tools` | `{"grafana","prometheus","alertmanager","tasks"}`, each a URL or null |
/// | `/observability/config` | the document that [`config`](Self::config) was given |
/// | `/readyz/{check}`, `/livez/{check}`, `/health/{ready,live,startup}/{check}` | one check: `ok`, 200, or `[-]{check} failed: ..`, 503 |
/// | a [`group`](Self::group)'s path | as `/health`, of the group's checks; 503 when unhealthy |
///
/// Readiness is about the checks that are part of readiness, and its `health` is the `/health` document of
/// these. A degraded check is `ok` there: it keeps no traffic away. Once the startup checks have passed, they
/// are not run for `/health/startup` again and its `checks` is empty. What of this a caller sees is a matter of
/// the [`exposure`](Self::exposure).
///
/// # Other forms
///
/// - `Accept: application/health+json`: the document of draft-inadarei-api-health-check, with `pass`, `warn` or
///   `fail`, each check under `{name}:responseTime` (colons in a name as dots); fail is 503.
/// - `?verbose`: text as the API server of Kubernetes prints it, `[+]db ok` a line and `readyz check passed` at
///   the end; failed is 503.
/// - `?exclude={check}`, any number of times: the verdict without these checks, for callers who may see names.
///
/// GET and HEAD are served, OPTIONS is 204, any other method 405. A slash at the end does not matter.
/// Every answer has `cache-control: no-store`. Times are RFC 3339 in UTC. A layer and a service keep an answer
/// for up to a second as long as nothing in it changes; `timestamp` tells when it was made.
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
    config: Option<Arc<Value>>,
    about: About,
    unhealthy_as_503: bool,
}

impl Endpoints {
    /// Under `/health` and the aliases, with nothing but the status for anybody.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            paths: Paths::default(),
            exposure: Exposure::default(),
            tools: ToolUrls::default(),
            config: None,
            about: About::default(),
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

    /// Serves a group of the application, [`CheckOptions::group`](crate::CheckOptions::group), at a path of its own.
    ///
    /// ```
    /// use bartizan_health::{CheckOptions, Endpoints, Health, Registry};
    ///
    /// let registry = Registry::new();
    /// let options = CheckOptions::new().readiness(false).group("partners");
    /// registry.register_with("bank", || async { Health::healthy() }, options)?;
    /// let layer = Endpoints::new(registry).group("partners", "/health/partners")?.layer();
    /// # Ok::<_, bartizan_health::HealthError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The path is taken, or no plain path as for [`base_path`](Self::base_path).
    pub fn group(mut self, group: &'static str, path: &str) -> Result<Self, HealthError> {
        self.paths.add_group(group, path)?;
        Ok(self)
    }

    /// The same live and ready, and nothing else, with nothing but the status for anybody: what stays on the
    /// main port when the rest is on a management port, which says nothing of the main one.
    ///
    /// ```
    /// use bartizan_health::{Endpoints, Exposure, Registry};
    ///
    /// let management = Endpoints::new(Registry::new()).exposure(Exposure::full());
    /// let main_port = management.mirror().layer();
    /// let management_port = management.service();
    /// ```
    #[must_use]
    pub fn mirror(&self) -> Self {
        let mut mirror = self.clone().exposure(Exposure::public());
        mirror.paths.set_mirror();
        mirror
    }

    /// The service's name and version, which `application/health+json` gives to callers who see all. Default
    /// none; an empty text is none.
    #[must_use]
    pub fn about(mut self, service: &str, version: &str) -> Self {
        self.about = About::new(service, version);
        self
    }

    /// Who sees more than the status. Default [`Exposure::public`]: nobody.
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

    /// What `/observability/config` shows to everybody: which parts of the service are switched on. Default: there is no such path. The facade
    /// gives it its own; nothing in it is redacted.
    ///
    /// ```
    /// use bartizan_health::{Endpoints, Registry};
    /// use serde_json::json;
    ///
    /// let endpoints = Endpoints::new(Registry::new()).config(json!({ "metrics": { "enabled": true } }));
    /// ```
    #[must_use]
    pub fn config(mut self, document: Value) -> Self {
        self.config = Some(Arc::new(document));
        self.paths.set_config();
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
        match self.paths.route(path)? {
            Route::Probe(probe) => Some(probe),
            Route::Check(group, name) => {
                let name = percent_decode_str(name).decode_utf8().ok()?;
                self.registry.find(group, &name).map(Probe::Check)
            }
        }
    }

    /// The answer to a probe, for a host that is no tower service. A check whose name the caller may not see is 404.
    ///
    /// It takes no longer than the registry's [`answer_within`](crate::RegistryBuilder::answer_within).
    pub async fn answer(&self, probe: Probe, request: &Parts) -> Answer {
        let Some(ask) = self.ask(probe, request) else { return Answer::not_found() };
        if let Some(answer) = Answer::without_document(&request.method) {
            return answer;
        }
        self.rendered(&ask).await.answer.for_method(&request.method)
    }

    /// None if the caller may not know that there is such a check.
    pub(crate) fn ask(&self, probe: Probe, request: &Parts) -> Option<Ask> {
        let sight = self.exposure.sight(request);
        let hidden = sight < Sight::Names && matches!(probe, Probe::Check(_));
        (!hidden).then(|| Ask::new(probe, sight, request))
    }

    /// None if a rule has to see the whole request.
    pub(crate) fn sight_by_headers(&self, headers: &HeaderMap) -> Option<Sight> {
        self.exposure.sight_by_headers(headers)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.registry.generation()
    }

    pub(crate) async fn rendered(&self, ask: &Ask) -> Rendered {
        let (group, verdict, name) = match &ask.probe {
            Probe::Tools => return Rendered::once(Answer::json(StatusCode::OK, &self.tools)),
            Probe::Config => {
                return Rendered::once(Answer::json(StatusCode::OK, &self.config.as_deref()));
            }
            Probe::Check(name) => return Rendered::once(self.single(name, ask).await),
            Probe::Live => (Group::Liveness, Verdict::Alive, "livez"),
            Probe::Ready => (Group::Readiness, Verdict::Ready, "readyz"),
            Probe::Startup => (Group::Startup, Verdict::Started, "startup"),
            Probe::Health | Probe::Detailed => (Group::All, Verdict::Healthy, "healthz"),
            Probe::Group(group) => (Group::Named(group), Verdict::Healthy, *group),
        };
        let Snapshot { report, generation, until } = self.registry.snapshot(group).await;
        let answer = if ask.form == Form::Verbose {
            verbose::text(&report, verdict, ask.sight, &ask.excluded, name)
        } else {
            let report = report.without(&ask.excluded);
            let good = verdict.of(&report);
            let status_in_body = !self.unhealthy_as_503 && group == Group::All;
            match (ask.form, &ask.probe) {
                (Form::HealthJson, _) => health_json::document(&report, good, ask.sight, &self.about),
                (_, Probe::Live) => json::live(&report, ask.sight),
                (_, Probe::Ready) => json::ready(&report, ask.sight),
                (_, Probe::Startup) => json::startup(&report, ask.sight),
                (_, Probe::Detailed) => json::detailed(&report, ask.sight, good || status_in_body),
                _ => json::health(&report, ask.sight, good || status_in_body),
            }
        };
        Rendered { answer, generation, until }
    }

    /// One check by its name: unhealthy is 503, whatever its criticality.
    async fn single(&self, name: &str, ask: &Ask) -> Answer {
        let report = self.registry.traffic_report(|slot| *slot.name == *name).await;
        match ask.form {
            Form::HealthJson => {
                let good = report.checks.iter().all(|check| check.status < crate::Status::Unhealthy);
                health_json::document(&report, good, ask.sight, &self.about)
            }
            Form::Json | Form::Verbose => verbose::single(&report, ask.sight),
        }
    }

    /// A tower layer that answers the health paths and passes all else on.
    pub fn layer(self) -> HealthLayer {
        HealthLayer::from(self)
    }

    /// A service of its own, for a management port; what is not a health path is 404.
    pub fn service(self) -> HealthEndpoint {
        HealthEndpoint::new(Served::new(self))
    }

    #[cfg(feature = "axum")]
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }
}
