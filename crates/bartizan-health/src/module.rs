//! Names for the parts of a modular service.

use crate::{Check, CheckOptions, HealthError, Registry};

/// The name space of one module; [`Registry::module`] makes it.
///
/// ```
/// use bartizan_health::{Health, Registry};
///
/// let registry = Registry::new();
/// let billing = registry.module("billing");
/// billing.register(|| async { Health::healthy() })?; // module:billing
/// billing.part("ledger").register(|| async { Health::healthy() })?; // module:billing:ledger
///
/// assert_eq!(billing.unregister(), 2);
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Module {
    registry: Registry,
    name: String,
}

impl Module {
    pub(crate) fn new(registry: Registry, code: &str) -> Self {
        Self { registry, name: format!("module:{code}") }
    }

    /// One of several checks of the module: `module:{code}:{part}`.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        Self { registry: self.registry.clone(), name: format!("{}:{part}", self.name) }
    }

    /// The name that [`register`](Self::register) uses.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds the check under [`name`](Self::name).
    ///
    /// # Errors
    ///
    /// As [`Registry::register_with`]; an empty code or part is an empty name.
    pub fn register(&self, check: impl Check) -> Result<(), HealthError> {
        self.registry.register(self.name.clone(), check)
    }

    /// Adds the check under [`name`](Self::name) with options.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    pub fn register_with(&self, check: impl Check, options: CheckOptions) -> Result<(), HealthError> {
        self.registry.register_with(self.name.clone(), check, options)
    }

    /// Takes out the check of this name and those of its parts, and says how many there were.
    pub fn unregister(&self) -> usize {
        self.registry.remove(|name| {
            name.strip_prefix(&*self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
    }
}
