//! How a check is run and what its result counts for.

use std::time::Duration;

use crate::{HealthError, MAX_NAME_BYTES};

/// What an unhealthy check does to the status of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Criticality {
    /// Unhealthy makes the whole unhealthy: the service cannot work without it.
    #[default]
    Critical,
    /// Unhealthy makes the whole degraded at most: the service works without it, but worse.
    NonCritical,
}

/// Which checks a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Every check.
    All,
    /// The checks that decide whether traffic may come.
    Readiness,
    /// The checks that must have passed once before the service counts as started.
    Startup,
}

/// How one check is run and counted, for [`Registry::register_with`](crate::Registry::register_with).
///
/// ```
/// use std::time::Duration;
/// use bartizan_health::{CheckOptions, Criticality, Registry};
///
/// let options = CheckOptions::new()
///     .timeout(Duration::from_secs(2))
///     .ttl(Duration::from_secs(10))
///     .criticality(Criticality::NonCritical);
/// Registry::new().register_with("search", || async { Ok::<_, String>(()) }, options)?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CheckOptions {
    pub(crate) timeout: Duration,
    pub(crate) ttl: Duration,
    pub(crate) cancel_on_timeout: bool,
    pub(crate) criticality: Criticality,
    pub(crate) readiness: bool,
    pub(crate) startup: bool,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            ttl: Duration::from_secs(1),
            cancel_on_timeout: false,
            criticality: Criticality::Critical,
            readiness: true,
            startup: false,
        }
    }
}

impl CheckOptions {
    /// The defaults: timeout 5 s, ttl 1 s, critical, part of readiness.
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
    /// Only for a check that may be dropped at any `await`, and not for [`blocking`](crate::blocking), whose
    /// function goes on all the same: each further run would then hold one more thread.
    #[must_use]
    pub fn cancel_on_timeout(mut self, cancel: bool) -> Self {
        self.cancel_on_timeout = cancel;
        self
    }

    /// How long a result answers probes before the check is run again, counted from the end of the run.
    /// Default 1 s; zero runs the check for every probe that comes while it is not running.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// What unhealthy does to the whole. Default [`Criticality::Critical`].
    #[must_use]
    pub fn criticality(mut self, criticality: Criticality) -> Self {
        self.criticality = criticality;
        self
    }

    /// Whether the check is part of readiness. Default true.
    #[must_use]
    pub fn readiness(mut self, member: bool) -> Self {
        self.readiness = member;
        self
    }

    /// Whether the check must have passed before the service counts as started. Default false.
    #[must_use]
    pub fn startup(mut self, member: bool) -> Self {
        self.startup = member;
        self
    }

    pub(crate) fn is_in(&self, group: Group) -> bool {
        match group {
            Group::All => true,
            Group::Readiness => self.readiness,
            Group::Startup => self.startup,
        }
    }
}

/// The rules for names, and for what no check can work with.
pub(crate) fn validate(name: &str, options: &CheckOptions) -> Result<(), HealthError> {
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
    if options.timeout.is_zero() {
        return Err(HealthError::ZeroTimeout { name: name.into() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> Result<(), HealthError> {
        validate(name, &CheckOptions::new())
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
    fn a_timeout_of_zero_is_refused() {
        let options = CheckOptions::new().timeout(Duration::ZERO);
        assert_eq!(validate("a", &options), Err(HealthError::ZeroTimeout { name: "a".into() }));
    }
}
