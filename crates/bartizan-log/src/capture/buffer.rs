//! The beginning of a body, in memory that is bounded twice: for one body, and for all of them at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a buffer takes first; it doubles from there.
const FIRST: usize = 1024;

static HELD: AtomicUsize = AtomicUsize::new(0);
static TRUNCATED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// How many bodies of this process were captured in part only: longer than the limit, ended early, or for want of room.
pub fn bodies_truncated_total() -> u64 {
    TRUNCATED.load(Ordering::Relaxed)
}

/// How many bodies of this process were not captured to the end because all bodies being captured at that moment had the room there is.
pub fn bodies_refused_total() -> u64 {
    REFUSED.load(Ordering::Relaxed)
}

/// How many bytes this process holds for bodies being captured.
pub fn captured_bytes() -> usize {
    HELD.load(Ordering::Relaxed)
}

pub(super) fn count_truncated() {
    TRUNCATED.fetch_add(1, Ordering::Relaxed);
}

/// The room that all buffers share.
#[derive(Debug)]
pub(super) struct Room {
    limit: usize,
    held: AtomicUsize,
}

impl Room {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, held: AtomicUsize::new(0) }
    }

    fn take(&self, bytes: usize) -> bool {
        let taken = self.held.fetch_add(bytes, Ordering::Relaxed);
        let fits = taken.saturating_add(bytes) <= self.limit;
        if fits {
            HELD.fetch_add(bytes, Ordering::Relaxed);
        } else {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        HELD.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The beginning of a body.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    limit: usize,
    room: Arc<Room>,
    /// Bytes taken from the room.
    taken: usize,
    /// Bytes that went by, and those of them that were shown.
    passed: u64,
    shown: u64,
    /// Nothing more is kept.
    full: bool,
}

impl Buffer {
    pub(super) fn new(limit: usize, room: &Arc<Room>) -> Self {
        let room = Arc::clone(room);
        Self { bytes: Vec::new(), limit, room, taken: 0, passed: 0, shown: 0, full: false }
    }

    /// So many bytes go by, and may be shown next.
    pub(super) fn pass(&mut self, len: usize) {
        // What was not shown leaves a gap: nothing behind it belongs to the beginning.
        self.full |= self.shown < self.passed;
        self.passed += len as u64;
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        self.shown += data.len() as u64;
        let fits = data.len().min(self.limit - self.bytes.len());
        if self.full || !self.has_room(self.bytes.len() + fits) {
            return;
        }
        self.bytes.extend_from_slice(data.get(..fits).unwrap_or_default());
        self.full = self.bytes.len() == self.limit;
    }

    fn has_room(&mut self, needed: usize) -> bool {
        if needed <= self.taken {
            return true;
        }
        let wanted = needed.max(2 * self.taken).max(FIRST).min(self.limit);
        if !self.room.take(wanted - self.taken) {
            self.full = true;
            REFUSED.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.taken = wanted;
        self.bytes.reserve_exact(wanted - self.bytes.len());
        true
    }

    pub(super) fn wants_more(&self) -> bool {
        !self.full
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How long the body was as far as it went by.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Whether all that went by is here.
    pub(super) fn is_whole(&self) -> bool {
        self.bytes.len() as u64 == self.passed
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.room.give_back(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffer: &mut Buffer, data: &[u8]) {
        buffer.pass(data.len());
        buffer.push(data);
    }

    #[test]
    fn the_beginning_is_kept_and_the_length_is_the_true_one() {
        let room = Arc::new(Room::new(1 << 20));
        let mut buffer = Buffer::new(10, &room);
        put(&mut buffer, b"abcdef");
        assert!(buffer.is_whole() && buffer.wants_more());
        put(&mut buffer, b"ghijkl");
        put(&mut buffer, b"mnop");
        assert_eq!((buffer.bytes(), buffer.passed()), (&b"abcdefghij"[..], 16));
        assert!(!buffer.is_whole() && !buffer.wants_more());
        assert_eq!(room.held.load(Ordering::Relaxed), 10);
        drop(buffer);
        assert_eq!(room.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn nothing_behind_a_gap_is_kept() {
        let mut buffer = Buffer::new(100, &Arc::new(Room::new(1 << 20)));
        put(&mut buffer, b"ab");
        buffer.pass(2);
        put(&mut buffer, b"ef");
        assert_eq!((buffer.bytes(), buffer.passed(), buffer.is_whole()), (&b"ab"[..], 6, false));
    }

    #[test]
    fn all_bodies_together_have_the_room_there_is_and_no_more() {
        let room = Arc::new(Room::new(3 * FIRST));
        let before = bodies_refused_total();
        let mut buffers: Vec<_> = (0..4).map(|_| Buffer::new(1 << 20, &room)).collect();
        for buffer in &mut buffers {
            put(buffer, b"x");
        }
        assert_eq!(buffers.iter().filter(|buffer| buffer.is_whole()).count(), 3);
        assert!(bodies_refused_total() > before);
        assert!(captured_bytes() >= 3 * FIRST);
        put(&mut buffers[0], &[b'x'; FIRST]);
        assert_eq!(buffers[0].bytes(), b"x", "it cannot grow");
        buffers.clear();
        let mut next = Buffer::new(1 << 20, &room);
        put(&mut next, b"x");
        assert!(next.is_whole(), "what was given back is there for others");
    }
}
