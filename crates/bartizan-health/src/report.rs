//! The snapshot that every answer, metric and probe is made of.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{Criticality, Status};

/// What the checks of a [`Group`](crate::Group) say at one moment.
///
/// ```
/// use bartizan_health::{Group, Health, Registry, Status};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bartizan_health::HealthError> {
/// let registry = Registry::new();
/// registry.register("cache", || async { Health::degraded("one of three nodes is down") })?;
///
/// let report = registry.report(Group::All).await;
/// assert_eq!(report.status, Status::Degraded);
/// assert_eq!(report.checks[0].message.as_deref(), Some("one of three nodes is down"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The worst of the checks' statuses, each counted by its criticality; healthy if there is no check.
    pub status: Status,
    /// When the report was put together.
    pub timestamp: SystemTime,
    /// Whether the service is shutting down: not ready, whatever the checks say.
    pub draining: bool,
    /// Whether the startup checks have passed once.
    pub started: bool,
    /// The checks, in the order of their registration.
    pub checks: Vec<CheckReport>,
    /// A start has begun and not succeeded yet: not ready, whatever the checks say.
    pub(crate) starting: bool,
}

impl Report {
    pub(crate) fn new(
        timestamp: SystemTime,
        draining: bool,
        started: bool,
        checks: Vec<CheckReport>,
    ) -> Self {
        let status = checks.iter().map(CheckReport::counted).max().unwrap_or(Status::Healthy);
        Self { status, timestamp, draining, started, checks, starting: false }
    }

    /// May traffic come, as far as these checks know?
    pub(crate) fn is_ready(&self) -> bool {
        !self.draining && !self.starting && self.status < Status::Unhealthy
    }
}

/// The last result of one check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckReport {
    /// The name it is registered under.
    pub name: Arc<str>,
    /// What it said, whatever its criticality.
    pub status: Status,
    /// Why, redacted and at most 256 characters long.
    pub message: Option<Arc<str>>,
    /// How long the run took, up to the timeout.
    pub latency: Duration,
    /// Figures, redacted and at most 8 KiB of JSON.
    pub details: Option<Arc<Value>>,
    /// When the run ended.
    pub checked_at: SystemTime,
    /// What unhealthy means for the whole.
    pub criticality: Criticality,
    /// The result is older than the check's ttl, because the next run has not ended or was not asked for.
    pub stale: bool,
}

impl CheckReport {
    /// The status as the whole sees it: a non-critical check is degraded at worst.
    ///
    /// ```
    /// # use bartizan_health::{CheckOptions, Criticality, Group, Health, Registry, Status};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), bartizan_health::HealthError> {
    /// let registry = Registry::new();
    /// let options = CheckOptions::new().criticality(Criticality::NonCritical);
    /// registry.register_with("mail", || async { Health::unhealthy("refused") }, options)?;
    ///
    /// let report = registry.report(Group::All).await;
    /// assert_eq!(report.checks[0].status, Status::Unhealthy);
    /// assert_eq!(report.checks[0].counted(), Status::Degraded);
    /// # Ok(())
    /// # }
    /// ```
    pub fn counted(&self) -> Status {
        match self.criticality {
            Criticality::Critical => self.status,
            Criticality::NonCritical => self.status.min(Status::Degraded),
        }
    }
}
