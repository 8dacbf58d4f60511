//! What a metric is, said once before it is used.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::Clock;
use metrics::{Histogram, KeyName, Unit};

use super::family::{Family, Handle, kind};
use super::summary::Summary;
use crate::store::{Buckets, Custom, Kind, MetricError, Store, SummaryShape, check_name};

/// Label sets of a summary, which is a hundred times as large as a counter.
const SUMMARY_SERIES: usize = 100;

const MAX_QUANTILES: usize = 16;

/// Describes a metric and registers it: [`Metrics::counter`](crate::Metrics::counter) and its kin make it.
///
/// ```
/// use bartizan_metrics::{Metrics, Store};
/// use metrics::Unit;
///
/// let metrics = Metrics::new(&Store::new());
/// let size = metrics
///     .histogram("upload_size_bytes")
///     .help("Size of uploads.")
///     .unit(Unit::Bytes)
///     .buckets(&[1e3, 1e6, 1e9])
///     .max_series(50)
///     .family()?;
/// size.with(&[("kind", "image")]).record(48_000.0);
/// # Ok::<(), bartizan_metrics::MetricError>(())
/// ```
#[must_use = "a metric is registered by `register` or `family`"]
pub struct MetricBuilder<H> {
    store: Option<Store>,
    name: KeyName,
    help: &'static str,
    unit: Option<Unit>,
    max_series: Option<usize>,
    buckets: Option<Vec<f64>>,
    quantiles: Option<Vec<f64>>,
    window: Duration,
    clock: Clock,
    handle: PhantomData<fn() -> H>,
}

impl<H: Handle> MetricBuilder<H> {
    pub(super) fn new(store: Option<Store>, clock: Clock, name: KeyName) -> Self {
        Self {
            store,
            name,
            help: "",
            unit: None,
            max_series: (kind::<H>() == Kind::Summary).then_some(SUMMARY_SERIES),
            buckets: None,
            quantiles: None,
            window: Duration::from_mins(10),
            clock,
            handle: PhantomData,
        }
    }

    /// What it measures, in a sentence. Of several for one name the first counts.
    pub fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// Its unit. A name with dots gets it as a suffix; a name without should end in it (`_seconds`).
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }

    /// How many label sets it may have, instead of the store's cap (2 000; 100 for a summary).
    pub fn max_series(mut self, max: usize) -> Self {
        self.max_series = Some(max);
        self
    }

    /// Registers it, and gives the handle of the series without labels.
    ///
    /// # Errors
    ///
    /// As [`family`](Self::family).
    pub fn register(self) -> Result<H, MetricError> {
        Ok(self.family()?.with(&()))
    }

    /// Registers it, and gives handles by labels. The same metric may be registered again.
    ///
    /// # Errors
    ///
    /// [`MetricError`] if the name is bad, taken by another metric or one too many, or what shapes it cannot be used. Off,
    /// only what can be seen without a store.
    pub fn family(self) -> Result<Family<H>, MetricError> {
        check_name(self.name.as_str())?;
        let custom = self.custom()?;
        let Some(store) = self.store else { return Ok(Family::new(None)) };
        store.registry().define(self.name.as_str(), kind::<H>(), self.unit, self.help, &custom)?;
        Ok(Family::new(Some((store, self.name))))
    }

    fn custom(&self) -> Result<Custom, MetricError> {
        let name = || self.name.as_str().to_owned();
        let buckets = match &self.buckets {
            None => None,
            Some(bounds) => match Buckets::new(bounds) {
                Ok(buckets) => Some(Arc::new(buckets)),
                Err(source) => return Err(MetricError::Buckets { name: name(), source }),
            },
        };
        let quantiles = self.quantiles.as_deref().unwrap_or(&[0.5, 0.9, 0.99]);
        let good = quantiles.iter().all(|quantile| (0.0..=1.0).contains(quantile));
        if !good || quantiles.is_empty() || quantiles.len() > MAX_QUANTILES {
            return Err(MetricError::Quantiles { name: name() });
        }
        let summary = (kind::<H>() == Kind::Summary && self.store.is_some())
            .then(|| Arc::new(SummaryShape::new(quantiles, self.window, self.clock)));
        Ok(Custom { buckets, summary, max_series: self.max_series })
    }
}

impl MetricBuilder<Histogram> {
    /// Its buckets, as for [`buckets_for`](crate::StoreBuilder::buckets_for): 1 to 64 upper bounds, finite and increasing.
    /// Default: by the store's rules.
    pub fn buckets(mut self, bounds: &[f64]) -> Self {
        self.buckets = Some(bounds.to_vec());
        self
    }
}

impl MetricBuilder<Summary> {
    /// Its quantiles, 1 to 16 numbers between 0 and 1. Default: 0.5, 0.9 and 0.99.
    pub fn quantiles(mut self, quantiles: &[f64]) -> Self {
        self.quantiles = Some(quantiles.to_vec());
        self
    }

    /// How far back quantiles look. Default: ten minutes.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }
}

impl<H> fmt::Debug for MetricBuilder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricBuilder").field("name", &self.name.as_str()).finish_non_exhaustive()
    }
}
