//! Exemplars: for each bucket of a histogram, the trace of one recent observation.

use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, SystemTime};

/// One observation and the span it was made in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exemplar {
    pub(crate) value: f64,
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    /// Time since the Unix epoch.
    pub(crate) at: Duration,
}

/// A slot for each bucket; nothing is allocated before the first exemplar comes.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(OnceLock<Box<[Mutex<Option<Exemplar>>]>>);

impl Exemplars {
    /// Keeps an exemplar, or drops it when another thread is at the same slot: one of the two
    /// is as good as the other, and nobody waits.
    pub(crate) fn keep(
        &self,
        bucket: usize,
        buckets: usize,
        value: f64,
        trace_id: [u8; 16],
        span_id: [u8; 8],
    ) {
        let slots = self.0.get_or_init(|| (0..buckets).map(|_| Mutex::new(None)).collect());
        let Some(slot) = slots.get(bucket) else { return };
        let mut slot = match slot.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        *slot = Some(Exemplar { value, trace_id, span_id, at });
    }

    pub(crate) fn get(&self, bucket: usize) -> Option<Exemplar> {
        *self.0.get()?.get(bucket)?.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_exemplar_of_a_bucket_is_kept() {
        let exemplars = Exemplars::default();
        exemplars.keep(1, 3, 0.5, [1; 16], [2; 8]);
        exemplars.keep(1, 3, 0.6, [3; 16], [4; 8]);
        assert!(exemplars.get(0).is_none());
        assert_eq!(exemplars.get(1).unwrap().trace_id, [3; 16]);
        assert_eq!(exemplars.get(1).unwrap().span_id, [4; 8]);
    }

    #[test]
    fn a_busy_slot_drops_the_exemplar_instead_of_waiting() {
        let exemplars = Exemplars::default();
        exemplars.keep(0, 1, 0.5, [1; 16], [2; 8]);
        let held = exemplars.0.get().unwrap()[0].lock().unwrap();
        exemplars.keep(0, 1, 0.6, [3; 16], [4; 8]);
        drop(held);
        assert_eq!(exemplars.get(0).unwrap().trace_id, [1; 16]);
    }
}
