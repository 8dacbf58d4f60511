//! Limits and buckets of a store.

use std::sync::Arc;

use super::Store;
use super::buckets::{Buckets, BucketsError, Rules};

/// What a store may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) series: usize,
    pub(crate) total_series: usize,
    pub(crate) metrics: usize,
    pub(crate) natives: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { series: 2_000, total_series: 50_000, metrics: 1_000, natives: 10_000 }
    }
}

/// Why a [`Store`] cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A list of bucket bounds is not usable.
    #[error("buckets of {metric:?}: {source}")]
    Buckets {
        /// The metric or the suffix they were given for.
        metric: String,
        /// What is wrong with them.
        source: BucketsError,
    },
}

/// Sets the buckets and the limits of a [`Store`].
///
/// ```
/// use bartizan_metrics::Store;
///
/// let store = Store::builder()
///     .buckets_for("job_duration_seconds", &[1.0, 10.0, 60.0, 600.0])
///     .buckets_for_suffix("_ms", &[1.0, 5.0, 25.0, 100.0, 500.0])
///     .max_series(500)
///     .build()?;
/// # Ok::<(), bartizan_metrics::BuildError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder makes no store until `build` is called"]
pub struct StoreBuilder {
    default: Option<Vec<f64>>,
    exact: Vec<(String, Vec<f64>)>,
    suffix: Vec<(String, Vec<f64>)>,
    native: Vec<String>,
    limits: Limits,
}

impl StoreBuilder {
    /// Sets the buckets of histograms that no other rule names.
    ///
    /// Default: the request duration buckets of OpenTelemetry's HTTP conventions, 0.005 to 10
    /// seconds. Names that end in `_size_bytes` or `.size` have size buckets instead, 0 bytes to
    /// 64 MiB, and names that end in `_connection_duration_seconds` or `.connection.duration` buckets from a second to a
    /// day, unless a rule names them.
    pub fn default_buckets(mut self, bounds: &[f64]) -> Self {
        self.default = Some(bounds.to_vec());
        self
    }

    /// Sets the buckets of one metric, by the name in the code or the name on the page.
    ///
    /// Bounds are upper limits, finite and increasing, 1 to 64 of them; `+Inf` is added by itself.
    /// They apply to metrics that are registered after the store is built, which is all of them.
    pub fn buckets_for(mut self, metric: impl Into<String>, bounds: &[f64]) -> Self {
        self.exact.push((metric.into(), bounds.to_vec()));
        self
    }

    /// Sets the buckets of every metric whose name ends so. The longest suffix that fits wins, and
    /// [`buckets_for`](Self::buckets_for) wins over any suffix.
    pub fn buckets_for_suffix(mut self, suffix: impl Into<String>, bounds: &[f64]) -> Self {
        self.suffix.push((suffix.into(), bounds.to_vec()));
        self
    }

    /// Sets how many label sets one metric may have. Default: 2 000.
    ///
    /// Further ones share one series whose label values are all `overflow`, and
    /// `bartizan_series_overflow_total{metric="..."}` counts every registration that ended there.
    pub fn max_series(mut self, series: usize) -> Self {
        self.limits.series = series;
        self
    }

    /// Sets how many label sets all metrics together may have. Default: 50 000.
    ///
    /// What is past it is treated as what is past [`max_series`](Self::max_series). The one series
    /// of a metric without labels, and overflow series themselves, come on top: at most two for
    /// each metric name.
    pub fn max_total_series(mut self, series: usize) -> Self {
        self.limits.total_series = series;
        self
    }

    /// Sets how many metric names there may be. Default: 1 000.
    ///
    /// Further ones get handles that do nothing, and `bartizan_metrics_refused_total` counts them.
    pub fn max_metrics(mut self, metrics: usize) -> Self {
        self.limits.metrics = metrics;
        self
    }

    /// Gives native buckets beside the classic ones to histograms whose name ends so, in the code
    /// or on the page. Those that end in `_seconds` have them anyway.
    ///
    /// Only the protobuf format shows them, which Prometheus asks for where it is told to take
    /// native histograms. They have the schema 3: a bucket is 9 % wider than the one before. There are at
    /// most 160 in a series; for values that need more they become wider.
    ///
    /// ```
    /// use bartizan_metrics::Store;
    ///
    /// let store = Store::builder().native_histograms_for_suffix("_bytes").max_native_histograms(2_000).build()?;
    /// # Ok::<(), bartizan_metrics::BuildError>(())
    /// ```
    pub fn native_histograms_for_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.native.push(suffix.into());
        self
    }

    /// Sets how many histogram series have native buckets. Default: 10 000; 0 switches them off.
    ///
    /// They take about 1.2 KiB a series that has recorded something, 3.6 KiB at most, and some nanoseconds of each value.
    /// Series past the cap have classic buckets only, and `bartizan_native_histograms_refused_total`
    /// counts them.
    pub fn max_native_histograms(mut self, series: usize) -> Self {
        self.limits.natives = series;
        self
    }

    /// Makes the store.
    ///
    /// # Errors
    ///
    /// [`BuildError::Buckets`] if a list of bounds is empty, too long, not finite or not increasing.
    ///
    /// ```
    /// use bartizan_metrics::Store;
    ///
    /// let error = Store::builder().buckets_for("wait_seconds", &[2.0, 1.0]).build().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "buckets of \"wait_seconds\": bound 1 is 1, which is not above the one before it: \
    ///      sort the list, without repeats"
    /// );
    /// ```
    pub fn build(self) -> Result<Store, BuildError> {
        let mut rules = Rules::default();
        if let Some(bounds) = self.default {
            rules.default = buckets("default", &bounds)?;
        }
        for (metric, bounds) in self.exact {
            let buckets = buckets(&metric, &bounds)?;
            rules.exact.push((metric, buckets));
        }
        for (suffix, bounds) in self.suffix {
            let buckets = buckets(&suffix, &bounds)?;
            rules.suffix.push((suffix, buckets));
        }
        rules.native.extend(self.native);
        Ok(Store::assemble(rules, self.limits))
    }
}

fn buckets(metric: &str, bounds: &[f64]) -> Result<Arc<Buckets>, BuildError> {
    match Buckets::new(bounds) {
        Ok(buckets) => Ok(Arc::new(buckets)),
        Err(source) => Err(BuildError::Buckets { metric: metric.to_owned(), source }),
    }
}
