//! One log line, built field by field in a buffer that is used again.

mod console;
mod escape;
mod names;
mod timestamp;
mod value;

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_core::{RESERVED_FIELDS, TraceIds};
use tracing::Metadata;

use self::console::{begin_paint, end_paint, paint, push_bare, push_block};
pub(crate) use self::escape::{fits_escaped, push_escaped};
use self::names::Names;
pub(crate) use self::timestamp::Timestamp;
pub(crate) use self::value::{
    CUT, push_bool, push_bound, push_cut, push_f64, push_integer, push_json, push_str, push_wide, push_word,
};

/// Longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// Longest value, in bytes as encoded, so that one value leaves room for the others.
pub(crate) const MAX_VALUE: usize = 32 * 1024;
/// Kept free for the ids, a mark and the end.
const RESERVE: usize = 768;
/// Longest name of a field or a target, in bytes, and as encoded.
const MAX_NAME: usize = 128;
const NAME_ROOM: usize = 2 * MAX_NAME;

static TRUNCATED: AtomicU64 = AtomicU64::new(0);

/// How many lines of this process lost a field or a part of a value because they grew beyond 64 KiB, 256 fields or
/// 32 KiB a value.
pub fn lines_truncated_total() -> u64 {
    TRUNCATED.load(Ordering::Relaxed)
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Console { colours: bool },
}

/// What is used again from line to line.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) line: Vec<u8>,
    /// Where the names stand that the line has so far.
    names: Vec<Range<usize>>,
    /// What a console line carries below it.
    below: Vec<u8>,
    /// For text that is looked through before it is written.
    pub(crate) text: String,
}

impl Buffers {
    /// Lends this thread's buffers. Whoever comes while they are lent (a `Debug` that logs, a panic hook) gets fresh
    /// ones.
    pub(crate) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static BUFFERS: Cell<Buffers> = const {
                Cell::new(Buffers { line: Vec::new(), names: Vec::new(), below: Vec::new(), text: String::new() })
            };
        }
        let mut buffers = BUFFERS.try_with(Cell::take).unwrap_or_default();
        let done = work(&mut buffers);
        let _ = BUFFERS.try_with(|cell| cell.set(buffers));
        done
    }
}

/// A line being written.
pub(crate) struct Line<'a> {
    out: &'a mut Vec<u8>,
    names: Names<'a>,
    below: &'a mut Vec<u8>,
    form: Form,
    has_message: bool,
    whole: bool,
}

impl<'a> Line<'a> {
    /// Begins a line. Also hands out the buffer for text.
    pub(crate) fn begin(
        buffers: &'a mut Buffers,
        form: Form,
        time: &Timestamp,
        metadata: &Metadata<'_>,
    ) -> (Self, &'a mut String) {
        let Buffers { line: out, names, below, text } = buffers;
        out.clear();
        below.clear();
        match form {
            Form::Json => {
                out.extend_from_slice(b"{\"timestamp\":\"");
                out.extend_from_slice(time.as_bytes());
                out.extend_from_slice(b"\",\"level\":\"");
                out.extend_from_slice(metadata.level().as_str().as_bytes());
                out.extend_from_slice(b"\",\"target\":");
                push_str(out, metadata.target(), 2 * NAME_ROOM);
            }
            Form::Console { colours } => {
                let (level, colour) = console::level(*metadata.level());
                paint(out, colours, console::DIM, |out| out.extend_from_slice(time.time_of_day()));
                out.push(b' ');
                paint(out, colours, colour, |out| out.extend_from_slice(level));
                out.push(b' ');
                paint(out, colours, console::DIM, |out| {
                    push_escaped(out, metadata.target(), 2 * NAME_ROOM);
                    out.push(b':');
                });
            }
        }
        (Self { out, names: Names::new(names), below, form, has_message: false, whole: true }, text)
    }

    /// Writes a field, unless its name is taken: the first one counts. `write` appends the value as JSON, up to the
    /// given length of the buffer, and says whether all of it fitted.
    pub(crate) fn field(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        let full = self.out.len() + NAME_ROOM + 64 > MAX_LINE - RESERVE || self.names.is_full();
        if full || name.len() > MAX_NAME {
            self.whole = false;
            return;
        }
        let start = self.out.len();
        self.open_name();
        let from = self.out.len();
        if RESERVED_FIELDS.contains(&name) {
            self.out.extend_from_slice(b"field.");
        }
        let whole = push_escaped(self.out, name, from + NAME_ROOM);
        if !whole || !self.names.add(self.out, from..self.out.len()) {
            self.whole &= whole;
            self.out.truncate(start);
            return;
        }
        if name == "backtrace" && self.form != Form::Json {
            let mut json = Vec::new();
            self.whole &= write(&mut json, MAX_VALUE);
            push_block(self.below, &json);
            self.close_name();
            return self.out.extend_from_slice(b"below");
        }
        self.close_name();
        self.value(write);
    }

    /// Writes a field of our own, whose name is known to be plain, free and harmless.
    pub(crate) fn own_field(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        self.open_name();
        let from = self.out.len();
        self.out.extend_from_slice(name.as_bytes());
        self.names.add_new(name, from..self.out.len());
        self.close_name();
        self.value(write);
    }

    /// Writes the event's message. A second one is an ordinary field.
    pub(crate) fn message(&mut self, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        if self.has_message {
            return self.field("message", write);
        }
        self.has_message = true;
        match self.form {
            Form::Json => {
                self.out.extend_from_slice(b",\"message\":");
                self.value(write);
            }
            Form::Console { .. } => {
                let mut json = Vec::new();
                self.whole &= write(&mut json, MAX_VALUE);
                self.out.push(b' ');
                push_bare(self.out, &json);
            }
        }
    }

    /// Ends the line with the ids.
    pub(crate) fn end(mut self, correlation_id: Option<&str>, trace: Option<&TraceIds>) {
        if let Some(id) = correlation_id {
            self.id("correlation_id", id);
        }
        if let Some(trace) = trace {
            self.id("trace_id", trace.trace_id_hex().as_str());
            self.id("span_id", trace.span_id_hex().as_str());
        }
        if self.form == Form::Json {
            self.out.push(b'}');
        }
        self.out.push(b'\n');
        self.out.append(self.below);
        if !self.whole {
            TRUNCATED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn id(&mut self, name: &'static str, id: &str) {
        let shown = if self.form == Form::Json { id } else { id.get(..8).unwrap_or(id) };
        self.own_field(name, |out, _| push_str(out, shown, MAX_LINE));
    }

    fn open_name(&mut self) {
        match self.form {
            Form::Json => self.out.extend_from_slice(b",\""),
            Form::Console { colours } => {
                self.out.push(b' ');
                begin_paint(self.out, colours, console::DIM);
            }
        }
    }

    fn close_name(&mut self) {
        match self.form {
            Form::Json => self.out.extend_from_slice(b"\":"),
            Form::Console { colours } => {
                self.out.push(b'=');
                end_paint(self.out, colours);
            }
        }
    }

    fn value(&mut self, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        let start = self.out.len();
        self.whole &= write(self.out, (start + MAX_VALUE).min(MAX_LINE - RESERVE));
        if self.form != Form::Json {
            let json = self.out.split_off(start);
            console::push_word(self.out, &json);
        }
    }
}
