//! The values themselves: one cell a series, updated through atomics.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use metrics::{CounterFn, GaugeFn};

use super::histogram::HistogramCell;
use super::stripes::{Stripes, change};
use super::summary::SummaryCell;

/// What a metric measures. A name has one kind for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    /// Whether a handle of another kind can write to this one: the facade has no summaries, only histograms.
    pub(crate) fn takes(self, handle: Self) -> bool {
        self == handle || (self == Self::Summary && handle == Self::Histogram)
    }
}

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct CounterCell(Stripes<AtomicU64>);

impl CounterCell {
    pub(crate) fn get(&self) -> u64 {
        sum(self.0.all())
    }
}

impl CounterFn for CounterCell {
    fn increment(&self, value: u64) {
        self.0.add(AtomicU64::default, |part| change(part, |old| old.wrapping_add(value)));
    }

    fn absolute(&self, value: u64) {
        self.0.first().fetch_max(value.saturating_sub(sum(self.0.others())), Relaxed);
    }
}

fn sum<'a>(parts: impl Iterator<Item = &'a AtomicU64>) -> u64 {
    parts.fold(0, |sum, part| sum.wrapping_add(part.load(Relaxed)))
}

/// A sum of `f64`s, each in an atomic as its bits. What is added while it is set counts as added before or after that.
#[derive(Debug, Default)]
pub(crate) struct GaugeCell(Stripes<AtomicU64>);

impl GaugeCell {
    pub(crate) fn get(&self) -> f64 {
        self.0.all().map(|part| f64::from_bits(part.load(Relaxed))).sum()
    }

    pub(crate) fn add(&self, value: f64) {
        self.0.add(AtomicU64::default, |part| change(part, |old| plus(old, value)));
    }
}

/// The bits of a sum.
#[inline]
pub(super) fn plus(bits: u64, value: f64) -> u64 {
    (f64::from_bits(bits) + value).to_bits()
}

impl GaugeFn for GaugeCell {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.0.others().for_each(|part| part.store(0, Relaxed));
        self.0.first().store(value.to_bits(), Relaxed);
    }
}

/// One series' value, shared between the handles and the page.
#[derive(Clone)]
pub(crate) enum Cell {
    Counter(Arc<CounterCell>),
    Gauge(Arc<GaugeCell>),
    Histogram(Arc<HistogramCell>),
    Summary(Arc<SummaryCell>),
    /// A count kept elsewhere and read for each page.
    ReadCounter(Arc<dyn Fn() -> f64 + Send + Sync>),
    /// A value kept elsewhere and read for each page.
    ReadGauge(Arc<dyn Fn() -> f64 + Send + Sync>),
}

impl Cell {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) | Self::ReadCounter(_) => Kind::Counter,
            Self::Gauge(_) | Self::ReadGauge(_) => Kind::Gauge,
            Self::Histogram(_) => Kind::Histogram,
            Self::Summary(_) => Kind::Summary,
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cell").field(&self.kind()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_value_never_moves_a_counter_back() {
        let counter = CounterCell::default();
        counter.absolute(7);
        counter.absolute(5);
        assert_eq!(counter.get(), 7);
        counter.increment(1);
        assert_eq!(counter.get(), 8);
    }

    #[test]
    fn a_gauge_goes_up_and_down() {
        let gauge = GaugeCell::default();
        gauge.set(1.5);
        gauge.increment(2.0);
        gauge.decrement(4.0);
        assert!((gauge.get() + 0.5).abs() < f64::EPSILON);
    }
}
