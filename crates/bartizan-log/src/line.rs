//! One log line, built field by field in a buffer that is used again.

mod console;
mod escape;
mod names;
mod own;
mod timestamp;
mod value;

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_core::{CorrelationId, RESERVED_FIELDS, TraceIds};
use tracing::Metadata;

use self::console::{begin_paint, end_paint, paint, push_bare, push_block};
pub(crate) use self::escape::{fits_escaped, push_escaped};
use self::names::Names;
pub(crate) use self::own::{Kind, OwnField, own_fields};
pub(crate) use self::timestamp::Timestamp;
pub(crate) use self::value::{
    CUT, push_ascii, push_bool, push_bound, push_cut, push_f64, push_integer, push_json, push_str,
    push_thousandths, push_wide, push_word,
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
            static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
        }
        let mut buffers = BUFFERS.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let done = work(&mut buffers);
        let _ = BUFFERS.try_with(|cell| cell.set(Some(buffers)));
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

    /// Begins a JSON line with what was written ahead of it, from its level on, and whose names are these.
    pub(crate) fn begin_ahead(
        buffers: &'a mut Buffers,
        time: &Timestamp,
        ahead: &[u8],
        fields: &'static [OwnField],
    ) -> Self {
        let Buffers { line: out, names, below, .. } = buffers;
        out.clear();
        below.clear();
        out.extend_from_slice(b"{\"timestamp\":\"");
        out.extend_from_slice(time.as_bytes());
        out.push(b'"');
        out.extend_from_slice(ahead);
        let mut names = Names::new(names);
        names.own(fields);
        Self { out, names, below, form: Form::Json, has_message: true, whole: true }
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

    /// The names of these fields are taken: [`own_field`](Self::own_field) writes them, each at most once.
    pub(crate) fn owns(&mut self, fields: &'static [OwnField]) {
        self.names.own(fields);
    }

    /// Writes one of the fields of our own.
    #[inline]
    pub(crate) fn own_field(&mut self, field: &OwnField, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        self.id(field.name, field.key, write);
    }

    fn id(&mut self, name: &'static str, key: &'static str, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        if self.form == Form::Json {
            self.out.extend_from_slice(key.as_bytes());
            let limit = (self.out.len() + MAX_VALUE).min(MAX_LINE - RESERVE);
            self.whole &= write(self.out, limit);
        } else {
            self.open_name();
            self.out.extend_from_slice(name.as_bytes());
            self.close_name();
            self.value(write);
        }
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
    pub(crate) fn end(mut self, correlation_id: Option<&CorrelationId>, trace: Option<&TraceIds>) {
        let is_short = self.form != Form::Json;
        let shown = |id: &[u8], out: &mut Vec<u8>| {
            push_ascii(out, if is_short { id.get(..8).unwrap_or(id) } else { id })
        };
        if let Some(id) = correlation_id {
            self.id("correlation_id", ",\"correlation_id\":", |out, _| shown(id.as_bytes(), out));
        }
        if let Some(trace) = trace {
            self.id("trace_id", ",\"trace_id\":", |out, _| shown(trace.trace_id_hex().as_bytes(), out));
            self.id("span_id", ",\"span_id\":", |out, _| shown(trace.span_id_hex().as_bytes(), out));
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
