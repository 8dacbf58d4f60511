//! Where the people who run the service look next.

use std::fmt;

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
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
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

/// Which are set: before they are shown, a URL may hold a password.
impl fmt::Debug for ToolUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolUrls")
            .field("grafana", &self.grafana.is_some())
            .field("prometheus", &self.prometheus.is_some())
            .field("alertmanager", &self.alertmanager.is_some())
            .field("tasks", &self.tasks.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::ToolUrls;

    #[test]
    fn passwords_in_urls_are_not_in_debug() {
        let tools = ToolUrls { grafana: Some("https://ada:hunter2@g".into()), ..ToolUrls::default() };
        let shown = format!("{tools:?}");
        assert!(shown.contains("grafana: true") && !shown.contains("hunter2"), "{shown}");
    }
}
