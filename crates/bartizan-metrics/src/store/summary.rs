//! A summary of fixed memory: quantiles over a sliding window, count and sum since the start.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bartizan_core::Clock;
use metrics::HistogramFn;
use sketches_ddsketch::{Config, DDSketch};

use crate::exposition::number;

/// A window is made of so many slices; the oldest is forgotten as a whole.
const SLICES: u32 = 5;

/// Relative error of a quantile.
const ACCURACY: f64 = 0.01;

/// Most bins of a slice: values may differ by a factor of 10^8 before the smallest share a bin.
const MAX_BINS: u32 = 1024;

/// What all series of a summary have in common.
#[derive(Debug)]
pub(crate) struct SummaryShape {
    quantiles: Box<[f64]>,
    /// `quantile="..."` for each of them.
    labels: Box<[Box<str>]>,
    window: Duration,
    clock: Clock,
}

impl Default for SummaryShape {
    /// Median, 90 % and 99 % over ten minutes.
    fn default() -> Self {
        Self::new(&[0.5, 0.9, 0.99], Duration::from_mins(10), Clock::default())
    }
}

impl SummaryShape {
    /// `quantiles` must lie between 0 and 1, and `window` must not be zero.
    pub(crate) fn new(quantiles: &[f64], window: Duration, clock: Clock) -> Self {
        let label = |&q: &f64| format!("quantile=\"{}\"", number::float_bound(q)).into_boxed_str();
        Self {
            labels: quantiles.iter().map(label).collect(),
            quantiles: quantiles.into(),
            window: window.max(Duration::from_millis(1)),
            clock,
        }
    }

    pub(crate) fn quantiles(&self) -> &[f64] {
        &self.quantiles
    }

    pub(crate) fn labels(&self) -> &[Box<str>] {
        &self.labels
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.quantiles == other.quantiles && self.window == other.window
    }
}

/// One summary series.
pub(crate) struct SummaryCell {
    shape: Arc<SummaryShape>,
    state: Mutex<State>,
}

struct State {
    count: u64,
    sum: f64,
    slices: [DDSketch; SLICES as usize],
    current: usize,
    /// When the current slice began.
    began: Instant,
}

/// What a page shows of a summary.
#[derive(Debug, PartialEq)]
pub(crate) struct SummaryView {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// `NaN` where nothing was recorded in the window.
    pub(crate) quantiles: Vec<f64>,
}

impl SummaryCell {
    pub(crate) fn new(shape: Arc<SummaryShape>) -> Self {
        let state = State {
            count: 0,
            sum: 0.0,
            slices: std::array::from_fn(|_| sketch()),
            current: 0,
            began: shape.clock.now(),
        };
        Self { shape, state: Mutex::new(state) }
    }

    pub(crate) fn shape(&self) -> &SummaryShape {
        &self.shape
    }

    fn observe(&self, value: f64, times: u64) {
        // OpenMetrics has no negative quantiles, and one value that is not finite would spoil the sum.
        if !value.is_finite() || value < 0.0 || times == 0 {
            return;
        }
        let now = self.shape.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(now, self.shape.window);
        state.count += times;
        state.sum += value * times as f64;
        let current = state.current;
        if let Some(slice) = state.slices.get_mut(current) {
            slice.add_with_count(value, times);
        }
    }

    pub(crate) fn view(&self) -> SummaryView {
        let now = self.shape.clock.now();
        let (count, sum, slices) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.turn(now, self.shape.window);
            (state.count, state.sum, state.slices.clone())
        };
        let mut all = sketch();
        for slice in &slices {
            // They differ in nothing that could make it fail.
            let _ = all.merge(slice);
        }
        let quantile = |&q: &f64| all.quantile(q).ok().flatten().unwrap_or(f64::NAN);
        SummaryView { count, sum, quantiles: self.shape.quantiles.iter().map(quantile).collect() }
    }
}

impl State {
    /// Forgets the slices that the window has left behind.
    fn turn(&mut self, now: Instant, window: Duration) {
        let slice = window / SLICES;
        let gone = now.saturating_duration_since(self.began);
        if gone < slice {
            return;
        }
        let turns = gone.as_nanos() / slice.as_nanos().max(1);
        for _ in 0..turns.min(u128::from(SLICES)) {
            self.current = (self.current + 1) % self.slices.len();
            if let Some(oldest) = self.slices.get_mut(self.current) {
                *oldest = sketch();
            }
        }
        self.began = u32::try_from(turns)
            .ok()
            .and_then(|turns| slice.checked_mul(turns))
            .and_then(|passed| self.began.checked_add(passed))
            .unwrap_or(now);
    }
}

fn sketch() -> DDSketch {
    DDSketch::new(Config::new(ACCURACY, MAX_BINS, 1e-9))
}

impl HistogramFn for SummaryCell {
    fn record(&self, value: f64) {
        self.observe(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        self.observe(value, count as u64);
    }
}

impl std::fmt::Debug for SummaryCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SummaryCell").field("shape", &self.shape).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(quantiles: &[f64]) -> SummaryCell {
        let clock = Clock::new(|| tokio::time::Instant::now().into_std());
        SummaryCell::new(Arc::new(SummaryShape::new(quantiles, Duration::from_mins(1), clock)))
    }

    #[tokio::test(start_paused = true)]
    async fn quantiles_are_right_within_one_percent() {
        let cell = cell(&[0.0, 0.5, 0.9, 0.99, 1.0]);
        (1..=10_000).for_each(|n| cell.record(f64::from(n)));
        let view = cell.view();
        for (is, should) in view.quantiles.iter().zip([1.0, 5_000.0, 9_000.0, 9_900.0, 10_000.0]) {
            assert!((is - should).abs() <= should * 0.0101, "{is} {should}");
        }
        assert_eq!((view.count, view.sum), (10_000, 50_005_000.0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_forgets_and_count_and_sum_do_not() {
        let cell = cell(&[0.5]);
        cell.record(1.0);
        tokio::time::advance(Duration::from_secs(30)).await;
        cell.record(100.0);
        cell.record(100.0);
        assert!((cell.view().quantiles[0] - 100.0).abs() < 2.0);
        tokio::time::advance(Duration::from_secs(45)).await;
        cell.record(7.0);
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!((cell.view().quantiles[0] - 7.0).abs() < 0.1);
        tokio::time::advance(Duration::from_secs(100_000)).await;
        let view = cell.view();
        assert!(view.quantiles[0].is_nan());
        assert_eq!((view.count, view.sum), (4, 208.0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_negative_or_not_finite_is_ignored() {
        let cell = cell(&[0.5]);
        for value in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            cell.record(value);
        }
        assert_eq!(cell.view().count, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slice_never_has_more_than_its_bins() {
        let cell = cell(&[0.5]);
        let mut value = 1e-300;
        while value < 1e300 {
            cell.record(value);
            value *= 1.5;
        }
        cell.record_many(f64::MAX, 3);
        let state = cell.state.lock().unwrap();
        assert!(state.slices.iter().map(DDSketch::length).sum::<usize>() <= MAX_BINS as usize);
    }
}
