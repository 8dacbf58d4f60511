//! A histogram of fixed memory.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use bartizan_core::TraceIds;
use metrics::{CounterFn, HistogramFn};

use super::buckets::Buckets;
use super::cell::{CounterCell, plus};
use super::exemplar::{Exemplar, Exemplars};
use super::family::reserve;
use super::native::{Native, NativeBuckets};
use super::stripes::{Stripes, change};

/// One histogram series: a count for each bucket, and the sum.
///
/// Its memory is fixed: 8 bytes a bucket, nine times that once several threads have met in it.
/// Native buckets are made where values are, up to a limit: 288 bytes for all, and 136 for every 16 of
/// them, which is a range from a number to four times as much; at most 16 such ranges, and in the end
/// 1 152 bytes for what is outside of them. Recording costs two atomic updates, three with native
/// buckets, no lock, and in the steady state no allocation. Values that are not finite are ignored,
/// since a single one would spoil the sum for good.
///
/// [`Store::histogram`](crate::Store::histogram) hands it out, for those who want to attach
/// exemplars, which the `metrics` facade has no way to pass:
///
/// ```
/// use bartizan_metrics::{Format, Store};
///
/// let store = Store::new();
/// let cell = store.histogram("db_query_seconds", &[("table", "orders")]);
/// cell.record(0.004);
/// cell.record_with_exemplar(0.021, [0xab; 16], [0xcd; 8]);
///
/// let mut page = Vec::new();
/// store.render(Format::OpenMetrics1, &mut page);
/// let page = String::from_utf8(page)?;
/// assert!(page.contains("# {trace_id=\"abababababababababababababababab\",span_id=\"cdcdcdcdcdcdcdcd\"} 0.021 "));
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
#[derive(Debug)]
pub struct HistogramCell {
    buckets: Arc<Buckets>,
    parts: Stripes<Part>,
    exemplars: Exemplars,
    /// Made with the first value, unless there are as many as there may be.
    native: OnceLock<Option<Box<Native>>>,
    shared: Arc<Shared>,
}

/// What some of the threads have counted.
#[derive(Debug)]
struct Part {
    /// The bits of an `f64`.
    sum: AtomicU64,
    counts: Box<[AtomicU64]>,
}

impl Part {
    fn new(buckets: &Buckets) -> Self {
        let counts = (0..=buckets.bounds().len()).map(|_| AtomicU64::new(0)).collect();
        Self { sum: AtomicU64::new(0), counts }
    }
}

/// What all histograms of a store share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// How many histograms may have native buckets, and how many have.
    max_natives: usize,
    natives: AtomicUsize,
    natives_refused: Arc<CounterCell>,
    /// Counts the pages that showed exemplars, from 1.
    round: AtomicU64,
}

impl Shared {
    pub(crate) fn new(max_natives: usize, natives_refused: Arc<CounterCell>) -> Self {
        Self { max_natives, natives: AtomicUsize::new(0), natives_refused, round: AtomicU64::new(1) }
    }

    /// A page has shown the exemplars: new ones are welcome.
    pub(crate) fn next_round(&self) {
        self.round.fetch_add(1, Relaxed);
    }

    fn native(&self) -> Option<Box<Native>> {
        if reserve(&self.natives, self.max_natives) {
            return Some(Box::default());
        }
        self.natives_refused.increment(1);
        None
    }
}

impl HistogramCell {
    pub(crate) fn new(buckets: Arc<Buckets>, native: bool, shared: Arc<Shared>) -> Self {
        let (parts, exemplars) = (Stripes::new(Part::new(&buckets)), Exemplars::default());
        // Without native buckets the question is answered now.
        let native = if native && shared.max_natives > 0 { OnceLock::new() } else { OnceLock::from(None) };
        Self { buckets, parts, exemplars, native, shared }
    }

    /// Records one value, in the metric's own unit (seconds for a `_seconds` name).
    pub fn record(&self, value: f64) {
        self.observe(value, 1);
    }

    /// Records one value and keeps it as the exemplar of its bucket, which is shown in OpenMetrics
    /// and in protobuf.
    ///
    /// Only pass the ids of sampled spans: others lead nowhere. A bucket has one exemplar, the first
    /// since the last page that showed exemplars; those in between are not kept (the value itself is always
    /// counted). Exemplars take 48 bytes a bucket, from the first one on.
    pub fn record_with_exemplar(&self, value: f64, trace_id: [u8; 16], span_id: [u8; 8]) {
        self.observe(value, 1);
        self.exemplify(value, TraceIds { trace_id, span_id, sampled: true });
    }

    /// Keeps the exemplar of a value that is recorded apart from it.
    pub(crate) fn exemplify(&self, value: f64, ids: TraceIds) {
        if value.is_finite() {
            let round = self.shared.round.load(Relaxed);
            let buckets = self.buckets.bounds().len() + 1;
            self.exemplars.keep(self.buckets.position(value), buckets, round, value, ids);
        }
    }

    fn observe(&self, value: f64, times: u64) {
        if !value.is_finite() || times == 0 {
            return;
        }
        let sum = if times == 1 { value } else { value * times as f64 };
        let add = |part: &Part| change(&part.sum, |old| plus(old, sum));
        let part = self.parts.add(|| Part::new(&self.buckets), add);
        if let Some(count) = part.counts.get(self.buckets.position(value)) {
            count.fetch_add(times, Relaxed);
        }
        // After the classic bucket: a page that sees this one sees that one too.
        if let Some(native) = self.native.get_or_init(|| self.shared.native()) {
            native.record(value, times);
        }
    }

    pub(crate) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The count of each bucket alone, the last one being `+Inf`.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> {
        let count =
            |part: &Part, bucket| part.counts.get(bucket).map_or(0, |count: &AtomicU64| count.load(Relaxed));
        (0..=self.buckets.bounds().len())
            .map(move |bucket| self.parts.all().map(|part| count(part, bucket)).sum())
    }

    pub(crate) fn sum(&self) -> f64 {
        self.parts.all().map(|part| f64::from_bits(part.sum.load(Relaxed))).sum()
    }

    /// Reads the native buckets; `false` if this histogram has none.
    pub(crate) fn read_native(&self, buckets: &mut NativeBuckets) -> bool {
        match self.native.get() {
            Some(Some(native)) => buckets.fill(Some(native)),
            // Nothing was recorded yet.
            None => buckets.fill(None),
            Some(None) => return false,
        }
        true
    }

    pub(crate) fn exemplar(&self, bucket: usize) -> Option<Exemplar> {
        self.exemplars.get(bucket)
    }
}

impl HistogramFn for HistogramCell {
    fn record(&self, value: f64) {
        self.observe(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        self.observe(value, count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(bounds: &[f64]) -> HistogramCell {
        HistogramCell::new(Arc::new(Buckets::new(bounds).unwrap()), true, Arc::new(shared(1)))
    }

    fn shared(max_natives: usize) -> Shared {
        Shared::new(max_natives, Arc::default())
    }

    fn counts(cell: &HistogramCell) -> Vec<u64> {
        cell.counts().collect()
    }

    #[test]
    fn a_value_on_a_bound_belongs_to_that_bucket() {
        let cell = cell(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.1, 2.0, 2.1] {
            cell.record(value);
        }
        assert_eq!(counts(&cell), [2, 2, 1]);
        assert!((cell.sum() - 6.7).abs() < 1e-9);
    }

    #[test]
    fn values_that_are_not_finite_are_ignored() {
        let cell = cell(&[1.0]);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            cell.record(value);
            cell.record_with_exemplar(value, [1; 16], [1; 8]);
        }
        assert_eq!(counts(&cell), [0, 0]);
        assert!(cell.sum().abs() < f64::EPSILON);
        assert!(cell.exemplar(0).is_none() && cell.exemplar(1).is_none());
    }

    #[test]
    fn many_equal_values_are_one_update() {
        let cell = cell(&[1.0]);
        cell.record_many(0.5, 4);
        cell.record_many(0.5, 0);
        assert_eq!(counts(&cell), [4, 0]);
        assert!((cell.sum() - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn an_exemplar_lands_in_its_bucket() {
        let cell = cell(&[1.0, 2.0]);
        cell.record_with_exemplar(1.5, [7; 16], [8; 8]);
        assert!(cell.exemplar(0).is_none());
        assert_eq!(cell.exemplar(1).unwrap().ids.trace_id, [7; 16]);
        assert_eq!(counts(&cell), [0, 1, 0]);
    }

    #[test]
    fn native_buckets_count_what_the_classic_ones_count() {
        let cell = cell(&[1.0, 2.0]);
        cell.record_many(0.3, 5);
        cell.record(1.7);
        let mut buckets = NativeBuckets::default();
        assert!(cell.read_native(&mut buckets));
        assert_eq!(buckets.positive(), [(-13, 5), (7, 1)]);
    }

    #[test]
    fn histograms_past_the_cap_have_classic_buckets_only() {
        let all = Arc::new(shared(1));
        let cells =
            [(); 3].map(|()| HistogramCell::new(Arc::new(Buckets::new(&[1.0]).unwrap()), true, all.clone()));
        let mut buckets = NativeBuckets::default();
        assert!(cells[0].read_native(&mut buckets) && buckets.total() == 0);
        for cell in &cells {
            cell.record(0.5);
            cell.record(0.6);
        }
        assert_eq!(cells.each_ref().map(|cell| cell.read_native(&mut buckets)), [true, false, false]);
        assert_eq!((all.natives_refused.get(), counts(&cells[2])), (2, vec![2, 0]));
    }

    #[test]
    fn without_native_histograms_nothing_is_refused() {
        let all = Arc::new(shared(0));
        let cell = HistogramCell::new(Arc::new(Buckets::new(&[1.0]).unwrap()), true, all.clone());
        cell.record(0.5);
        assert!(!cell.read_native(&mut NativeBuckets::default()));
        assert_eq!(all.natives_refused.get(), 0);
    }
}
