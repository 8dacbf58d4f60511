//! The snapshot that every answer, metric and probe is made of.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{Criticality, Status, request::Excluded};

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

    /// What the others say.
    pub(crate) fn without(&self, excluded: &Excluded) -> Cow<'_, Self> {
        if excluded.is_empty() {
            return Cow::Borrowed(self);
        }
        let checks = self.checks.iter().filter(|check| !excluded.contains(&check.name)).cloned().collect();
        Cow::Owned(Self::new(self.timestamp, self.draining, self.started, checks))
    }

    /// Does the process live, as far as these checks know? What has no result yet is no reason to be restarted.
    pub(crate) fn is_alive(&self) -> bool {
        !self.checks.iter().any(|check| check.age.is_some() && check.counted() == Status::Unhealthy)
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
    /// How long ago that was, by a clock that nobody sets; none for a check that has no result yet.
    pub age: Option<Duration>,
    /// The result is older than it should be, because the next run has not ended or was not asked for: older
    /// than the check's ttl, or than its interval and timeout together.
    pub stale: bool,
    /// How many runs in a row were unhealthy, be the status that already or not yet.
    pub failures: u32,
}

impl CheckReport {
    /// The status as the whole sees it: a degrading check is degraded at worst, an informational one healthy.
    ///
    /// ```
    /// # use bartizan_health::{CheckOptions, Criticality, Group, Health, Registry, Status};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), bartizan_health::HealthError> {
    /// let registry = Registry::new();
    /// let options = CheckOptions::new().criticality(Criticality::Degrading);
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
            Criticality::Degrading => self.status.min(Status::Degraded),
            Criticality::Informational => Status::Healthy,
        }
    }
}
