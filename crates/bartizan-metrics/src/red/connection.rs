//! The life of an upgraded connection, apart from the exchange that began it.

use std::time::Instant;

use bartizan_core::{Clock, Record};
use metrics::{Gauge, Unit};

const IN_USE: &str = "http_upgraded_connections";
const DURATION: &str = "http_upgraded_connection_duration_seconds";

/// Measures a connection after its exchange has ended as `upgraded`: a WebSocket lives for hours, and would drown the durations of
/// requests. Hold it as long as the connection; its drop ends the measurement.
///
/// | metric | kind | labels |
/// |---|---|---|
/// | `http_upgraded_connections` | gauge, while the connection lives | `endpoint` |
/// | `http_upgraded_connection_duration_seconds` | histogram, at its end | `endpoint` |
///
/// Both go to the `metrics` recorder of the moment; the [`Store`](crate::Store) has buckets from a second to a day for the histogram.
///
/// ```
/// use bartizan_core::Record;
/// use bartizan_metrics::UpgradedConnection;
///
/// fn upgrade(request: &http::Request<()>) -> Option<UpgradedConnection> {
///     let record = Record::of(request)?;
///     // Move it into the task that serves the connection.
///     Some(UpgradedConnection::begin(&record))
/// }
/// ```
#[must_use = "the connection is measured until this is dropped"]
pub struct UpgradedConnection {
    endpoint: String,
    in_use: Gauge,
    clock: Clock,
    started: Instant,
}

impl UpgradedConnection {
    /// The connection of this request begins.
    pub fn begin(record: &Record) -> Self {
        Self::begin_at(record, Clock::default())
    }

    /// The same by another clock.
    pub fn begin_at(record: &Record, clock: Clock) -> Self {
        metrics::describe_gauge!(IN_USE, Unit::Count, "Connections that live on after an upgrade.");
        metrics::describe_histogram!(DURATION, Unit::Seconds, "Lifetime of connections after an upgrade.");
        let endpoint = record.route().to_owned();
        let in_use = metrics::gauge!(IN_USE, "endpoint" => endpoint.clone());
        in_use.increment(1.0);
        Self { endpoint, in_use, clock, started: clock.now() }
    }
}

impl Drop for UpgradedConnection {
    fn drop(&mut self) {
        let lifetime = self.clock.now().saturating_duration_since(self.started);
        metrics::histogram!(DURATION, "endpoint" => self.endpoint.clone()).record(lifetime.as_secs_f64());
        self.in_use.decrement(1.0);
    }
}

impl std::fmt::Debug for UpgradedConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpgradedConnection").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
