//! What a part of the stack takes more settings for than the builder has methods.

use bartizan_health::{Endpoints, HealthError};
use bartizan_log::LogBuilder;

use crate::builder::ObservabilityBuilder;

pub(super) type ChangeLog = dyn FnOnce(LogBuilder) -> LogBuilder;
pub(super) type ChangeEndpoints = dyn FnOnce(Endpoints) -> Result<Endpoints, HealthError>;

impl ObservabilityBuilder {
    /// The log: the filter where neither `RUST_LOG` nor `LOG_LEVEL` is set, how many bytes may wait, JSON in strings. Its masker is replaced
    /// by the stack's.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    ///
    /// let observability = Observability::builder("orders").log(|log| log.filter("info,hyper=warn").json_strings(true)).init()?;
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn log(mut self, change: impl FnOnce(LogBuilder) -> LogBuilder + 'static) -> Self {
        self.log = Box::new(change);
        self
    }

    /// The health paths: their base, the aliases, groups of the application. Exposure, tools and the status of `/health` have methods of
    /// their own, which replace what is set here.
    ///
    /// The request log skips `/health*` and the aliases only: name another base to
    /// [`skip_routes`](bartizan_log::RequestLogLayer::skip_routes), where probes pass the stack.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    ///
    /// let observability = Observability::builder("orders").health_endpoints(|health| health.base_path("/-/health")).init()?;
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn health_endpoints(
        mut self,
        change: impl FnOnce(Endpoints) -> Result<Endpoints, HealthError> + 'static,
    ) -> Self {
        self.endpoints = Box::new(change);
        self
    }
}
