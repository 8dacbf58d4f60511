//! Values that are kept elsewhere and read for each page.

use std::sync::Arc;

use super::Store;
use super::cell::Cell;
use super::{labels, names};

/// Why a value from elsewhere cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalError {
    /// The name cannot stand on a page.
    #[error(
        "metric name {name:?}: use letters, digits, `_` and `:` only, at most {} bytes, no digit first",
        names::MAX_NAME
    )]
    BadName {
        /// The name, cut if it is very long.
        name: String,
    },
    /// A counter's name does not end in `_total`.
    #[error("counter {name:?}: end its name in `_total`")]
    NoTotal {
        /// The name.
        name: String,
    },
    /// Another metric writes samples of this name.
    #[error("metric name {name:?} is taken: choose another, or register it once only")]
    Taken {
        /// The name.
        name: String,
    },
    /// The store has as many metric names as it may have.
    #[error("no room for metric {name:?}: the store is full with {limit} names, raise `max_metrics`")]
    TooMany {
        /// The name.
        name: String,
        /// The limit that was reached.
        limit: usize,
    },
}

impl Store {
    /// Shows a count that is kept elsewhere, read once for each page.
    ///
    /// So a crate that only has an atomic needs to know nothing of metrics. `read` must return
    /// fast and never go back; it may use the store. The name has to be a finished Prometheus
    /// name that ends in `_total`.
    ///
    /// # Errors
    ///
    /// [`ExternalError`] if the name is bad or taken, or the store has no room for it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use bartizan_metrics::{Format, Store};
    ///
    /// let store = Store::new();
    /// let dropped = Arc::new(AtomicU64::new(3));
    /// let read = dropped.clone();
    /// store.external_counter("log_lines_dropped_total", "Lines lost.", move || read.load(Relaxed))?;
    ///
    /// let mut page = Vec::new();
    /// store.render(Format::Text004, &mut page);
    /// assert!(String::from_utf8_lossy(&page).contains("log_lines_dropped_total 3\n"));
    /// # Ok::<(), bartizan_metrics::ExternalError>(())
    /// ```
    pub fn external_counter(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<(), ExternalError> {
        check(name)?;
        if !name.ends_with("_total") {
            return Err(ExternalError::NoTotal { name: name.to_owned() });
        }
        self.registry().external(name, help, Cell::ReadCounter(Arc::new(move || read() as f64)))
    }

    /// Shows a value that is kept elsewhere and goes up and down, read once for each page.
    ///
    /// # Errors
    ///
    /// [`ExternalError`] if the name is bad or taken, or the store has no room for it.
    ///
    /// ```
    /// use bartizan_metrics::{ExternalError, Store};
    ///
    /// let store = Store::new();
    /// store.external_gauge("pool_idle_connections", "Connections waiting for work.", || 4.0)?;
    /// let again = store.external_gauge("pool_idle_connections", "", || 0.0);
    /// assert!(matches!(again, Err(ExternalError::Taken { .. })));
    /// # Ok::<(), ExternalError>(())
    /// ```
    pub fn external_gauge(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), ExternalError> {
        check(name)?;
        self.registry().external(name, help, Cell::ReadGauge(Arc::new(read)))
    }
}

#[cfg_attr(not(any(feature = "process", feature = "runtime")), expect(dead_code, reason = "for those"))]
impl Store {
    /// Shows a time that only grows, in seconds with their fractions.
    pub(crate) fn external_seconds(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), ExternalError> {
        self.registry().external(name, help, Cell::ReadCounter(Arc::new(read)))
    }
}

fn check(name: &str) -> Result<(), ExternalError> {
    if names::is_metric_name(name) {
        return Ok(());
    }
    Err(ExternalError::BadName { name: labels::cut(name, names::MAX_NAME).to_owned() })
}
