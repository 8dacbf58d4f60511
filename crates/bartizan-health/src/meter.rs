//! The two metrics of health checks, through the `metrics` facade.

use std::{sync::Arc, time::Duration};

use metrics::{Unit, describe_gauge, describe_histogram, gauge, histogram};

use crate::Status;

const STATUS: &str = "health_check_status";
const DURATION: &str = "health_check_duration_seconds";

/// Called at the end of a registry's first run: later than the recorder is installed.
pub(crate) fn describe() {
    describe_gauge!(
        STATUS,
        "Last status of the check: 1 healthy, 0.5 degraded, 0 unhealthy, NaN unregistered."
    );
    describe_histogram!(DURATION, Unit::Seconds, "How long the check's runs took, up to its timeout.");
}

pub(crate) fn record(name: &Arc<str>, status: Status, latency: Duration) {
    let value = match status {
        Status::Healthy => 1.0,
        Status::Degraded => 0.5,
        Status::Unhealthy => 0.0,
    };
    gauge!(STATUS, "check" => Arc::clone(name)).set(value);
    histogram!(DURATION, "check" => Arc::clone(name)).record(latency.as_secs_f64());
}

/// A series cannot be taken back; NaN keeps a removed check from alerting for ever.
pub(crate) fn forget(name: &Arc<str>) {
    gauge!(STATUS, "check" => Arc::clone(name)).set(f64::NAN);
}
