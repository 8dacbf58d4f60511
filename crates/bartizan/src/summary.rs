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
        bartizan_log::startup_event(self.service, self.version, self.environment, &self.on());
    }

    fn on(&self) -> Vec<&'static str> {
        let mut on = vec!["log", "health"];
        if self.correlated {
            on.insert(0, "correlation");
        }
        if self.metrics {
            on.push("metrics");
        }
        if self.tracing.is_some() {
            on.push(if self.exporting() { "trace" } else { "trace context" });
        }
        on
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_switched_off_is_not_said_to_be_on() {
        let tracing = TraceStatus::Off { reason: "there is no endpoint" };
        let mut summary = Summary {
            service: "orders",
            version: "1",
            environment: "test",
            correlated: true,
            metrics: true,
            metrics_listener: false,
            tracing: Some(&tracing),
        };
        assert_eq!(summary.on(), ["correlation", "log", "health", "metrics", "trace context"]);
        assert_eq!(summary.config()["correlation"]["enabled"], true);

        (summary.correlated, summary.metrics, summary.tracing) = (false, false, None);
        assert_eq!(summary.on(), ["log", "health"]);
        for part in ["correlation", "metrics", "tracing"] {
            assert_eq!(summary.config()[part]["enabled"], false, "{part}");
        }
    }
}
