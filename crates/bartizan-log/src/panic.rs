//! The panic hook that logs.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bartizan_mask::Masker;

use crate::line::CUT;
use crate::writer::LogWriter;

/// Longest message and longest backtrace.
const MAX_MESSAGE: usize = 4 * 1024;
const MAX_BACKTRACE: usize = 16 * 1024;
/// How long a panic waits for its line to be written.
const FLUSH: Duration = Duration::from_millis(100);

static PANICS: AtomicU64 = AtomicU64::new(0);

/// How many panics the hook has seen so far in this process.
pub fn panics_total() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// A panic hook for the process, in place of the standard one, which prints messages unmasked.
///
/// It logs an `ERROR` event `panic`, target `bartizan::panic`, with `panic.message` (masked, at most 4 KiB),
/// `panic.location`, `panic.thread` and `backtrace` (at most 16 KiB), at the place of the panic, so the line has the ids
/// of the request. Where no subscriber takes the event, the same goes to standard error.
///
/// A panic may be the last thing that a process does. Given the log's writer, the hook waits until the line is written,
/// at most 100 ms.
///
/// ```no_run
/// use bartizan_log::PanicHook;
/// use bartizan_mask::Masker;
///
/// PanicHook::new(Masker::default()).install();
/// ```
#[derive(Clone, Debug)]
#[must_use = "the hook does nothing before it is installed"]
pub struct PanicHook {
    masker: Masker,
    writer: Option<LogWriter>,
}

impl PanicHook {
    /// A hook that masks messages with this masker.
    pub fn new(masker: Masker) -> Self {
        Self { masker, writer: None }
    }

    /// Waits for this writer after a panic.
    pub fn flush(mut self, writer: LogWriter) -> Self {
        self.writer = Some(writer);
        self
    }

    /// Replaces the process's panic hook.
    pub fn install(self) {
        std::panic::set_hook(Box::new(move |panic| self.log(panic)));
    }

    fn log(&self, panic: &PanicHookInfo<'_>) {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let message = self.masked(message(panic.payload()));
        let location = shown(MAX_MESSAGE, &panic.location().map_or_else(String::new, ToString::to_string));
        let backtrace = shown(MAX_BACKTRACE, &Backtrace::force_capture());
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let taken = Cell::new(false);
        // Only called where the event is wanted.
        let took = || {
            taken.set(true);
            message.as_str()
        };
        tracing::error!(
            target: "bartizan::panic",
            { panic.message = took(), panic.location = location, panic.thread = thread, backtrace },
            "panic"
        );
        if !taken.get() {
            let _ = writeln!(
                std::io::stderr().lock(),
                "thread {thread:?} panicked at {location}: {}\n{backtrace}",
                message.escape_debug()
            );
        } else if let Some(writer) = &self.writer {
            writer.flush(FLUSH);
        }
    }

    fn masked(&self, message: &str) -> String {
        let looked_at = cut(message, 2 * MAX_MESSAGE);
        let whole = looked_at.len() == message.len();
        let masked = if whole { self.masker.text_cow(message) } else { self.masker.cut_text_cow(looked_at) };
        shown(MAX_MESSAGE, &masked)
    }
}

fn message(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a value that is no text")
}

fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// The text of a value, cut and marked if it is longer than `limit` bytes.
fn shown(limit: usize, value: &impl fmt::Display) -> String {
    let mut text = Limited { text: String::new(), limit };
    if write!(text, "{value}").is_err() {
        text.text.push_str(CUT);
    }
    text.text
}

struct Limited {
    text: String,
    limit: usize,
}

impl fmt::Write for Limited {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let kept = cut(part, self.limit - self.text.len().min(self.limit));
        self.text.push_str(kept);
        if kept.len() == part.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_masked_before_it_is_cut() {
        let hook = PanicHook::new(Masker::default());
        assert_eq!(hook.masked("login failed: password=hunter2"), "login failed: password=[REDACTED]");
        let long = format!("{} password={}", "x".repeat(MAX_MESSAGE - 12), "hunter2".repeat(1000));
        let masked = hook.masked(&long);
        assert!(!masked.contains("hunter") && masked.ends_with(CUT), "{}", &masked[MAX_MESSAGE - 20..]);
        assert!(masked.len() <= MAX_MESSAGE + CUT.len());
    }

    #[test]
    fn a_payload_that_is_no_text_has_a_message_too() {
        assert_eq!(message(&"static"), "static");
        assert_eq!(message(&"owned".to_owned()), "owned");
        assert_eq!(message(&7_u8), "a value that is no text");
    }
}
