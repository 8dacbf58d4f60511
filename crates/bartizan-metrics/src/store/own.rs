//! What the store tells about itself.

use std::sync::Arc;

use metrics::{CounterFn, GaugeFn};

use super::cell::{CounterCell, GaugeCell, Kind};
use super::family::{Family, Histograms};
use super::labels;
use super::names::Exposed;

/// Why a metric has no series at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The name is registered as another kind.
    Kind,
    /// Its samples would have the names of another metric's samples.
    NameClash,
    /// The name is empty or too long.
    BadName,
    /// The store has as many names as it may have.
    TooManyNames,
}

impl Refusal {
    fn reason(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::NameClash => "name_clash",
            Self::BadName => "bad_name",
            Self::TooManyNames => "too_many_names",
        }
    }
}

/// The store's own families.
#[derive(Debug)]
pub(crate) struct Own {
    overflow: Arc<Family>,
    refused: Arc<Family>,
    series: Arc<GaugeCell>,
    duration: Arc<GaugeCell>,
    pub(crate) natives_refused: Arc<CounterCell>,
}

impl Own {
    /// The families and their help, and the handles on them.
    pub(crate) fn new(histograms: &Histograms) -> (Self, Vec<(Arc<Family>, &'static str)>) {
        let family = |name, unit, kind| Arc::new(Family::closed(name, unit, kind, histograms.clone()));
        // Open, because a layer with a cap of its own counts here too.
        let exposed = Exposed { name: "bartizan_series_overflow_total".to_owned(), unit: None };
        let overflow = Arc::new(Family::new(exposed, Kind::Counter, histograms.clone()));
        let refused = family("bartizan_metrics_refused_total", None, Kind::Counter);
        let series = family("bartizan_series", None, Kind::Gauge);
        let duration = family("bartizan_scrape_duration_seconds", Some("seconds"), Kind::Gauge);
        let natives = family("bartizan_native_histograms_refused_total", None, Kind::Counter);
        let own = Self {
            overflow: overflow.clone(),
            refused: refused.clone(),
            series: series.gauge(String::new()).unwrap_or_default(),
            duration: duration.gauge(String::new()).unwrap_or_default(),
            natives_refused: natives.counter(String::new()).unwrap_or_default(),
        };
        let families = vec![
            (overflow, "Registrations past a cap, folded into the overflow series of their metric."),
            (refused, "Registrations of metrics that cannot be shown, by reason."),
            (natives, "Histograms past the cap of native ones, which have classic buckets only."),
            (series, "Series in the store."),
            (duration, "Time that writing the page before this one took."),
        ];
        (own, families)
    }

    /// The count of what was folded away from a metric.
    pub(crate) fn folded(&self, metric: &str) -> Arc<CounterCell> {
        let labels = labels::text([("metric", metric)].into_iter(), Kind::Counter);
        self.overflow.counter(labels).unwrap_or_default()
    }

    /// Counts a refusal. `metric` is `None` where naming it would itself be without bounds.
    pub(crate) fn refuse(&self, metric: Option<&str>, why: Refusal) {
        let labels = [("metric", metric.unwrap_or(labels::OVERFLOW)), ("reason", why.reason())];
        if let Some(count) = self.refused.counter(labels::text(labels.into_iter(), Kind::Counter)) {
            count.increment(1);
        }
    }

    pub(crate) fn set_series(&self, series: usize) {
        self.series.set(series as f64);
    }

    pub(crate) fn set_duration(&self, seconds: f64) {
        self.duration.set(seconds);
    }
}
