//! Log output that no request waits for.

mod thread;

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, mem};

/// Takes finished lines and has a thread of its own write them.
///
/// A line is copied into a buffer under a short lock, and that is all that the caller waits for: no system call, no
/// matter how slow the sink is. The thread writes whole batches. While lines keep coming it looks for them by itself
/// every few milliseconds; only the first line after a quiet moment has to wake it.
///
/// The buffer is bounded: what comes while it is full is dropped and [counted](Self::lines_dropped_total). At most two
/// buffers exist, one being filled and one being written. An I/O error drops what was being written, counts it, and
/// the next lines are tried again. A clone is another handle; the thread ends, after a last batch, with the last of
/// them.
///
/// ```
/// use bartizan_log::LogWriter;
/// use std::time::Duration;
///
/// let writer = LogWriter::new(std::io::sink())?;
/// assert!(writer.write_line(b"{\"message\":\"hello\"}\n"));
/// assert!(writer.flush(Duration::from_secs(5)));
/// assert_eq!(writer.lines_dropped_total(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct LogWriter {
    handle: Arc<Handle>,
}

/// What the handles share among themselves: the last one closes.
struct Handle {
    shared: Arc<Shared>,
}

/// The thread does not linger while this much waits, or a quarter of what may wait.
const MUCH: usize = 256 * 1024;

struct Shared {
    state: Mutex<State>,
    /// For the thread: there is something to do.
    wake: Condvar,
    /// For those who flush: something was done.
    done: Condvar,
    capacity: usize,
    much: usize,
    dropped: AtomicU64,
    errors: AtomicU64,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    /// Lines in the buffer.
    lines: u64,
    /// Lines taken so far, and those of them that are dealt with: written, or lost to errors.
    taken: u64,
    settled: u64,
    /// A batch could not be written whole since someone last flushed.
    failed: bool,
    /// The thread sleeps until it is woken.
    idle: bool,
    /// Someone waits: do not linger.
    hurry: bool,
    life: Life,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Open,
    /// No more lines are taken.
    Closed,
    /// The thread has ended.
    Ended,
}

impl LogWriter {
    /// How many bytes wait at most, by default: 4 MiB.
    pub const DEFAULT_CAPACITY: usize = 4 * 1024 * 1024;

    /// A writer to this sink, with the default capacity.
    ///
    /// # Errors
    ///
    /// Where the thread cannot be started.
    pub fn new(sink: impl Write + Send + 'static) -> io::Result<Self> {
        Self::with_capacity(sink, Self::DEFAULT_CAPACITY)
    }

    /// A writer to this sink that keeps at most so many bytes waiting.
    ///
    /// # Errors
    ///
    /// Where the thread cannot be started.
    pub fn with_capacity(sink: impl Write + Send + 'static, bytes: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
            capacity: bytes,
            much: MUCH.min(bytes / 4),
            dropped: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        });
        let own = Arc::clone(&shared);
        std::thread::Builder::new().name("bartizan-log".into()).spawn(move || thread::run(&own, sink))?;
        Ok(Self { handle: Arc::new(Handle { shared }) })
    }

    /// Takes a line, with its line feed at the end. False, and counted, if there is no room, the writer is shut down,
    /// or the sink itself logs: that would never end.
    pub fn write_line(&self, line: &[u8]) -> bool {
        let shared = &*self.handle.shared;
        let mut state = shared.lock();
        let before = state.buffer.len();
        if state.life != Life::Open || before + line.len() > shared.capacity || thread::is_current() {
            drop(state);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        state.buffer.extend_from_slice(line);
        state.lines += 1;
        state.taken += 1;
        let much = before < shared.much && state.buffer.len() >= shared.much;
        let wake = mem::take(&mut state.idle) || much;
        drop(state);
        if wake {
            shared.wake.notify_one();
        }
        true
    }

    /// Waits until all lines taken so far are written, at most for `deadline`. Says whether they were: not if time ran
    /// out, or the sink failed since the last flush. This blocks the calling thread.
    pub fn flush(&self, deadline: Duration) -> bool {
        let shared = &*self.handle.shared;
        let mut state = shared.lock();
        let wanted = state.taken;
        if state.settled < wanted {
            state.hurry = true;
            shared.wake.notify_one();
            let waiting = |state: &mut State| state.settled < wanted && state.life != Life::Ended;
            let result = shared.done.wait_timeout_while(state, deadline, waiting);
            state = result.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.settled >= wanted && !mem::take(&mut state.failed)
    }

    /// Takes no more lines, and waits as [`flush`](Self::flush) does for those taken before. For all clones.
    pub fn shutdown(&self, deadline: Duration) -> bool {
        self.handle.shared.close();
        self.flush(deadline)
    }

    /// How many lines were dropped so far: because the buffer was full, the sink failed, or the writer was shut down.
    pub fn lines_dropped_total(&self) -> u64 {
        self.handle.shared.dropped.load(Ordering::Relaxed)
    }

    /// How many writes to the sink failed so far.
    pub fn write_errors_total(&self) -> u64 {
        self.handle.shared.errors.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut state = self.lock();
        if state.life == Life::Open {
            state.life = Life::Closed;
        }
        drop(state);
        self.wake.notify_one();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter")
            .field("capacity", &self.handle.shared.capacity)
            .field("lines_dropped_total", &self.lines_dropped_total())
            .field("write_errors_total", &self.write_errors_total())
            .finish()
    }
}

/// Shuts a [`LogWriter`] down when it is dropped, within two seconds. Keep it until the end of `main`.
///
/// ```
/// use bartizan_log::{LogGuard, LogWriter};
///
/// let writer = LogWriter::new(std::io::stdout())?;
/// let guard = LogGuard::new(writer);
/// // .. serve ..
/// drop(guard);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard shuts the log down"]
pub struct LogGuard {
    writer: LogWriter,
    is_shut_down: bool,
}

impl LogGuard {
    /// A guard for this writer.
    pub fn new(writer: LogWriter) -> Self {
        Self { writer, is_shut_down: false }
    }

    /// The writer, for its counters and for a [`flush`](LogWriter::flush).
    pub fn writer(&self) -> &LogWriter {
        &self.writer
    }

    /// Takes no more lines and writes those taken before, at most for `deadline`. Says whether all were written.
    pub fn shutdown(mut self, deadline: Duration) -> bool {
        self.is_shut_down = true;
        self.writer.shutdown(deadline)
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        if !self.is_shut_down {
            self.writer.shutdown(Duration::from_secs(2));
        }
    }
}

#[cfg(test)]
mod tests;
