//! The place where application metrics are made, and the one of this process.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bartizan_core::Clock;
use metrics::{Counter, Gauge, Histogram, KeyName};

use super::builder::MetricBuilder;
use super::labels::LabelSet;
use super::summary::Summary;
use super::timer::{Timer, TimerNames, TimingsBuilder};
use crate::store::Store;

static GLOBAL: OnceLock<Metrics> = OnceLock::new();
static OFF: Metrics = Metrics(None);

/// Makes the application's metrics in a [`Store`], or in none. Clones share everything.
///
/// See the [module's documentation](crate::app) for an example.
#[derive(Clone)]
pub struct Metrics(Option<Arc<Inner>>);

struct Inner {
    store: Store,
    clock: Clock,
    timers: TimerNames,
}

impl Metrics {
    /// Makes metrics in this store.
    pub fn new(store: &Store) -> Self {
        Self::with_clock(store, Clock::default())
    }

    /// The same, by another clock.
    pub fn with_clock(store: &Store, clock: Clock) -> Self {
        Self(Some(Arc::new(Inner { store: store.clone(), clock, timers: TimerNames::default() })))
    }

    /// Makes handles that do nothing and cost nothing.
    ///
    /// ```
    /// use bartizan_metrics::Metrics;
    ///
    /// let orders = Metrics::off().counter("orders_total").register()?;
    /// orders.increment(1);
    /// # Ok::<(), bartizan_metrics::MetricError>(())
    /// ```
    pub fn off() -> Self {
        OFF.clone()
    }

    /// The metrics of this process: what was given to [`set_global`](Self::set_global), and off before that.
    pub fn global() -> &'static Self {
        GLOBAL.get().unwrap_or(&OFF)
    }

    /// Makes these the metrics of this process. The first ones stay; tells whether these are they. The facade does it for its store.
    pub fn set_global(self) -> bool {
        GLOBAL.set(self).is_ok()
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A count that only grows. Let its name end in `_total`.
    pub fn counter(&self, name: impl Into<KeyName>) -> MetricBuilder<Counter> {
        self.builder(name.into())
    }

    /// A value that goes up and down.
    pub fn gauge(&self, name: impl Into<KeyName>) -> MetricBuilder<Gauge> {
        self.builder(name.into())
    }

    /// A distribution over buckets.
    pub fn histogram(&self, name: impl Into<KeyName>) -> MetricBuilder<Histogram> {
        self.builder(name.into())
    }

    /// A distribution as quantiles over a sliding window; see [`Summary`].
    pub fn summary(&self, name: impl Into<KeyName>) -> MetricBuilder<Summary> {
        self.builder(name.into())
    }

    /// Durations by outcome, with help and buckets; see [`Timer`].
    pub fn timings(&self, name: impl Into<KeyName>) -> TimingsBuilder {
        let (store, clock) = self.parts();
        TimingsBuilder::new(store, clock, &name.into())
    }

    /// Begins to measure an operation, see [`Timer`]. The histogram is registered at the first time: `{name}_duration_seconds`, or `name`
    /// itself where that ends in `_seconds`.
    ///
    /// ```
    /// use bartizan_metrics::{Metrics, Store};
    ///
    /// let metrics = Metrics::new(&Store::new());
    /// let number = metrics.time("parse", &()).call(|| "17".parse::<u8>());
    /// assert_eq!(number, Ok(17));
    /// ```
    pub fn time(&self, name: &str, labels: &(impl LabelSet + ?Sized)) -> Timer {
        match &self.0 {
            Some(inner) => inner.timers.start(self, name, labels),
            None => Timer::off(),
        }
    }

    fn builder<H: super::Handle>(&self, name: KeyName) -> MetricBuilder<H> {
        let (store, clock) = self.parts();
        MetricBuilder::new(store, clock, name)
    }

    fn parts(&self) -> (Option<Store>, Clock) {
        self.0.as_ref().map_or((None, Clock::default()), |inner| (Some(inner.store.clone()), inner.clock))
    }
}

/// [`Metrics::time`] of the process's metrics.
///
/// ```
/// # async fn query() -> Result<u8, std::io::Error> { Ok(1) }
/// # async fn handler() -> Result<u8, std::io::Error> {
/// bartizan_metrics::time("db_query", &[("table", "orders")]).run(query()).await
/// # }
/// ```
pub fn time(name: &str, labels: &(impl LabelSet + ?Sized)) -> Timer {
    Metrics::global().time(name, labels)
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("on", &self.is_on()).finish_non_exhaustive()
    }
}
