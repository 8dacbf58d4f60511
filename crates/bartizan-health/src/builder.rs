//! A registry's limits, set once.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Change, Check, CheckOptions, DefaultRedactor, HealthError, Redactor, Registry};

type Step = Box<dyn FnOnce(&Registry) -> Result<(), HealthError> + Send>;

/// Sets up a [`Registry`].
///
/// ```
/// use std::time::Duration;
/// use bartizan_health::{Health, Registry};
///
/// let registry = Registry::builder()
///     .answer_within(Duration::from_millis(20))
///     .max_checks(32)
///     .register("disk", || async { Health::healthy() })
///     .on_change(|change| println!("{} is {}", change.name, change.to))
///     .build()?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
pub struct RegistryBuilder {
    answer_within: Duration,
    max_checks: usize,
    redactor: Arc<dyn Redactor>,
    steps: Vec<Step>,
}

impl Default for RegistryBuilder {
    fn default() -> Self {
        Self {
            answer_within: Duration::from_millis(60),
            max_checks: 256,
            redactor: Arc::new(DefaultRedactor),
            steps: Vec::new(),
        }
    }
}

impl RegistryBuilder {
    /// The longest time that a report waits for checks. Default 60 ms; zero answers at once with what is known.
    #[must_use]
    pub fn answer_within(mut self, longest: Duration) -> Self {
        self.answer_within = longest;
        self
    }

    /// How many checks there may be at a time. Default 256.
    #[must_use]
    pub fn max_checks(mut self, limit: usize) -> Self {
        self.max_checks = limit;
        self
    }

    /// What takes secrets out of messages, details and tool URLs. Default [`DefaultRedactor`].
    #[must_use]
    pub fn redactor(mut self, redactor: impl Redactor) -> Self {
        self.redactor = Arc::new(redactor);
        self
    }

    /// Adds a check, as [`Registry::register`].
    #[must_use]
    pub fn register(self, name: impl Into<String>, check: impl Check) -> Self {
        self.register_with(name, check, CheckOptions::new())
    }

    /// Adds a check, as [`Registry::register_with`].
    #[must_use]
    pub fn register_with(self, name: impl Into<String>, check: impl Check, options: CheckOptions) -> Self {
        let name = name.into();
        self.step(move |registry| registry.register_with(name, check, options))
    }

    /// Adds a listener, as [`Registry::on_change`].
    #[must_use]
    pub fn on_change(self, listener: impl Fn(&Change) + Send + Sync + 'static) -> Self {
        self.step(move |registry| registry.on_change(listener))
    }

    fn step(mut self, step: impl FnOnce(&Registry) -> Result<(), HealthError> + Send + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// Makes the registry.
    ///
    /// # Errors
    ///
    /// The first check or listener that the registry refuses.
    pub fn build(mut self) -> Result<Registry, HealthError> {
        let steps = std::mem::take(&mut self.steps);
        let registry = self.empty();
        for step in steps {
            step(&registry)?;
        }
        Ok(registry)
    }

    pub(crate) fn empty(self) -> Registry {
        Registry::with(self.max_checks, self.answer_within, self.redactor)
    }
}

impl fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryBuilder")
            .field("answer_within", &self.answer_within)
            .field("max_checks", &self.max_checks)
            .finish_non_exhaustive()
    }
}
