//! How a check is run and what its result counts for.

use std::time::Duration;

use serde::Serialize;

use crate::{HealthError, MAX_NAME_BYTES, threshold::Thresholds};

/// What an unhealthy check does to the status of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Criticality {
    /// Unhealthy makes the whole unhealthy: the service cannot work without it.
    #[default]
    Critical,
    /// Unhealthy makes the whole degraded at most: the service works without it, but worse.
    Degrading,
    /// It never changes the status of the whole: shown, logged and measured, and nothing else.
    Informational,
}

/// Which checks a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Every check.
    All,
    /// The checks of the process itself: one that fails for good gets it restarted.
    Liveness,
    /// The checks that decide whether traffic may come.
    Readiness,
    /// The checks that must have passed once before the service counts as started.
    Startup,
    /// A group of the application: see [`CheckOptions::group`].
    Named(&'static str),
}

impl Group {
    /// Groups that are asked about to decide where traffic goes and what is restarted: once the service drains,
    /// their checks are not run any more.
    pub(crate) fn is_for_traffic(self) -> bool {
        !matches!(self, Self::All | Self::Startup)
    }
}

/// How one check is run and counted, for [`Registry::register_with`](crate::Registry::register_with).
///
/// ```
/// use std::time::Duration;
/// use bartizan_health::{CheckOptions, Criticality, Registry};
///
/// let options = CheckOptions::new()
///     .timeout(Duration::from_secs(2))
///     .interval(Duration::from_secs(10))
///     .failure_threshold(3)
///     .criticality(Criticality::Degrading);
/// Registry::new().register_with("search", || async { Ok::<_, String>(()) }, options)?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CheckOptions {
    pub(crate) timeout: Duration,
    pub(crate) ttl: Duration,
    pub(crate) interval: Option<Duration>,
    pub(crate) cancel_on_timeout: bool,
    pub(crate) thresholds: Thresholds,
    pub(crate) criticality: Criticality,
    liveness: bool,
    /// None is yes, unless the check is part of liveness.
    readiness: Option<bool>,
    startup: bool,
    groups: Vec<&'static str>,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            ttl: Duration::from_secs(1),
            interval: None,
            cancel_on_timeout: false,
            thresholds: Thresholds::default(),
            criticality: Criticality::Critical,
            liveness: false,
            readiness: None,
            startup: false,
            groups: Vec::new(),
        }
    }
}

impl CheckOptions {
    /// The defaults: timeout 5 s, run when asked with a ttl of 1 s, critical, part of readiness.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A run that takes longer is unhealthy with the message `Timeout`. Default 5 s; zero is refused.
    ///
    /// The run is not cancelled: it goes on unseen, the check is not started again before it has
    /// returned, and its late result is dropped. A run that never returns thus keeps the check at `Timeout`
    /// for ever: give the client that it uses a timeout too, or see
    /// [`cancel_on_timeout`](Self::cancel_on_timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether a run that timed out is dropped, so that the check can be started again. Default false.
    ///
    /// Only for a check that may be dropped at any `await`. It does not help [`blocking`](crate::blocking),
    /// whose function goes on all the same.
    #[must_use]
    pub fn cancel_on_timeout(mut self, cancel: bool) -> Self {
        self.cancel_on_timeout = cancel;
        self
    }

    /// How long a result answers probes before the check is run again, counted from the end of the run.
    /// Default 1 s; zero runs the check for every probe that comes while it is not running. It is not used
    /// with an [`interval`](Self::interval).
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Runs the check in the background, this long after the end of each run, instead of when somebody asks.
    /// Default none; zero is refused.
    ///
    /// The first run begins at the registration within a tokio runtime, else at the first report. Probes read
    /// what is known and start nothing. A fleet that starts at once does not go on in step: the second run
    /// comes at a random time within the interval, the others up to a tenth earlier. From the drain on there
    /// are no more runs.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How many runs in a row must be worse than the status before it follows. Default 1; zero is refused.
    ///
    /// The first run counts as it is, so that a service that starts broken is not ready. A report shows the
    /// message of a run that does not count yet.
    #[must_use]
    pub fn failure_threshold(mut self, runs: u32) -> Self {
        self.thresholds.failure = runs;
        self
    }

    /// How many runs in a row must be better than the status before it follows. Default 1; zero is refused.
    #[must_use]
    pub fn success_threshold(mut self, runs: u32) -> Self {
        self.thresholds.success = runs;
        self
    }

    /// What unhealthy does to the whole. Default [`Criticality::Critical`].
    #[must_use]
    pub fn criticality(mut self, criticality: Criticality) -> Self {
        self.criticality = criticality;
        self
    }

    /// Whether the check is part of liveness. Default false.
    ///
    /// Only for what a restart mends, such as a worker that no longer moves. A check that is also part of
    /// readiness or that asks something outside of the process (see [`Check::is_dependency`]) is refused: a
    /// dependency that is down would get every instance restarted. Before its first result it passes.
    ///
    /// [`Check::is_dependency`]: crate::Check::is_dependency
    #[must_use]
    pub fn liveness(mut self, member: bool) -> Self {
        self.liveness = member;
        self
    }

    /// Whether the check is part of readiness. Default true, but false for a check of liveness.
    #[must_use]
    pub fn readiness(mut self, member: bool) -> Self {
        self.readiness = Some(member);
        self
    }

    /// Whether the check must have passed before the service counts as started. Default false.
    #[must_use]
    pub fn startup(mut self, member: bool) -> Self {
        self.startup = member;
        self
    }

    /// Puts the check into a group of the application, [`Group::Named`], beside what else it is part of.
    /// [`Endpoints::group`](crate::Endpoints::group) gives the group a path.
    #[must_use]
    pub fn group(mut self, name: &'static str) -> Self {
        self.groups.push(name);
        self
    }

    pub(crate) fn is_in(&self, group: Group) -> bool {
        match group {
            Group::All => true,
            Group::Liveness => self.liveness,
            Group::Readiness => self.readiness.unwrap_or(!self.liveness),
            Group::Startup => self.startup,
            Group::Named(name) => self.groups.contains(&name),
        }
    }
}

/// The rules for names, and for what no check can work with.
pub(crate) fn validate(name: &str, options: &CheckOptions, dependency: bool) -> Result<(), HealthError> {
    let mut codes = name.strip_prefix("module:").into_iter().flat_map(|codes| codes.split(':'));
    if name.trim().is_empty() || codes.any(|code| code.trim().is_empty()) {
        return Err(HealthError::EmptyName);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(HealthError::NameTooLong { bytes: name.len() });
    }
    if name.chars().any(char::is_control) {
        return Err(HealthError::ControlInName { name: name.into() });
    }
    let zero = |setting| Err(HealthError::Zero { name: name.into(), setting });
    if options.timeout.is_zero() {
        return zero("timeout");
    }
    if options.interval.is_some_and(|interval| interval.is_zero()) {
        return zero("interval");
    }
    if options.thresholds.failure == 0 || options.thresholds.success == 0 {
        return zero("threshold");
    }
    if options.liveness && (dependency || options.is_in(Group::Readiness)) {
        return Err(HealthError::DependencyInLiveness { name: name.into() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> Result<(), HealthError> {
        validate(name, &CheckOptions::new(), false)
    }

    #[test]
    fn plain_names_are_taken() {
        for name in
            ["database", "db.primary/eu-1", "Späti", "module:billing", "module:billing:db", &"x".repeat(128)]
        {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "  ", "module:", "module::db", "module:billing:"] {
            assert_eq!(check(name), Err(HealthError::EmptyName), "{name}");
        }
        assert_eq!(check(&"x".repeat(129)), Err(HealthError::NameTooLong { bytes: 129 }));
        assert!(matches!(check("a\nb"), Err(HealthError::ControlInName { .. })));
    }

    #[test]
    fn settings_of_zero_are_refused() {
        let options = CheckOptions::new();
        for (options, setting) in [
            (options.clone().timeout(Duration::ZERO), "timeout"),
            (options.clone().interval(Duration::ZERO), "interval"),
            (options.clone().failure_threshold(0), "threshold"),
            (options.success_threshold(0), "threshold"),
        ] {
            let refused = HealthError::Zero { name: "a".into(), setting };
            assert_eq!(validate("a", &options, false), Err(refused));
        }
    }

    #[test]
    fn a_dependency_is_no_part_of_liveness() {
        let live = CheckOptions::new().liveness(true);
        assert_eq!(validate("loop", &live, false), Ok(()));
        assert!(!live.is_in(Group::Readiness));
        let refused = HealthError::DependencyInLiveness { name: "db".into() };
        assert_eq!(validate("db", &live, true), Err(refused.clone()));
        assert_eq!(validate("db", &live.readiness(true), false), Err(refused.clone()));
        let error = refused.to_string();
        assert!(error.contains("`db`") && error.contains("liveness(false)"), "{error}");
    }
}
