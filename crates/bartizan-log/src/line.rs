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
pub(crate) use self::escape::{fits_escaped, is_plain, push_escaped};
use self::names::Names;
pub(crate) use self::own::{Kind, OwnField, own_fields};
pub(crate) use self::timestamp::Timestamp;
pub(crate) use self::value::{
    CUT, Thousandths, push_bool, push_bound, push_cut, push_f64, push_integer, push_json, push_str,
    push_wide, push_word,
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
    /// How much of the line is written ahead of its event; nothing, as a rule.
    pub(crate) ahead: usize,
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
        let mut buffers = Self::take();
        let done = work(&mut buffers);
        buffers.give_back();
        done
    }

    /// As [`with`](Self::with), until they are [given back](Self::give_back).
    #[expect(clippy::unnecessary_box_returns, reason = "they stay in one place")]
    pub(crate) fn take() -> Box<Self> {
        BUFFERS.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    pub(crate) fn give_back(self: Box<Self>) {
        let _ = BUFFERS.try_with(|cell| cell.set(Some(self)));
    }
}

thread_local! {
    static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
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
        let Buffers { line: out, names, below, text, .. } = buffers;
        out.clear();
        below.clear();
        match form {
            Form::Json => {
                out.extend_from_slice(time.as_json());
                out.extend_from_slice(b",\"level\":\"");
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

    /// Begins a JSON line in front of what was written ahead of it, from its level on, and whose names are these.
    pub(crate) fn begin_ahead(
        buffers: &'a mut Buffers,
        time: &Timestamp,
        fields: &'static [OwnField],
    ) -> Self {
        let Buffers { line: out, names, below, ahead, .. } = buffers;
        out.truncate(*ahead);
        if let Some(begin) = out.first_chunk_mut() {
            *begin = *time.as_json();
        }
        below.clear();
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
        if self.form == Form::Json {
            self.out.extend_from_slice(field.key.as_bytes());
            let limit = (self.out.len() + MAX_VALUE).min(MAX_LINE - RESERVE);
            self.whole &= write(self.out, limit);
        } else {
            self.plain_field(field.name, write);
        }
    }

    /// A field of a console's line, whose name is known to be plain and not to be taken.
    fn plain_field(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        self.open_name();
        self.out.extend_from_slice(name.as_bytes());
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
    pub(crate) fn end(&mut self, correlation_id: Option<&CorrelationId>, trace: Option<&TraceIds>) {
        if self.form == Form::Json {
            let mut whole = |key: &[u8], id: &[u8]| {
                self.out.extend_from_slice(key);
                self.out.extend_from_slice(id);
                self.out.push(b'"');
            };
            if let Some(id) = correlation_id {
                whole(b",\"correlation_id\":\"", id.as_bytes());
            }
            if let Some(trace) = trace {
                whole(b",\"trace_id\":\"", trace.trace_id_hex().as_bytes());
                whole(b",\"span_id\":\"", trace.span_id_hex().as_bytes());
            }
            self.out.extend_from_slice(b"}\n");
        } else {
            let mut short = |name: &str, id: &str| {
                self.plain_field(name, |out, _| push_word(out, id.get(..8).unwrap_or(id)));
            };
            if let Some(id) = correlation_id {
                short("correlation_id", id.as_str());
            }
            if let Some(trace) = trace {
                short("trace_id", trace.trace_id_hex().as_str());
                short("span_id", trace.span_id_hex().as_str());
            }
            self.out.push(b'\n');
            self.out.append(self.below);
        }
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
