//! Counters on the way to the collector.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::setup::SpanCounts;

/// Shared by the queue, the exporter and [`Tracing`](crate::Tracing).
///
/// Relaxed throughout: nothing else is published by these numbers.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    queued: AtomicU64,
    in_flight: AtomicU64,
    abandoned: AtomicBool,
}

#[cfg_attr(not(feature = "_otlp"), allow(dead_code))]
impl Counts {
    /// Makes room for one span in a queue of `limit`; `false` if it is full.
    pub(crate) fn admit(&self, limit: u64) -> bool {
        let admitted = self.queued.fetch_add(1, Relaxed) < limit;
        if !admitted {
            self.queued.fetch_sub(1, Relaxed);
            self.dropped.fetch_add(1, Relaxed);
        }
        admitted
    }

    /// A batch leaves the queue and is on its way.
    pub(crate) fn begin(&self, spans: u64) {
        self.in_flight.fetch_add(spans, Relaxed);
        self.queued.fetch_sub(spans, Relaxed);
    }

    /// A batch on its way has arrived, or not.
    pub(crate) fn end(&self, spans: u64, arrived: bool) {
        let outcome = if arrived { &self.exported } else { &self.failed };
        outcome.fetch_add(spans, Relaxed);
        self.in_flight.fetch_sub(spans, Relaxed);
    }

    /// From now on batches fail without being sent: nobody waits for them any more.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Relaxed);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Relaxed)
    }

    pub(crate) fn snapshot(&self) -> SpanCounts {
        SpanCounts {
            exported: self.exported.load(Relaxed),
            failed: self.failed.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            waiting: self.queued.load(Relaxed) + self.in_flight.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_and_counts_and_makes_room_again() {
        let counts = Counts::default();
        assert_eq!([counts.admit(2), counts.admit(2), counts.admit(2)], [true, true, false]);
        counts.begin(2);
        assert_eq!((counts.snapshot().waiting, counts.snapshot().dropped), (2, 1));
        assert!(counts.admit(2));
        counts.end(2, false);
        let SpanCounts { exported, failed, dropped, waiting } = counts.snapshot();
        assert_eq!((exported, failed, dropped, waiting), (0, 2, 1, 1));
    }
}
