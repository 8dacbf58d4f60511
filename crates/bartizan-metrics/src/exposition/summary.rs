//! The lines of a summary.

use super::number::{push_f64, push_u64};
use super::text::sample;
use crate::store::SummaryCell;

/// Quantiles, sum and count, in the same words in both formats.
pub(super) fn write(name: &[u8], labels: &str, cell: &SummaryCell, out: &mut Vec<u8>) {
    let view = cell.view();
    for (quantile, value) in cell.shape().labels().iter().zip(&view.quantiles) {
        let labels = if labels.is_empty() { quantile.to_string() } else { format!("{labels},{quantile}") };
        sample(name, &labels, out, |out| push_f64(out, *value));
    }
    let own = |suffix: &[u8]| [name, suffix].concat();
    sample(&own(b"_sum"), labels, out, |out| push_f64(out, view.sum));
    sample(&own(b"_count"), labels, out, |out| push_u64(out, view.count));
}
