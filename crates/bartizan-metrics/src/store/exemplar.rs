//! Exemplars: for each bucket of a histogram, the trace of one recent observation.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, fence};
use std::time::{Duration, SystemTime};

use bartizan_core::TraceIds;

/// One observation and the span it was made in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exemplar {
    pub(crate) value: f64,
    pub(crate) ids: TraceIds,
    /// Time since the Unix epoch, in whole milliseconds.
    pub(crate) at: Duration,
}

/// A slot for each bucket; nothing is allocated before the first exemplar comes.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(OnceLock<Box<[Slot]>>);

/// An exemplar in atomics. A reader sees by the round whether what it read belongs together.
#[derive(Debug, Default)]
struct Slot {
    /// In which round it was kept; 0 while there is none, [`WRITING`], which is above all, while it is replaced.
    round: AtomicU64,
    value: AtomicU64,
    trace_id: [AtomicU64; 2],
    span_id: AtomicU64,
    /// Milliseconds since the Unix epoch.
    at: AtomicU64,
}

const WRITING: u64 = u64::MAX;

impl Exemplars {
    /// Keeps the first exemplar of each round, which is the time between two pages: nobody sees
    /// more of them, and the others cost no more than to find that out. When two threads come at
    /// once, one of the two is as good as the other, and nobody waits.
    pub(crate) fn keep(&self, bucket: usize, buckets: usize, round: u64, value: f64, ids: TraceIds) {
        let slots = self.0.get_or_init(|| (0..buckets).map(|_| Slot::default()).collect());
        let Some(slot) = slots.get(bucket) else { return };
        let last = slot.round.load(Relaxed);
        // Rounds only grow, also where a thread comes late: a reader that sees one twice has seen no other in between.
        if last < round {
            slot.replace(last, round, value, ids);
        }
    }

    pub(crate) fn get(&self, bucket: usize) -> Option<Exemplar> {
        self.0.get()?.get(bucket)?.get()
    }
}

impl Slot {
    #[cold]
    fn replace(&self, last: u64, round: u64, value: f64, ids: TraceIds) {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if self.round.compare_exchange(last, WRITING, Acquire, Relaxed).is_err() {
            return;
        }
        // Whoever sees one of the new values sees that the round has changed.
        fence(Release);
        let trace_id = u128::from_be_bytes(ids.trace_id);
        self.value.store(value.to_bits(), Relaxed);
        self.trace_id[0].store((trace_id >> 64) as u64, Relaxed);
        self.trace_id[1].store(trace_id as u64, Relaxed);
        self.span_id.store(u64::from_be_bytes(ids.span_id), Relaxed);
        self.at.store(at.as_millis() as u64, Relaxed);
        self.round.store(round, Release);
    }

    /// `None` if there is none, or it is replaced at this moment.
    fn get(&self) -> Option<Exemplar> {
        let round = self.round.load(Acquire);
        if round == 0 || round == WRITING {
            return None;
        }
        let value = f64::from_bits(self.value.load(Relaxed));
        let trace_id =
            u128::from(self.trace_id[0].load(Relaxed)) << 64 | u128::from(self.trace_id[1].load(Relaxed));
        let ids = TraceIds {
            trace_id: trace_id.to_be_bytes(),
            span_id: self.span_id.load(Relaxed).to_be_bytes(),
            sampled: true,
        };
        let at = Duration::from_millis(self.at.load(Relaxed));
        fence(Acquire);
        let whole = self.round.load(Relaxed) == round;
        whole.then_some(Exemplar { value, ids, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(byte: u8) -> TraceIds {
        TraceIds { trace_id: [byte; 16], span_id: [byte; 8], sampled: true }
    }

    #[test]
    fn an_exemplar_is_kept_as_it_came() {
        let exemplars = Exemplars::default();
        let ids = TraceIds { trace_id: *b"0123456789abcdef", span_id: *b"ghijklmn", sampled: true };
        exemplars.keep(1, 3, 1, 0.25, ids);
        assert!(exemplars.get(0).is_none() && exemplars.get(7).is_none());
        let kept = exemplars.get(1).unwrap();
        assert_eq!(kept.ids, ids);
        assert!((kept.value - 0.25).abs() < f64::EPSILON);
        assert!(kept.at.as_secs() > 1_600_000_000);
    }

    #[test]
    fn a_bucket_keeps_the_first_exemplar_of_each_round() {
        let exemplars = Exemplars::default();
        let of = |byte, round| {
            exemplars.keep(0, 1, round, 0.5, ids(byte));
            exemplars.get(0).unwrap().ids.span_id[0]
        };
        assert_eq!([of(1, 1), of(2, 1), of(3, 2), of(4, 2), of(5, 9)], [1, 1, 3, 3, 5]);
    }

    #[test]
    fn an_exemplar_that_is_being_replaced_is_neither_shown_nor_waited_for() {
        let exemplars = Exemplars::default();
        exemplars.keep(0, 1, 1, 0.5, ids(1));
        exemplars.0.get().unwrap()[0].round.store(WRITING, Relaxed);
        exemplars.keep(0, 1, 2, 0.5, ids(2));
        assert!(exemplars.get(0).is_none());
    }

    #[test]
    fn what_is_read_belongs_together() {
        let exemplars = Exemplars::default();
        std::thread::scope(|scope| {
            for thread in 1..=2 {
                let exemplars = &exemplars;
                scope.spawn(move || {
                    for n in 1..20_000_u64 {
                        let byte = (n % 100) as u8 * 2 + thread;
                        exemplars.keep(0, 1, n, f64::from(byte), ids(byte));
                    }
                });
            }
            for _ in 0..20_000 {
                if let Some(read) = exemplars.get(0) {
                    assert_eq!(f64::from(read.ids.span_id[0]).to_bits(), read.value.to_bits());
                    assert_eq!(read.ids, ids(read.ids.span_id[0]));
                }
            }
        });
    }
}
