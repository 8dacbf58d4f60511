//! The handle of a summary, which the facade does not have.

use std::sync::Arc;

use metrics::HistogramFn;

use crate::store::SummaryCell;

/// A handle of one summary series: quantiles over a sliding window, count and sum since the start.
///
/// [`Metrics::summary`](crate::Metrics::summary) makes it. A quantile is right within 1 %; the window moves on by fifths, and is `NaN` while
/// it is empty. Values that are negative or not finite are ignored. Quantiles of several processes cannot be
/// added up: where that matters, or a lock for each value is too much, take a histogram.
///
/// ```
/// use bartizan_metrics::{Metrics, Store};
/// use std::time::Duration;
///
/// let store = Store::new();
/// let wait = Metrics::new(&store)
///     .summary("queue_wait_seconds")
///     .quantiles(&[0.5, 0.99])
///     .window(Duration::from_mins(1))
///     .register()?;
/// (1..=100).for_each(|n| wait.record(f64::from(n)));
///
/// let page = String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec())?;
/// assert!(page.contains("# TYPE queue_wait_seconds summary\n"));
/// assert!(page.contains("queue_wait_seconds{quantile=\"0.99\"} 98"));
/// assert!(page.contains("queue_wait_seconds_count 100\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Summary(Option<Arc<SummaryCell>>);

impl Summary {
    pub(super) fn of(cell: Arc<SummaryCell>) -> Self {
        Self(Some(cell))
    }

    /// Records one value, in the metric's own unit.
    pub fn record(&self, value: f64) {
        if let Some(cell) = &self.0 {
            cell.record(value);
        }
    }
}
