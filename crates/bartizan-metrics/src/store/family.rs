//! A metric: one name, one kind, its series.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::buckets::Buckets;
use super::cell::{Cell, CounterCell, GaugeCell, Kind};
use super::histogram::{HistogramCell, Shared};
use super::names::Exposed;
use super::registry::Custom;
use super::summary::{SummaryCell, SummaryShape};

/// All series of one name.
#[derive(Debug)]
pub(crate) struct Family {
    /// The name on the text page; with `_total` for a counter that has it.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) unit: Option<&'static str>,
    /// The store's own or read from elsewhere: applications cannot register into it.
    pub(crate) closed: bool,
    /// Label sets admitted so far, as the callers wrote them.
    pub(crate) admitted: AtomicUsize,
    /// Where the label sets past the cap go; made when there is one.
    pub(crate) overflow: OnceLock<Overflow>,
    /// How many label sets it may have, where that differs from the store's limit.
    pub(crate) max_series: Option<usize>,
    histograms: Histograms,
    summary: Option<Arc<SummaryShape>>,
    series: RwLock<BTreeMap<Arc<str>, Cell>>,
}

/// How the histograms of a family are made.
#[derive(Clone, Debug)]
pub(crate) struct Histograms {
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) native: bool,
    pub(crate) shared: Arc<Shared>,
}

/// The series that takes what is past the cap, and the count of what it took.
#[derive(Debug)]
pub(crate) struct Overflow {
    pub(crate) cell: Cell,
    pub(crate) folded: Arc<CounterCell>,
}

impl Family {
    pub(crate) fn new(exposed: Exposed, kind: Kind, histograms: Histograms) -> Self {
        Self {
            name: exposed.name,
            kind,
            unit: exposed.unit,
            closed: false,
            admitted: AtomicUsize::new(0),
            overflow: OnceLock::new(),
            max_series: None,
            histograms,
            summary: None,
            series: RwLock::default(),
        }
    }

    /// With what the metric has of its own.
    pub(crate) fn with(self, custom: Custom) -> Self {
        let Custom { buckets, summary, max_series } = custom;
        let mut histograms = self.histograms;
        histograms.buckets = buckets.unwrap_or(histograms.buckets);
        Self { max_series, histograms, summary, ..self }
    }

    pub(crate) fn buckets(&self) -> &Buckets {
        &self.histograms.buckets
    }

    pub(crate) fn summary(&self) -> Option<&SummaryShape> {
        self.summary.as_deref()
    }

    /// A family that applications cannot register into.
    pub(crate) fn closed(name: &str, unit: Option<&'static str>, kind: Kind, histograms: Histograms) -> Self {
        let mut family = Self::new(Exposed { name: name.to_owned(), unit }, kind, histograms);
        family.closed = true;
        family
    }

    /// A closed family of one series that is read from elsewhere.
    pub(crate) fn external(name: &str, cell: Cell, histograms: Histograms) -> Self {
        let mut family = Self::closed(name, None, cell.kind(), histograms);
        family.series = RwLock::new(BTreeMap::from([(Arc::from(""), cell)]));
        family
    }

    /// The series of a label text, made if it is new.
    pub(crate) fn series(&self, labels: String) -> Cell {
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        series.entry(labels.into()).or_insert_with(|| self.new_cell()).clone()
    }

    pub(crate) fn counter(&self, labels: String) -> Option<Arc<CounterCell>> {
        match self.series(labels) {
            Cell::Counter(cell) => Some(cell),
            _ => None,
        }
    }

    pub(crate) fn gauge(&self, labels: String) -> Option<Arc<GaugeCell>> {
        match self.series(labels) {
            Cell::Gauge(cell) => Some(cell),
            _ => None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.series.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All series, sorted, so that a page is written without holding back new ones.
    pub(crate) fn snapshot(&self) -> Vec<(Arc<str>, Cell)> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        series.iter().map(|(labels, cell)| (labels.clone(), cell.clone())).collect()
    }

    fn new_cell(&self) -> Cell {
        match self.kind {
            Kind::Counter => Cell::Counter(Arc::default()),
            Kind::Gauge => Cell::Gauge(Arc::<GaugeCell>::default()),
            Kind::Histogram => Cell::Histogram(Arc::new(self.histograms.make())),
            Kind::Summary => {
                Cell::Summary(Arc::new(SummaryCell::new(self.summary.clone().unwrap_or_default())))
            }
        }
    }
}

impl Histograms {
    pub(crate) fn make(&self) -> HistogramCell {
        HistogramCell::new(self.buckets.clone(), self.native, self.shared.clone())
    }
}

/// Takes one place below a limit, or none.
pub(crate) fn reserve(count: &AtomicUsize, limit: usize) -> bool {
    count.fetch_update(Relaxed, Relaxed, |count| (count < limit).then_some(count + 1)).is_ok()
}

/// The names of the samples that a metric writes.
pub(crate) fn sample_names(name: &str, kind: Kind) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    let suffixes: &[_] = match kind {
        Kind::Histogram => &["_bucket", "_sum", "_count"],
        Kind::Summary => &["_sum", "_count"],
        Kind::Counter | Kind::Gauge => &[],
    };
    names.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    names
}
