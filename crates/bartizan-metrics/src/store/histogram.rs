//! A histogram of fixed memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use metrics::HistogramFn;

use super::buckets::Buckets;
use super::cell::GaugeCell;
use super::exemplar::{Exemplar, Exemplars};

/// One histogram series: a count for each bucket, and the sum.
///
/// Its memory is fixed when it is made: 8 bytes a bucket. Recording costs two atomic updates, no
/// lock and no allocation. Values that are not finite are ignored, since a single one would spoil
/// the sum for good.
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
    counts: Box<[AtomicU64]>,
    sum: GaugeCell,
    exemplars: Exemplars,
}

impl HistogramCell {
    pub(crate) fn new(buckets: Arc<Buckets>) -> Self {
        let counts = (0..=buckets.bounds().len()).map(|_| AtomicU64::new(0)).collect();
        Self { buckets, counts, sum: GaugeCell::default(), exemplars: Exemplars::default() }
    }

    /// Records one value, in the metric's own unit (seconds for a `_seconds` name).
    pub fn record(&self, value: f64) {
        self.observe(value, 1);
    }

    /// Records one value and keeps it as the exemplar of its bucket, shown in OpenMetrics only.
    ///
    /// Only pass the ids of sampled spans: others lead nowhere. One exemplar a bucket is kept,
    /// the newest; if two threads meet at one bucket, one of the two exemplars is dropped (the
    /// value itself is always counted).
    pub fn record_with_exemplar(&self, value: f64, trace_id: [u8; 16], span_id: [u8; 8]) {
        if let Some(bucket) = self.observe(value, 1) {
            self.exemplars.keep(bucket, self.counts.len(), value, trace_id, span_id);
        }
    }

    /// Counts a value and tells its bucket; `None` if it was ignored.
    fn observe(&self, value: f64, times: u64) -> Option<usize> {
        if !value.is_finite() || times == 0 {
            return None;
        }
        let bucket = self.buckets.position(value);
        self.counts.get(bucket)?.fetch_add(times, Relaxed);
        self.sum.add(if times == 1 { value } else { value * times as f64 });
        Some(bucket)
    }

    pub(crate) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The count of each bucket alone, the last one being `+Inf`.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().map(|count| count.load(Relaxed))
    }

    pub(crate) fn sum(&self) -> f64 {
        self.sum.get()
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
        HistogramCell::new(Arc::new(Buckets::new(bounds).unwrap()))
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
        assert_eq!(cell.exemplar(1).unwrap().trace_id, [7; 16]);
        assert_eq!(counts(&cell), [0, 1, 0]);
    }
}
