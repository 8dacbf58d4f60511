//! What is switched on: the start-up event and `/observability/config`.

use std::net::SocketAddr;

use bartizan_trace::TraceStatus;
use serde_json::{Value, json};

pub(crate) struct Summary<'a> {
    pub(crate) service: &'a str,
    pub(crate) version: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) correlated: bool,
    pub(crate) metrics: bool,
    pub(crate) metrics_listener: Option<SocketAddr>,
    pub(crate) traced: bool,
    pub(crate) tracing: &'a TraceStatus,
}

impl Summary<'_> {
    /// Writes the start-up event.
    pub(crate) fn log(&self) {
        let mut on = vec!["log", "health"];
        if self.correlated {
            on.insert(0, "correlation");
        }
        if self.metrics {
            on.push("metrics");
        }
        if self.traced {
            on.push(if self.exporting() { "trace" } else { "trace context" });
        }
        bartizan_log::startup_event(self.service, self.version, self.environment, &on);
    }

    /// The document of `/observability/config`. Hosts, tokens and headers stay out of it.
    pub(crate) fn config(&self) -> Value {
        let protocol = match self.tracing {
            TraceStatus::Exporting { protocol, .. } if self.traced => Some(protocol.to_string()),
            _ => None,
        };
        json!({
            "service": self.service,
            "version": self.version,
            "environment": self.environment,
            "correlation": { "enabled": self.correlated },
            "logging": { "enabled": true },
            "metrics": { "enabled": self.metrics, "own_listener": self.metrics_listener.is_some() },
            "tracing": { "enabled": self.traced, "exporting": self.exporting(), "protocol": protocol },
            "health": { "enabled": true },
        })
    }

    fn exporting(&self) -> bool {
        self.traced && !matches!(self.tracing, TraceStatus::Off { .. })
    }
}
