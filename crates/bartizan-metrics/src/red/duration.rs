//! The histogram of durations, with exemplars where the recorder can keep them.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::Record;
use metrics::{Histogram, Key, Label, Recorder};

use super::names::META;
use crate::store::{HistogramCell, with_histogram};

/// A histogram of the recorder, and the one in a [`Store`](crate::Store) behind it.
pub(super) struct DurationHistogram {
    histogram: Histogram,
    /// `None` if the recorder is not a store and has none in it.
    cell: Option<Arc<HistogramCell>>,
}

impl DurationHistogram {
    pub(super) fn register(recorder: &dyn Recorder, name: &'static str, labels: Vec<Label>) -> Self {
        let register = || recorder.register_histogram(&Key::from_parts(name, labels), &META);
        let (histogram, cell) = with_histogram(register);
        Self { histogram, cell }
    }

    /// Records the duration of an exchange, with its trace as exemplar if that is sampled.
    pub(super) fn record(&self, duration: Duration, record: &Record) {
        let seconds = duration.as_secs_f64();
        self.histogram.record(seconds);
        if let Some(cell) = &self.cell
            && let Some(ids) = record.trace()
            && ids.sampled
        {
            cell.exemplify(seconds, ids);
        }
    }
}
