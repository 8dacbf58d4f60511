//! Metrics that say what they are before they are used: kind, help, unit, buckets or quantiles, cap.

use std::sync::{Arc, PoisonError};

use metrics::Unit;

use super::{Description, MAX_HELP, Registry};
use crate::store::buckets::{Buckets, BucketsError};
use crate::store::cell::Kind;
use crate::store::family::Family;
use crate::store::summary::SummaryShape;
use crate::store::{labels, names};

/// Why a metric cannot be registered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The name is empty or too long.
    #[error("metric name {name:?}: give 1 to {} bytes", names::MAX_NAME)]
    BadName {
        /// The name, cut if it is very long.
        name: String,
    },
    /// The name, or a name that the page derives from it, belongs to another metric or another kind of metric.
    #[error("metric name {name:?} is taken by another metric: choose another")]
    Taken {
        /// The name.
        name: String,
    },
    /// The metric is there already, with other buckets, quantiles or another window.
    #[error("metric {name:?} is there already in another shape: register it once, before its first use")]
    OtherShape {
        /// The name.
        name: String,
    },
    /// Its buckets cannot be used.
    #[error("buckets of {name:?}: {source}")]
    Buckets {
        /// The name.
        name: String,
        /// What is wrong with them.
        source: BucketsError,
    },
    /// A quantile is not between 0 and 1, or there are too many.
    #[error("quantiles of {name:?}: give 1 to 16 numbers between 0 and 1, such as 0.5, 0.9, 0.99")]
    Quantiles {
        /// The name.
        name: String,
    },
    /// The store has as many metric names as it may have.
    #[error("no room for metric {name:?}: the store is full with {limit} names, raise `max_metrics`")]
    TooMany {
        /// The name.
        name: String,
        /// The limit that was reached.
        limit: usize,
    },
}

/// What a metric may have of its own; the store's rules count where it has not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Custom {
    pub(crate) buckets: Option<Arc<Buckets>>,
    pub(crate) summary: Option<Arc<SummaryShape>>,
    pub(crate) max_series: Option<usize>,
}

impl Custom {
    fn fits(&self, family: &Family) -> bool {
        let buckets = self.buckets.as_ref().is_none_or(|own| own.bounds() == family.buckets().bounds());
        let summary = self.summary.as_ref().is_none_or(|own| family.summary().is_some_and(|it| own.is(it)));
        buckets && summary
    }
}

/// Whether a name can be registered at all.
pub(crate) fn check_name(raw: &str) -> Result<(), MetricError> {
    if raw.is_empty() || raw.len() > names::MAX_NAME {
        return Err(MetricError::BadName { name: labels::cut(raw, names::MAX_NAME).to_owned() });
    }
    Ok(())
}

impl Registry {
    /// Makes a metric with what it has of its own. The same one may be registered again.
    pub(crate) fn define(
        &self,
        raw: &str,
        kind: Kind,
        unit: Option<Unit>,
        help: &str,
        custom: &Custom,
    ) -> Result<(), MetricError> {
        check_name(raw)?;
        let name = || raw.to_owned();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !state.names.contains_key(raw) {
            if state.names.len() >= self.max_names {
                return Err(MetricError::TooMany { name: name(), limit: self.max_names });
            }
            let help: Arc<str> = labels::cut(help, MAX_HELP).into();
            state.descriptions.entry(name()).or_insert(Description { help, unit });
            let made = state.make(self, raw, kind, custom.clone());
            state.names.insert(name(), made);
        }
        match state.names.get(raw) {
            Some(Ok(family)) if family.kind == kind && custom.fits(family) => Ok(()),
            Some(Ok(family)) if family.kind == kind => Err(MetricError::OtherShape { name: name() }),
            _ => Err(MetricError::Taken { name: name() }),
        }
    }
}
