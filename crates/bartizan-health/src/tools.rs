//! Where the people who run the service look next.

use serde::Serialize;

use crate::Redactor;

/// The URLs that `/health/tools` shows; null where unset.
///
/// They are shown to every caller, as that is what they are for: set those that your callers may know. User
/// info and secret query values are redacted all the same.
///
/// ```
/// use bartizan_health::{Endpoints, Registry, ToolUrls};
///
/// let tools = ToolUrls { grafana: Some("https://grafana.example.com".into()), ..ToolUrls::default() };
/// let endpoints = Endpoints::new(Registry::new()).tools(tools);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ToolUrls {
    /// Grafana.
    pub grafana: Option<String>,
    /// Prometheus.
    pub prometheus: Option<String>,
    /// Alertmanager.
    pub alertmanager: Option<String>,
    /// The dashboard of the task queue, such as Flower.
    pub tasks: Option<String>,
}

impl ToolUrls {
    pub(crate) fn redacted(self, redactor: &dyn Redactor) -> Self {
        let redact = |url: Option<String>| url.map(|url| redactor.text(&url).into_owned());
        Self {
            grafana: redact(self.grafana),
            prometheus: redact(self.prometheus),
            alertmanager: redact(self.alertmanager),
            tasks: redact(self.tasks),
        }
    }
}
