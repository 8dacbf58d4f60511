//! The ids of a trace, set once and read without a lock.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::ids::TraceIds;

const EMPTY: u8 = 0;
const BEING_SET: u8 = 1;
const DROPPED: u8 = 2;
const SAMPLED: u8 = 3;

#[derive(Default)]
pub(super) struct TraceCell {
    state: AtomicU8,
    trace_id: [AtomicU64; 2],
    span_id: AtomicU64,
}

impl TraceCell {
    /// Sets the ids, unless there are some. The first ones stay.
    #[inline]
    pub(super) fn set(&self, ids: TraceIds) -> bool {
        let free = self.state.compare_exchange(EMPTY, BEING_SET, Ordering::Relaxed, Ordering::Relaxed);
        if free.is_err() {
            return false;
        }
        let trace_id = u128::from_be_bytes(ids.trace_id);
        self.trace_id[0].store((trace_id >> 64) as u64, Ordering::Relaxed);
        self.trace_id[1].store(trace_id as u64, Ordering::Relaxed);
        self.span_id.store(u64::from_be_bytes(ids.span_id), Ordering::Relaxed);
        self.state.store(if ids.sampled { SAMPLED } else { DROPPED }, Ordering::Release);
        true
    }

    #[inline]
    pub(super) fn get(&self) -> Option<TraceIds> {
        let state = self.state.load(Ordering::Acquire);
        if state < DROPPED {
            return None;
        }
        let [high, low] = [&self.trace_id[0], &self.trace_id[1]].map(|half| half.load(Ordering::Relaxed));
        Some(TraceIds {
            trace_id: (u128::from(high) << 64 | u128::from(low)).to_be_bytes(),
            span_id: self.span_id.load(Ordering::Relaxed).to_be_bytes(),
            sampled: state == SAMPLED,
        })
    }

    pub(super) fn clear(&mut self) {
        *self.state.get_mut() = EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ids_stay_until_the_cell_is_cleared() {
        let ids = |n: u8, sampled| TraceIds { trace_id: [n; 16], span_id: [n; 8], sampled };
        let mut cell = TraceCell::default();
        assert_eq!(cell.get(), None);
        assert!(cell.set(ids(0xA1, true)));
        assert!(!cell.set(ids(2, false)));
        assert_eq!(cell.get(), Some(ids(0xA1, true)));
        cell.clear();
        assert_eq!(cell.get(), None);
        assert!(cell.set(ids(3, false)));
        assert_eq!(cell.get(), Some(ids(3, false)));
    }
}
