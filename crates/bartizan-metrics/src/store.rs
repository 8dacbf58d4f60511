//! The store: a `metrics` recorder of bounded memory.

mod buckets;
mod builder;
mod cell;
mod exemplar;
mod external;
mod family;
mod handover;
mod histogram;
mod index;
mod labels;
mod names;
mod native;
mod own;
mod registry;
mod scrape;
mod stripes;
mod summary;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, IntoLabels, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

pub use self::buckets::BucketsError;
pub use self::builder::{BuildError, StoreBuilder};
pub use self::external::ExternalError;
pub use self::histogram::HistogramCell;
pub use self::registry::MetricError;

pub(crate) use self::buckets::Buckets;
pub(crate) use self::cell::{Cell, Kind};
pub(crate) use self::exemplar::Exemplar;
pub(crate) use self::handover::with_histogram;
pub(crate) use self::labels::{MAX_LABELS, MAX_VALUE, cut, escape, parse};
pub(crate) use self::names::counter_base;
pub(crate) use self::native::{NativeBuckets, ZERO_THRESHOLD};
pub(crate) use self::registry::{Custom, View, check_name};
pub(crate) use self::summary::{SummaryCell, SummaryShape};

use crate::exposition::Format;

use self::buckets::Rules;
use self::builder::Limits;
use self::family::{Family, Overflow, reserve};
use self::index::Index;
use self::registry::Registry;
use self::scrape::Hooks;

/// All metrics of a process, in fixed memory for each series.
///
/// A store is a [`metrics::Recorder`]: install it, and `metrics::counter!` and its kin write to it.
/// Clones are cheap and share everything.
///
/// ```
/// use bartizan_metrics::{Format, Store};
///
/// let store = Store::new();
/// metrics::with_local_recorder(&store, || {
///     metrics::describe_counter!("orders_total", "Orders placed.");
///     metrics::counter!("orders_total", "shop" => "north").increment(2);
/// });
///
/// let mut page = Vec::new();
/// store.render(Format::Text004, &mut page);
/// let page = String::from_utf8(page)?;
/// assert!(page.contains("# HELP orders_total Orders placed.\n# TYPE orders_total counter\n"));
/// assert!(page.contains("orders_total{shop=\"north\"} 2\n"));
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
///
/// In a program, once: `metrics::set_global_recorder(store.clone())`. A handle made before that
/// does nothing for ever.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    index: Index,
    registry: Registry,
    /// Label sets admitted in all families.
    admitted: AtomicUsize,
    /// Size of the last page in each format, so that the next one is written without growing.
    page_len: [AtomicUsize; Format::COUNT],
    hooks: Hooks,
}

impl Store {
    /// A store with the default buckets and limits; see [`StoreBuilder`].
    pub fn new() -> Self {
        Self::assemble(Rules::default(), Limits::default())
    }

    /// A builder, to set buckets and limits.
    pub fn builder() -> StoreBuilder {
        StoreBuilder::default()
    }

    fn assemble(rules: Rules, limits: Limits) -> Self {
        let inner = Inner {
            limits,
            index: Index::new(),
            registry: Registry::new(rules, limits.metrics, limits.natives),
            admitted: AtomicUsize::new(0),
            page_len: Default::default(),
            hooks: Hooks::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The histogram of a name and labels, as [`metrics::histogram!`] would make it, with the means
    /// to attach exemplars. See [`HistogramCell`] for an example.
    ///
    /// Keep the handle: making one looks the series up. If the metric is refused (the name is taken
    /// by another kind, or there are too many names), the handle works but is on no page.
    pub fn histogram(&self, name: impl Into<KeyName>, labels: impl IntoLabels) -> Arc<HistogramCell> {
        match self.cell(&Key::from_parts(name, labels), Kind::Histogram) {
            Some(Cell::Histogram(cell)) => cell,
            _ => Arc::new(self.inner.registry.histograms_by_default().make()),
        }
    }

    /// The cell of a series; `None` if the metric is refused.
    pub(crate) fn cell(&self, key: &Key, kind: Kind) -> Option<Cell> {
        match self.inner.index.get(key) {
            Some(cell) if cell.kind().takes(kind) => Some(cell),
            _ => self.inner.register(key, kind),
        }
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Whether a key has a series of its own, so that a handle to it can be kept.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.inner.index.get(&labels::bounded(key)).is_some()
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.inner.hooks
    }

    pub(crate) fn page_len(&self, format: Format) -> &AtomicUsize {
        &self.inner.page_len[format as usize]
    }
}

impl Inner {
    /// Finds or makes the cell of a key that the index does not have.
    #[cold]
    fn register(&self, key: &Key, kind: Kind) -> Option<Cell> {
        let family = self.registry.family(key.name(), kind)?;
        let key = &*labels::bounded(key);
        let labelled = key.labels().len() > 0;
        if labelled && self.is_full(&family) {
            return Some(self.index.get(key).unwrap_or_else(|| self.fold(&family, key)));
        }
        let make = || {
            let admitted = !labelled || self.admit(&family);
            admitted.then(|| family.series(labels::text(labels::pairs(key), family.kind)))
        };
        self.index.get_or_insert(key, make).or_else(|| Some(self.fold(&family, key)))
    }

    fn is_full(&self, family: &Family) -> bool {
        family.admitted.load(Relaxed) >= self.limit(family)
            || self.admitted.load(Relaxed) >= self.limits.total_series
    }

    fn limit(&self, family: &Family) -> usize {
        family.max_series.unwrap_or(self.limits.series)
    }

    fn admit(&self, family: &Family) -> bool {
        if !reserve(&family.admitted, self.limit(family)) {
            return false;
        }
        if !reserve(&self.admitted, self.limits.total_series) {
            family.admitted.fetch_sub(1, Relaxed);
            return false;
        }
        true
    }

    /// The overflow series of a family, which has the label names of the first key that it took.
    fn fold(&self, family: &Family, key: &Key) -> Cell {
        let Overflow { cell, folded } = family.overflow.get_or_init(|| {
            let labels = labels::pairs(key).map(|(name, _)| (name, labels::OVERFLOW));
            Overflow {
                cell: family.series(labels::text(labels, family.kind)),
                folded: self.registry.own.folded(&family.name),
            }
        });
        folded.increment(1);
        cell.clone()
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

impl Recorder for Store {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.inner.registry.describe(name.as_str(), unit, &help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.inner.registry.describe(name.as_str(), unit, &help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.inner.registry.describe(name.as_str(), unit, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.cell(key, Kind::Counter) {
            Some(Cell::Counter(cell)) => Counter::from_arc(cell),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.cell(key, Kind::Gauge) {
            Some(Cell::Gauge(cell)) => Gauge::from_arc(cell),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.cell(key, Kind::Histogram) {
            Some(Cell::Histogram(cell)) => {
                handover::offer(&cell);
                Histogram::from_arc(cell)
            }
            Some(Cell::Summary(cell)) => Histogram::from_arc(cell),
            _ => Histogram::noop(),
        }
    }
}
