//! What is switched on: the start-up event and `/observability/config`.

use bartizan_trace::TraceStatus;
use serde_json::{Value, json};

pub(crate) struct Summary<'a> {
    pub(crate) service: &'a str,
    pub(crate) version: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) correlated: bool,
    pub(crate) metrics: bool,
    pub(crate) metrics_listener: bool,
    /// `None` where tracing is out of the stack.
    pub(crate) tracing: Option<&'a TraceStatus>,
}

impl Summary<'_> {
    /// Writes the start-up event.
    pub(crate) fn log(&self) {
        let trace = if self.exporting() { "trace" } else { "trace context" };
        let all = [
            ("correlation", self.correlated),
            ("log", true),
            ("health", true),
            ("metrics", self.metrics),
            (trace, self.tracing.is_some()),
        ];
        let on: Vec<_> = all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect();
        bartizan_log::startup_event(self.service, self.version, self.environment, &on);
    }

    /// The document of `/observability/config`. Hosts, tokens and headers stay out of it.
    pub(crate) fn config(&self) -> Value {
        let protocol = match self.tracing {
            Some(TraceStatus::Exporting { protocol, .. }) => Some(protocol.to_string()),
            _ => None,
        };
        json!({
            "service": self.service,
            "version": self.version,
            "environment": self.environment,
            "correlation": { "enabled": self.correlated },
            "logging": { "enabled": true },
            "metrics": { "enabled": self.metrics, "own_listener": self.metrics_listener },
            "tracing": { "enabled": self.tracing.is_some(), "exporting": self.exporting(), "protocol": protocol },
            "health": { "enabled": true },
        })
    }

    fn exporting(&self) -> bool {
        self.tracing.is_some_and(|status| !matches!(status, TraceStatus::Off { .. }))
    }
}
