//! The thread that writes.

use std::cell::Cell;
use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::{mem, thread};

use super::{Life, Shared, State};

/// How long the thread lets lines gather after a write, before it looks again.
const LINGER: Duration = Duration::from_millis(5);
/// How long it waits for a sink that says that it would block.
const RETRY: Duration = Duration::from_millis(1);

thread_local! {
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread that writes: what is logged on it comes from a sink.
pub(super) fn is_current() -> bool {
    IS_WRITER.try_with(Cell::get).unwrap_or(false)
}

/// How much memory a buffer keeps after a burst is over.
const KEPT: usize = 256 * 1024;

pub(super) fn run(shared: &Shared, mut sink: impl Write) {
    IS_WRITER.set(true);
    let mut batch = Vec::new();
    let mut torn = false;
    loop {
        let mut state = shared.lock();
        while state.buffer.is_empty() && state.life == Life::Open {
            state.buffer.shrink_to(KEPT);
            state.idle = true;
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle = false;
        state.hurry = false;
        mem::swap(&mut state.buffer, &mut batch);
        let lines = mem::take(&mut state.lines);
        drop(state);

        let written = batch.is_empty() || write(shared, &mut sink, &batch, &mut torn);
        if batch.len() < KEPT / 2 {
            batch.shrink_to(KEPT);
        }
        batch.clear();

        let mut state = shared.lock();
        state.settled += lines;
        state.failed |= !written;
        shared.done.notify_all();
        if state.life != Life::Open && state.buffer.is_empty() {
            state.life = Life::Ended;
            return;
        }
        let linger =
            |state: &mut State| !state.hurry && state.life == Life::Open && state.buffer.len() < shared.much;
        drop(shared.wake.wait_timeout_while(state, LINGER, linger));
    }
}

/// Writes a batch. False, and counted, if that failed.
fn write(shared: &Shared, sink: &mut impl Write, batch: &[u8], torn: &mut bool) -> bool {
    let mut rest = batch;
    // A sink that panics must not take the thread with it.
    let written = catch_unwind(AssertUnwindSafe(|| {
        if *torn {
            write_all(sink, &mut &b"\n"[..])?;
            *torn = false;
        }
        write_all(sink, &mut rest)?;
        sink.flush()
    }));
    if matches!(written, Ok(Ok(()))) {
        return true;
    }
    shared.errors.fetch_add(1, Ordering::Relaxed);
    let done = batch.len() - rest.len();
    // What follows a torn line begins on a line of its own.
    *torn |= batch.get(..done).and_then(<[u8]>::last).is_some_and(|last| *last != b'\n');
    let lost = memchr::memchr_iter(b'\n', rest).count() as u64;
    shared.dropped.fetch_add(lost, Ordering::Relaxed);
    false
}

/// As [`Write::write_all`], but keeps track of what is written, and waits for a sink that does not block.
fn write_all(sink: &mut impl Write, rest: &mut &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => *rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
