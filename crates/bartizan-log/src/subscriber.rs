//! The subscriber layer that writes every event once, masked on the way.

mod filter;
mod names;
mod span;
mod visit;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bartizan_core::{Context, Record, TraceIds, Value};
use bartizan_mask::Masker;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer;
use tracing_subscriber::registry::LookupSpan;

pub use self::filter::LogFilter;
use self::span::{SpanFields, Stored};
use self::visit::{Mask, Masked, Own};
use crate::line::{Buffers, Form, Line, OwnField, Timestamp, push_bound, push_str};
use crate::request::{REQUEST_TARGET, ahead, own_fields_of};
use crate::writer::LogWriter;

/// A `tracing_subscriber` layer that writes one line an event: a flat JSON object, or a form for people.
///
/// A line has, in this order: `timestamp` (RFC 3339, UTC), `level`, `target`, `message`, the event's fields, the fields
/// of the spans it happened in (the innermost first), those of the [scopes](crate::Scope) and what is
/// [bound](crate::bind) to the request, and `correlation_id`, `trace_id`, `span_id`. No name comes twice: the first one
/// counts. A field that is called like one of these seven gets `field.` in front.
///
/// Every field is masked: by its name, and text under a harmless name where a sensitive pair shows in it: in prose, URLs, JSON, and what
/// `Debug` prints of structs and maps (and so of `valuable` values, which tracing shows where it is built with
/// `--cfg tracing_unstable`). A pair in a tuple, `("password", "x")`, shows no name. The fields of
/// a span are masked when they are recorded. `db.statement` and `db.query.text`, and what sqlx logs of a statement, are SQL: literals
/// become `?` and 200 characters are shown ([`Masker::sql`]).
///
/// Numbers beyond 64 bits are strings, those that are not finite are `null`. A line has at most 64 KiB, a value at most
/// 32 KiB, a span's value 8 KiB; longer ones are cut, end in `...[cut]`, and
/// [are counted](crate::lines_truncated_total). Nothing is allocated for an event with nothing to mask, once a thread
/// has its buffers.
///
/// [`LogBuilder`](crate::LogBuilder) makes one, with the filter it should have.
///
/// ```
/// use bartizan_log::{LogLayer, LogWriter};
/// use bartizan_mask::Masker;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let layer = LogLayer::json(LogWriter::new(std::io::stdout())?, Masker::default());
/// let subscriber = tracing_subscriber::registry().with(layer);
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(user = "ada", password = "hunter2", "signed in"); // .."password":"[REDACTED]"
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct LogLayer {
    mask: Mask,
    writer: LogWriter,
    form: Form,
    trace_ids: Option<fn() -> Option<TraceIds>>,
    now: fn() -> SystemTime,
}

impl LogLayer {
    /// A layer that writes JSON lines.
    pub fn json(writer: LogWriter, masker: Masker) -> Self {
        ahead::expect();
        Self::new(Form::Json, writer, masker)
    }

    /// A layer that writes for people: `10:11:12.123  INFO target: message name=value`, the time in UTC and the ids
    /// shortened. A field `backtrace` comes below the line. `colours` are for terminals.
    pub fn console(writer: LogWriter, masker: Masker, colours: bool) -> Self {
        Self::new(Form::Console { colours }, writer, masker)
    }

    fn new(form: Form, writer: LogWriter, masker: Masker) -> Self {
        static OWNERS: AtomicU64 = AtomicU64::new(1);
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        let mask = Mask { masker, owner, json_strings: false };
        Self { mask, writer, form, trace_ids: None, now: SystemTime::now }
    }

    /// Asks this function for the trace and span that are current where an event happens. Where it knows none, the
    /// request's own ids stand. Default: the request's own.
    #[must_use]
    pub fn trace_ids(mut self, current: fn() -> Option<TraceIds>) -> Self {
        self.trace_ids = Some(current);
        self
    }

    /// Whether text that is JSON (it begins with `{` or `[` and is valid) is masked as JSON: names with escapes in them are read, and the
    /// masker's [paths](bartizan_mask::MaskerBuilder::path) count. It stays a string, without white space between tokens. Costs an
    /// allocation or two for each such text. Default: no, it is masked like other text, by the names that show in it.
    #[must_use]
    pub fn json_strings(mut self, on: bool) -> Self {
        self.mask.json_strings = on;
        self
    }

    /// Sets the clock of the timestamps. Default: [`SystemTime::now`].
    #[must_use]
    pub fn now(mut self, now: fn() -> SystemTime) -> Self {
        self.now = now;
        self
    }

    /// The writer that the lines go to.
    pub fn writer(&self) -> &LogWriter {
        &self.writer
    }

    /// Makes the line of an event, and hands it on.
    pub(crate) fn with_line<S>(
        &self,
        event: &Event<'_>,
        context: &layer::Context<'_, S>,
        hand_on: impl FnOnce(&[u8]),
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let own = own_fields_of(event.metadata());
        let ahead = own.filter(|_| self.form == Form::Json).and_then(|_| ahead::take());
        let mut buffers = ahead.unwrap_or_else(Buffers::take);
        self.write_line(&mut buffers, own, event, context);
        hand_on(&buffers.line);
        if buffers.ahead > 0 { ahead::give_back(buffers) } else { buffers.give_back() }
    }

    fn write_line<S>(
        &self,
        buffers: &mut Buffers,
        own: Option<&'static [OwnField]>,
        event: &Event<'_>,
        context: &layer::Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let trace = self.trace_ids.and_then(|current| current());
        let time = Timestamp::of((self.now)());
        let metadata = event.metadata();
        let mut line = match own {
            Some(fields) if buffers.ahead > 0 => Line::begin_ahead(buffers, &time, fields),
            Some(fields) => {
                let (mut line, _) = Line::begin(buffers, self.form, &time, metadata);
                line.owns(fields);
                let mut own = Own { line, fields };
                event.record(&mut own);
                own.line
            }
            None => {
                let (line, text) = Line::begin(buffers, self.form, &time, metadata);
                let mut masked = Masked::new(line, &self.mask, text, metadata);
                event.record(&mut masked);
                masked.fields
            }
        };
        if let Some(spans) = context.event_scope(event) {
            for span in spans {
                if let Some(fields) =
                    span.extensions().get::<Stored>().and_then(|all| all.of(self.mask.owner))
                {
                    fields.write_to(&mut line);
                }
            }
        }
        self.write_context(&mut line, trace);
    }

    fn push_bound_field(&self, name: &str, value: &Value, out: &mut Vec<u8>, limit: usize) -> bool {
        let mask = &self.mask;
        match (mask.masker.is_sensitive(name), value) {
            (false, _) => {
                push_bound(out, value, limit, |out, text, limit| mask.push_text(out, text, true, limit))
            }
            (true, Value::Str(text)) => mask.push_by_value(name, out, text, true, limit),
            (true, _) => push_str(out, mask.masker.censor_for(name).unwrap_or_default(), limit),
        }
    }

    /// Ends the line with what belongs to the request.
    fn write_context(&self, line: &mut Line<'_>, trace: Option<TraceIds>) {
        let ended = Context::with_current(|context| {
            context.visit_fields(|name, value| {
                line.field(name, |out, limit| self.push_bound_field(name, value, out, limit));
            });
            let record = context.record();
            let trace = trace.or_else(|| record.and_then(Record::trace));
            line.end(record.and_then(Record::correlation_id), trace.as_ref());
        });
        // Where the thread is ending there is no context any more.
        if ended.is_none() {
            line.end(None, trace.as_ref());
        }
    }
}

impl<S> layer::Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        if !is_request_span(attributes.metadata()) {
            self.store(id, attributes.metadata(), &context, |fields| attributes.record(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: layer::Context<'_, S>) {
        if let Some(metadata) = context.metadata(id).filter(|metadata| !is_request_span(metadata)) {
            self.store(id, metadata, &context, |fields| values.record(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        self.with_line(event, &context, |line| {
            self.writer.write_line(line);
        });
    }
}

impl LogLayer {
    fn store<S>(
        &self,
        id: &Id,
        metadata: &Metadata<'_>,
        context: &layer::Context<'_, S>,
        record: impl FnOnce(&mut Masked<'_, SpanFields>),
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // A `Debug` may panic or log: the span is not locked meanwhile.
        let newer = Buffers::with(|buffers| {
            let fields = SpanFields::new(self.mask.owner);
            let mut masked = Masked::new(fields, &self.mask, &mut buffers.text, metadata);
            record(&mut masked);
            masked.fields
        });
        if newer.is_empty() {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Stored>() {
            Some(stored) => stored.add(newer),
            None => extensions.insert(Stored::new(newer)),
        }
    }
}

/// The span of a request is for other subscribers: what it says comes from the request's record here.
fn is_request_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == REQUEST_TARGET
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer")
            .field("form", &self.form)
            .field("masker", &self.mask.masker)
            .field("writer", &self.writer)
            .field("trace_ids", &self.trace_ids.is_some())
            .finish_non_exhaustive()
    }
}
