//! How a layer comes by the histogram behind a `metrics` handle.
//!
//! A handle can record, and nothing else. Layers that also have an exemplar need the histogram
//! itself, but see the recorder only as a trait object, which may be this store, a fan-out with this
//! store in it, or somebody else's. So a store lays each histogram that it hands out on the
//! thread's counter while somebody stands there; it happens once a series.

use std::cell::RefCell;
use std::sync::Arc;

use super::histogram::HistogramCell;

thread_local! {
    static COUNTER: RefCell<Counter> = const { RefCell::new(Counter::Closed) };
}

enum Counter {
    /// Nobody waits.
    Closed,
    /// What was laid there last.
    Open(Option<Arc<HistogramCell>>),
}

/// Does something that may register a histogram, and tells which one a store registered meanwhile.
pub(crate) fn with_histogram<T>(register: impl FnOnce() -> T) -> (T, Option<Arc<HistogramCell>>) {
    COUNTER.set(Counter::Open(None));
    let made = register();
    match COUNTER.replace(Counter::Closed) {
        Counter::Open(cell) => (made, cell),
        Counter::Closed => (made, None),
    }
}

pub(super) fn offer(cell: &Arc<HistogramCell>) {
    COUNTER.with_borrow_mut(|counter| {
        if let Counter::Open(place) = counter {
            *place = Some(cell.clone());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn a_histogram_is_handed_over_to_who_waits_for_it() {
        let store = Store::new();
        let register = || metrics::with_local_recorder(&store, || metrics::histogram!("h"));
        let (handle, cell) = with_histogram(register);
        handle.record(1.0);
        assert!(Arc::ptr_eq(&cell.unwrap(), &store.histogram("h", &[("", "")][..0])));
        let _ = register();
        assert!(with_histogram(|| ()).1.is_none());
    }
}
