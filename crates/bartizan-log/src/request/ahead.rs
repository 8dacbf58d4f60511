//! The fields of a request's event as JSON, written ahead of the event for the [`LogLayer`](crate::LogLayer)s of the thread:
//! they copy them, where they would visit each. Other subscribers do not know of it.

use std::cell::Cell;
use std::mem;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

/// Longer ones are not written ahead: cutting what does not fit is left to the line.
pub(super) const MAX_BYTES: usize = 16 * 1024;

thread_local! {
    /// Empty where nothing is written ahead.
    static WRITTEN: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

static IS_READ: AtomicBool = AtomicBool::new(false);

/// Says that there is a layer that reads what is written ahead.
pub(crate) fn expect() {
    IS_READ.store(true, Ordering::Relaxed);
}

/// What is written ahead of the event that is being dispatched; `None` where nothing is.
pub(crate) fn read() -> Option<Read> {
    let written = WRITTEN.try_with(Cell::take).ok().filter(|written| !written.is_empty())?;
    Some(Read(written))
}

/// Lent, and given back when it is dropped.
pub(crate) struct Read(Vec<u8>);

impl Deref for Read {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Read {
    fn drop(&mut self) {
        let _ = WRITTEN.try_with(|cell| cell.set(mem::take(&mut self.0)));
    }
}

/// What is written ahead of an event, until this is dropped.
pub(super) struct Ahead {
    /// What is written ahead of an event in whose dispatch this one comes.
    outer: Option<Vec<u8>>,
}

impl Ahead {
    /// Writes, if someone will read it. `write` says whether all of it was written.
    pub(super) fn write(write: impl FnOnce(&mut Vec<u8>) -> bool) -> Self {
        let kept = WRITTEN.try_with(Cell::take).unwrap_or_default();
        let (outer, mut out) = if kept.is_empty() { (None, kept) } else { (Some(kept), Vec::new()) };
        if !IS_READ.load(Ordering::Relaxed) || !write(&mut out) {
            out.clear();
        }
        let _ = WRITTEN.try_with(|cell| cell.set(out));
        Self { outer }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let _ = WRITTEN.try_with(|cell| {
            let mut own = cell.take();
            own.clear();
            cell.set(self.outer.take().unwrap_or(own));
        });
    }
}

#[cfg(test)]
mod tests;
