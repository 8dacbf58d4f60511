//! The line of a request's event, written ahead of the event for the [`LogLayer`](crate::LogLayer)s of the thread: they
//! complete it, where they would visit each field. Other subscribers do not know of it.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::line::Buffers;

thread_local! {
    /// Nothing where nothing is written ahead, and while a layer has it.
    static WRITTEN: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

static IS_READ: AtomicBool = AtomicBool::new(false);

/// Says that there is a layer that reads what is written ahead.
pub(crate) fn expect() {
    IS_READ.store(true, Ordering::Relaxed);
}

/// What is written ahead of the event that is being dispatched, for the next layer to [give back](give_back).
pub(crate) fn take() -> Option<Box<Buffers>> {
    WRITTEN.try_with(Cell::take).ok().flatten()
}

pub(crate) fn give_back(written: Box<Buffers>) {
    let _ = WRITTEN.try_with(|cell| cell.set(Some(written)));
}

/// What is written ahead of an event, until this is dropped.
pub(super) struct Ahead {
    /// What is written ahead of an event in whose dispatch this one comes.
    outer: Option<Box<Buffers>>,
}

impl Ahead {
    /// Writes, if someone will read it. `write` leaves room for the timestamp and says how long the line is by then, if
    /// all of it was written.
    pub(super) fn write(write: impl FnOnce(&mut Vec<u8>) -> Option<usize>) -> Self {
        let mut own = Buffers::take();
        let len = if IS_READ.load(Ordering::Relaxed) { write(&mut own.line) } else { None };
        own.ahead = len.unwrap_or_default();
        let written = if len.is_some() {
            Some(own)
        } else {
            own.give_back();
            None
        };
        Self { outer: WRITTEN.try_with(|cell| cell.replace(written)).ok().flatten() }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let own = WRITTEN.try_with(|cell| cell.replace(self.outer.take())).ok().flatten();
        if let Some(mut own) = own {
            own.ahead = 0;
            own.give_back();
        }
    }
}

#[cfg(test)]
mod tests;
