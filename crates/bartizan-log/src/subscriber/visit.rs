//! Visitors that write the fields of events and spans, masked.

use std::error::Error;
use std::fmt::{self, Debug, Write};

use bartizan_mask::{JsonEnd, Masker};
use tracing::Metadata;
use tracing::field::{Field, Visit};

use super::names::{self, Kind};
use crate::line::{
    Line, MAX_VALUE, push_bool, push_cut, push_escaped, push_f64, push_integer, push_json, push_str,
    push_wide, push_word,
};

/// Where masked fields go.
pub(super) trait Fields {
    /// Takes a field. `write` appends the value as JSON up to a given length, and says whether it fitted.
    fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>, usize) -> bool);
}

impl Fields for Line<'_> {
    fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        if name == "message" { self.message(write) } else { self.field(name, write) }
    }
}

/// The masker of one layer, and a number that stands for it.
#[derive(Clone, Debug)]
pub(super) struct Mask {
    pub(super) masker: Masker,
    pub(super) owner: u64,
    /// Strings that are JSON are masked as JSON.
    pub(super) json_strings: bool,
}

impl Mask {
    /// Appends a text as what its name says it is.
    fn push(&self, name: &str, kind: Kind, out: &mut Vec<u8>, text: &str, whole: bool, limit: usize) -> bool {
        match kind {
            Kind::Sql => self.push_sql(out, text, limit),
            Kind::Other => self.push_text(out, text, whole, limit),
            Kind::Sensitive | Kind::MaskedByValue => self.push_by_value(name, out, text, whole, limit),
        }
    }

    /// Appends what stands for a value under a sensitive name.
    pub(super) fn push_by_value(
        &self,
        name: &str,
        out: &mut Vec<u8>,
        text: &str,
        whole: bool,
        limit: usize,
    ) -> bool {
        let hidden = if whole {
            self.masker.mask_value(name, text)
        } else {
            self.masker.censor_for(name).map(Into::into)
        };
        // It was masked before.
        push_str(out, hidden.as_deref().unwrap_or(text), limit)
    }

    /// Appends text under a harmless name. Where it is not `whole`, or too long to be, what may go on is hidden.
    pub(super) fn push_text(&self, out: &mut Vec<u8>, text: &str, whole: bool, limit: usize) -> bool {
        // What is longer than a value can be need not be looked through.
        let looked_at = text.get(..text.floor_char_boundary(MAX_VALUE)).unwrap_or(text);
        let whole = whole && looked_at.len() == text.len();
        if self.json_strings
            && text.starts_with(['{', '['])
            && self.push_json_string(out, looked_at, whole, limit)
        {
            whole
        } else if whole {
            push_str(out, &self.masker.text_cow(text), limit)
        } else {
            push_cut(out, &self.masker.cut_text_cow(looked_at), limit);
            false
        }
    }

    /// Appends a string that is JSON, or the beginning of it. False, and nothing appended, where it is neither.
    fn push_json_string(&self, out: &mut Vec<u8>, text: &str, whole: bool, limit: usize) -> bool {
        let (mut json, mut masked) = (self.masker.json(), Vec::with_capacity(text.len()));
        json.push(text.as_bytes(), &mut masked);
        let end = json.finish(!whole, &mut masked);
        let valid = end == JsonEnd::Complete || (end == JsonEnd::Cut && !whole);
        let Some(masked) = str::from_utf8(&masked).ok().filter(|_| valid) else { return false };
        push_str(out, masked, limit);
        true
    }

    /// Appends an SQL statement, without its literals.
    fn push_sql(&self, out: &mut Vec<u8>, statement: &str, limit: usize) -> bool {
        out.push(b'"');
        let whole = self.masker.sql(statement, &mut Escaped { out, limit }).is_ok();
        out.push(b'"');
        whole
    }
}

/// Writes the inside of a JSON string.
struct Escaped<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if push_escaped(self.out, part, self.limit) { Ok(()) } else { Err(fmt::Error) }
    }
}

/// The target of what sqlx logs of statements.
const SQLX: &str = "sqlx::query";

/// Writes fields, each under its own name, with what is sensitive replaced.
pub(super) struct Masked<'a, F> {
    pub(super) fields: F,
    pub(super) mask: &'a Mask,
    pub(super) text: &'a mut String,
    /// The event is sqlx's, whose `summary` is the beginning of a statement.
    of_sqlx: bool,
}

impl<'a, F> Masked<'a, F> {
    pub(super) fn new(fields: F, mask: &'a Mask, text: &'a mut String, metadata: &Metadata<'_>) -> Self {
        Self { fields, mask, text, of_sqlx: metadata.target() == SQLX }
    }
}

impl<F: Fields> Masked<'_, F> {
    /// A value that is no text.
    fn put(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        self.put_unless(
            field,
            |kind| matches!(kind, Kind::Sensitive | Kind::MaskedByValue),
            |_, out, limit| write(out, limit),
        );
    }

    /// A text, which `write` makes unless its name alone says that it is not shown.
    fn put_text(&mut self, field: &Field, write: impl FnOnce(Text<'_>, &mut Vec<u8>, usize) -> bool) {
        self.put_unless(field, |kind| kind == Kind::Sensitive, write);
    }

    fn put_unless(
        &mut self,
        field: &Field,
        is_hidden: impl FnOnce(Kind) -> bool,
        write: impl FnOnce(Text<'_>, &mut Vec<u8>, usize) -> bool,
    ) {
        let Self { fields, mask, text, of_sqlx } = self;
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        let kind = names::kind(&mask.masker, mask.owner, name);
        if is_hidden(kind) {
            // Asks again, because this counts what is masked.
            let censor = mask.masker.censor_for(name).unwrap_or_else(|| mask.masker.censor());
            fields.put(name, |out, limit| push_str(out, censor, limit));
        } else {
            let kind = if *of_sqlx && name == "summary" { Kind::Sql } else { kind };
            fields.put(name, |out, limit| write(Text { name, kind, mask, buffer: text }, out, limit));
        }
    }

    fn put_display(&mut self, field: &Field, write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result) {
        self.put_text(field, |text, out, limit| {
            text.buffer.clear();
            let mut bounded = Bounded { text: text.buffer, whole: true };
            // A value that cannot be formatted is shown as far as it could.
            let _ = write(&mut bounded);
            let whole = bounded.whole;
            text.mask.push(text.name, text.kind, out, text.buffer, whole, limit)
        });
    }
}

/// A text that is to be written, and what formats it.
struct Text<'a> {
    name: &'static str,
    kind: Kind,
    mask: &'a Mask,
    buffer: &'a mut String,
}

impl<F: Fields> Visit for Masked<'_, F> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, |text, out, limit| {
            text.mask.push(text.name, text.kind, out, value, true, limit)
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put_display(field, |text| write!(text, "{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put_display(field, |text| {
            write!(text, "{value}")?;
            let sources = std::iter::successors(value.source(), |error| Error::source(*error));
            sources.take(8).try_for_each(|source| write!(text, ": {source}"))
        });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |out, _| push_bool(out, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |out, _| push_integer(out, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |out, _| push_integer(out, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, |out, _| match i64::try_from(value) {
            Ok(value) => push_integer(out, value),
            Err(_) => push_wide(out, value),
        });
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, |out, _| match u64::try_from(value) {
            Ok(value) => push_integer(out, value),
            Err(_) => push_wide(out, value),
        });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, |out, _| push_f64(out, value));
    }
}

/// Text that stops growing, and with it whatever formats itself into it.
struct Bounded<'a> {
    text: &'a mut String,
    whole: bool,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = MAX_VALUE - self.text.len().min(MAX_VALUE);
        self.whole &= part.len() <= room;
        self.text.push_str(part.get(..part.floor_char_boundary(room)).unwrap_or(part));
        if self.whole { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Writes the fields of our own request event, which are masked already and have names of their own.
pub(super) struct Own<'a>(pub(super) Line<'a>);

impl Visit for Own<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.0.message(|out, limit| push_str(out, value, limit)),
            name @ ("request_headers" | "response_headers") => {
                self.0.own_field(name, |out, limit| push_json(out, value.as_bytes(), limit));
            }
            name @ ("path" | "query" | "route" | "user_agent" | "request_body" | "response_body") => {
                self.0.own_field(name, |out, limit| push_str(out, value, limit));
            }
            name => self.0.own_field(name, |out, _| push_word(out, value)),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.own_field(field.name(), |out, _| push_integer(out, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.own_field(field.name(), |out, _| push_f64(out, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.own_field(field.name(), |out, _| push_bool(out, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.own_field(field.name(), |out, limit| push_str(out, &format!("{value:?}"), limit));
    }
}
