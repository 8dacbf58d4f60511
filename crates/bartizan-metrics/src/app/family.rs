//! A metric with labels, and the handles of its series.

use std::fmt;
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, KeyName};

use super::cache::{Cache, key};
use super::labels::LabelSet;
use super::summary::Summary;
use crate::store::{Cell, Kind, Store};

/// A handle of one series: [`metrics::Counter`], [`metrics::Gauge`], [`metrics::Histogram`] or [`Summary`].
pub trait Handle: sealed::Handle + Clone {}

/// Nobody else can make handles of the store's series.
mod sealed {
    /// The kind of a handle.
    #[derive(Debug)]
    pub struct Kind(pub(crate) crate::store::Kind);

    /// The series of a handle, if there is one.
    #[derive(Debug)]
    pub struct Series(pub(crate) Option<crate::store::Cell>);

    pub trait Handle: Sized {
        const KIND: Kind;

        fn of(series: Series) -> Self;
    }
}

pub(super) const fn kind<H: Handle>() -> Kind {
    H::KIND.0
}

macro_rules! handles {
    ($($handle:ident $cell:ident $make:expr, $noop:expr;)+) => {$(
        impl Handle for $handle {}

        impl sealed::Handle for $handle {
            const KIND: sealed::Kind = sealed::Kind(Kind::$cell);

            fn of(series: sealed::Series) -> Self {
                match series.0 {
                    Some(Cell::$cell(cell)) => $make(cell),
                    _ => $noop,
                }
            }
        }
    )+};
}

handles! {
    Counter Counter Counter::from_arc, Counter::noop();
    Gauge Gauge Gauge::from_arc, Gauge::noop();
    Histogram Histogram Histogram::from_arc, Histogram::noop();
    Summary Summary Summary::of, Summary::default();
}

/// A metric with labels: gives the handle of each label set. Clones share everything.
///
/// [`MetricBuilder::family`](crate::MetricBuilder::family) makes it.
///
/// ```
/// use bartizan_metrics::{Family, Metrics, Store};
/// use metrics::Gauge;
///
/// let store = Store::new();
/// let depth: Family<Gauge> = Metrics::new(&store).gauge("queue_depth").help("Jobs that wait.").family()?;
/// depth.with(&[("queue", "mail")]).set(3.0);
///
/// let page = String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec())?;
/// assert!(page.contains(r#"queue_depth{queue="mail"} 3"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Family<H>(Option<Arc<Inner<H>>>);

struct Inner<H> {
    store: Store,
    name: KeyName,
    cache: Cache<H>,
}

impl<H: Handle> Family<H> {
    pub(super) fn new(store: Option<(Store, KeyName)>) -> Self {
        Self(store.map(|(store, name)| Arc::new(Inner { store, name, cache: Cache::default() })))
    }

    /// The handle of these labels. Off, or where the metric has been refused, it does nothing.
    pub fn with(&self, labels: &(impl LabelSet + ?Sized)) -> H {
        let Some(inner) = &self.0 else { return H::of(sealed::Series(None)) };
        inner.cache.get_or_make(&labels, || {
            let key = key(&inner.name, &[], &labels);
            let cell = inner.store.cell(&key, kind::<H>());
            (H::of(sealed::Series(cell)), inner.store.has(&key))
        })
    }

    #[cfg(test)]
    pub(super) fn cached(&self) -> usize {
        self.0.as_ref().map_or(0, |inner| inner.cache.len())
    }
}

impl<H> Clone for Family<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H> fmt::Debug for Family<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.as_ref().map(|inner| inner.name.as_str());
        f.debug_tuple("Family").field(&name).finish()
    }
}
