//! Exemplars: for each bucket of a histogram, the trace of one recent observation.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, fence};
use std::time::{Duration, SystemTime};

use bartizan_core::TraceIds;

/// How long a bucket keeps its exemplar at least. Nobody scrapes more often, and a busy service
/// does not write one for every request.
const KEPT: Duration = Duration::from_millis(250);

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

/// An exemplar in atomics. A reader sees by the stamp whether what it read belongs together.
#[derive(Debug, Default)]
struct Slot {
    /// Milliseconds since the Unix epoch, 0 while there is no exemplar, [`WRITING`] while it is replaced.
    stamp: AtomicU64,
    value: AtomicU64,
    trace_id: [AtomicU64; 2],
    span_id: AtomicU64,
}

const WRITING: u64 = u64::MAX;

impl Exemplars {
    /// Keeps an exemplar, unless the bucket has a new one or another thread is about to keep one:
    /// one is as good as the other, and nobody waits.
    pub(crate) fn keep(&self, bucket: usize, buckets: usize, value: f64, ids: TraceIds) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.keep_at(bucket, buckets, Exemplar { value, ids, at: now });
    }

    fn keep_at(&self, bucket: usize, buckets: usize, exemplar: Exemplar) {
        let slots = self.0.get_or_init(|| (0..buckets).map(|_| Slot::default()).collect());
        if let Some(slot) = slots.get(bucket) {
            slot.keep(&exemplar);
        }
    }

    pub(crate) fn get(&self, bucket: usize) -> Option<Exemplar> {
        self.0.get()?.get(bucket)?.get()
    }
}

impl Slot {
    fn keep(&self, exemplar: &Exemplar) {
        let now = exemplar.at.as_millis() as u64;
        let last = self.stamp.load(Relaxed);
        // A clock that was set back is no reason to keep an old one.
        let new = last != 0 && now >= last && now - last < KEPT.as_millis() as u64;
        if new || last == WRITING || self.stamp.compare_exchange(last, WRITING, Acquire, Relaxed).is_err() {
            return;
        }
        // Whoever sees one of the new values sees that the stamp has changed.
        fence(Release);
        let (high, low) = halves(exemplar.ids.trace_id);
        self.value.store(exemplar.value.to_bits(), Relaxed);
        self.trace_id[0].store(high, Relaxed);
        self.trace_id[1].store(low, Relaxed);
        self.span_id.store(u64::from_be_bytes(exemplar.ids.span_id), Relaxed);
        self.stamp.store(now.clamp(1, WRITING - 1), Release);
    }

    /// `None` if there is none, or it is replaced at this moment.
    fn get(&self) -> Option<Exemplar> {
        let stamp = self.stamp.load(Acquire);
        if stamp == 0 || stamp == WRITING {
            return None;
        }
        let value = f64::from_bits(self.value.load(Relaxed));
        let trace_id = u128::from(self.trace_id[0].load(Relaxed)) << 64
            | u128::from(self.trace_id[1].load(Relaxed));
        let ids = TraceIds {
            trace_id: trace_id.to_be_bytes(),
            span_id: self.span_id.load(Relaxed).to_be_bytes(),
            sampled: true,
        };
        fence(Acquire);
        let whole = self.stamp.load(Relaxed) == stamp;
        whole.then_some(Exemplar { value, ids, at: Duration::from_millis(stamp) })
    }
}

fn halves(trace_id: [u8; 16]) -> (u64, u64) {
    let number = u128::from_be_bytes(trace_id);
    ((number >> 64) as u64, number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exemplar(byte: u8, millis: u64) -> Exemplar {
        let ids = TraceIds { trace_id: [byte; 16], span_id: [byte; 8], sampled: true };
        Exemplar { value: f64::from(byte), ids, at: Duration::from_millis(millis) }
    }

    #[test]
    fn an_exemplar_is_kept_as_it_came() {
        let exemplars = Exemplars::default();
        let ids = TraceIds { trace_id: *b"0123456789abcdef", span_id: *b"ghijklmn", sampled: true };
        exemplars.keep(1, 3, 0.25, ids);
        assert!(exemplars.get(0).is_none() && exemplars.get(7).is_none());
        let kept = exemplars.get(1).unwrap();
        assert_eq!(kept.ids, ids);
        assert!((kept.value - 0.25).abs() < f64::EPSILON);
        assert!(kept.at.as_secs() > 1_600_000_000);
    }

    #[test]
    fn a_bucket_keeps_its_exemplar_for_a_while() {
        let exemplars = Exemplars::default();
        let of = |byte, millis| {
            exemplars.keep_at(0, 1, exemplar(byte, millis));
            exemplars.get(0).unwrap().ids.span_id[0]
        };
        assert_eq!(of(1, 1_000), 1);
        assert_eq!(of(2, 1_249), 1);
        assert_eq!(of(3, 1_250), 3);
        // The clock was set back.
        assert_eq!(of(4, 500), 4);
    }

    #[test]
    fn an_exemplar_that_is_being_replaced_is_neither_shown_nor_waited_for() {
        let exemplars = Exemplars::default();
        exemplars.keep_at(0, 1, exemplar(1, 1_000));
        let slot = &exemplars.0.get().unwrap()[0];
        slot.stamp.store(WRITING, Relaxed);
        exemplars.keep_at(0, 1, exemplar(2, 9_000));
        assert!(exemplars.get(0).is_none());
    }

    #[test]
    fn what_is_read_belongs_together() {
        let exemplars = Exemplars::default();
        std::thread::scope(|scope| {
            for thread in 1..=2 {
                let exemplars = &exemplars;
                scope.spawn(move || {
                    for n in 0..20_000_u64 {
                        let byte = (n % 100) as u8 * 2 + thread;
                        exemplars.keep_at(0, 1, exemplar(byte, 1_000 * (n + 1)));
                    }
                });
            }
            for _ in 0..20_000 {
                if let Some(read) = exemplars.get(0) {
                    let byte = read.value as u8;
                    assert_eq!((read.ids.trace_id, read.ids.span_id), ([byte; 16], [byte; 8]));
                }
            }
        });
    }
}
