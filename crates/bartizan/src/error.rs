//! What can be wrong at the start.

use thiserror::Error;

/// Why [`init`](crate::ObservabilityBuilder::init) failed: one message that names the setting, the form it must have, and the fix.
#[derive(Error)]
#[non_exhaustive]
pub enum InitError {
    /// An environment variable has not the form it needs.
    #[error("{name}={shown}: expected {form}; correct or unset it")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value, or `...` where that could be a secret.
        shown: String,
        /// What it must look like.
        form: &'static str,
    },
    /// A setting of logging, `RUST_LOG`, `LOG_LEVEL` or `LOG_FORMAT`.
    #[error(transparent)]
    Log(#[from] bartizan_log::LogError),
    /// A setting of tracing, such as an `OTEL_*` variable.
    #[error(transparent)]
    Trace(#[from] bartizan_trace::SetupError),
    /// A health check that cannot be registered.
    #[error(transparent)]
    Health(#[from] bartizan_health::HealthError),
    /// Buckets of the metrics store that cannot be used.
    #[error(transparent)]
    Store(#[from] bartizan_metrics::BuildError),
    /// A metric that cannot be set up.
    #[error(transparent)]
    Metrics(#[from] bartizan_metrics::ExternalError),
    /// A metric that cannot be registered.
    #[error(transparent)]
    Metric(#[from] bartizan_metrics::MetricError),
    /// The address that metrics are to be served on cannot be had.
    #[error("cannot listen on {address} for metrics: {error}; set METRICS_PORT to a free port")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// Something else in this process has installed itself already.
    #[error("{what} is installed already; call init once, before anything else installs one")]
    Installed {
        /// What.
        what: &'static str,
    },
}

/// `fn main() -> Result<(), ..>` shows an error by its `Debug`: here that is the message, so that it is readable there too.
macro_rules! debug_as_message {
    ($($error:ty)*) => {$(
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )*};
}

debug_as_message!(InitError ShutdownError ServeError crate::start::StartError);

impl InitError {
    pub(crate) fn variable(name: &'static str, value: &str, form: &'static str) -> Self {
        let short: String = value.chars().take(64).collect();
        Self::Variable { name, shown: format!("{short:?}"), form }
    }

    pub(crate) fn secret_variable(name: &'static str, form: &'static str) -> Self {
        Self::Variable { name, shown: "...".to_owned(), form }
    }
}

/// Something was not flushed before the deadline.
#[derive(Error)]
#[non_exhaustive]
pub enum ShutdownError {
    /// Spans that the collector did not take.
    #[error(transparent)]
    Spans(#[from] bartizan_trace::FlushError),
    /// Log lines that the sink did not take.
    #[error("log lines were not written in time; see that the sink of the log is read")]
    Lines,
}

/// Why [`run`](crate::Observability::run) or `serve` did not end cleanly.
#[derive(Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A server failed.
    #[error("the server stopped: {0}")]
    Server(Box<dyn std::error::Error + Send + Sync>),
    /// The [startup checks](crate::Observability::start_while_serving) did not pass while it served.
    #[error(transparent)]
    Startup(#[from] bartizan_health::StartupError),
    /// Requests were still running at the drain deadline; they were cut off.
    #[error(transparent)]
    Unfinished(#[from] bartizan_health::Unfinished),
    /// Not everything was flushed.
    #[error(transparent)]
    Flush(#[from] ShutdownError),
}
