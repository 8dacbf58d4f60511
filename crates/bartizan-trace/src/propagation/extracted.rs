//! What the headers of a request say.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use super::sampling::{Asked, DebugTrace};
use super::w3c::Verbatim;

/// What a request brought with it.
///
/// ```
/// use bartizan_trace::Propagation;
/// use http::{HeaderMap, HeaderValue};
///
/// let mut request = HeaderMap::new();
/// request.insert("traceparent", HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
/// let extracted = Propagation::new().extract(&request);
/// let parent = extracted.span_context.as_ref().unwrap();
/// assert!(parent.is_remote() && !parent.is_sampled());
/// assert_eq!(extracted.decision, Some(false));
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Extracted {
    /// The remote parent; `None` if the trace starts here.
    ///
    /// Its sampled flag is set also where the caller left the [decision](Self::decision) open, so that
    /// a sampler that knows nothing but the flag does not drop the trace.
    pub span_context: Option<SpanContext>,
    /// Whether the caller wants the trace recorded; `None` if it did not say.
    ///
    /// B3 has both halves apart: a decision without ids (`b3: 0`) is for the trace that starts here,
    /// and ids without a decision leave it to the sampler, see [`B3Sampler`](super::B3Sampler).
    pub decision: Option<bool>,
    /// The incoming context if it was [not believed](super::Propagation::untrusted): link the new root
    /// to it.
    pub link: Option<SpanContext>,
    /// The baggage; `None` if there was none or it was not read.
    pub baggage: Option<Baggage>,
    /// There was trace context, but none that is valid.
    pub rejected: bool,
    pub(super) debug: bool,
    pub(super) verbatim: Option<HeaderValue>,
}

impl Extracted {
    /// `context` with the remote parent as its span and with the baggage.
    ///
    /// Nothing is allocated for what the request did not bring.
    #[must_use]
    pub fn attach_to(self, context: &Context) -> Context {
        let parent = self.parent(context);
        self.attach_values_to(&parent)
    }

    /// As [`attach_to`](Self::attach_to); where no trace came, with the ids of a new one that is not recorded, so that there are
    /// ids for the logs. [`inject`](super::Propagation::inject) does not pass those on, unless the caller has decided whether to record:
    /// a callee would take them for a trace that is not to be recorded.
    #[must_use]
    pub fn attach_or_make(self, context: &Context) -> Context {
        if self.span_context.is_some() {
            return self.attach_to(context);
        }
        let made = made(self.decision);
        self.attach_values_to(context).with_remote_span_context(made)
    }

    /// Like [`attach_to`](Self::attach_to) without the remote parent: for a caller who sets a span
    /// of the same trace on the result anyway.
    #[must_use]
    pub fn attach_values_to(mut self, context: &Context) -> Context {
        self.move_values_to(context.clone())
    }

    /// `context` with the values; they are not to be asked for again.
    #[inline]
    pub(crate) fn move_values_to(&mut self, mut context: Context) -> Context {
        if let Some(baggage) = self.baggage.take() {
            context = context.with_baggage(baggage);
        }
        if self.debug {
            context = context.with_value(DebugTrace);
        }
        if let (Some(header), Some(parent)) = (self.verbatim.take(), &self.span_context) {
            context = context.with_value(Verbatim::new(header, parent));
        }
        context
    }

    /// `context` with what a sampler must see: the remote parent, or what the caller asked for without one.
    pub(crate) fn parent(&self, context: &Context) -> Context {
        let context = match (&self.span_context, self.decision) {
            (Some(parent), None) => context.with_value(Asked::Nothing(parent.span_id())),
            (None, Some(true)) => context.with_value(Asked::Record),
            (None, Some(false)) => context.with_value(Asked::Drop),
            _ => context.clone(),
        };
        match self.span_context.clone() {
            Some(parent) => context.with_remote_span_context(parent),
            None => context,
        }
    }

    /// The trace is not to be recorded, and there are no ids to go on with.
    pub(crate) fn is_denied(&self) -> bool {
        self.span_context.is_none() && self.decision == Some(false)
    }

    /// From formats without a state: the ids, if there are any, and what was decided.
    pub(super) fn new(ids: Option<(TraceId, SpanId)>, decision: Option<bool>, debug: bool) -> Self {
        let flags = TraceFlags::default().with_sampled(decision != Some(false));
        let span_context =
            ids.map(|(trace, span)| SpanContext::new(trace, span, flags, true, TraceState::NONE));
        Self { span_context, decision, debug, ..Self::default() }
    }

    /// Takes over what a format has found.
    pub(super) fn take_over(&mut self, found: Found<Self>) -> Found<()> {
        found.map(|found| found.map(|found| *self = found))
    }

    /// For a stranger's: neither ids nor wishes count, only the link is kept.
    pub(super) fn distrust(&mut self) {
        *self = Self { link: self.span_context.take(), rejected: self.rejected, ..Self::default() };
    }
}

/// On ids that were made for the logs alone. No format writes this bit, and none reads it.
const MADE_UP: TraceFlags = TraceFlags::new(0x80);

/// A trace that is made up for the ids alone.
fn made(decision: Option<bool>) -> SpanContext {
    let ids = RandomIdGenerator::default();
    let flags = match decision {
        None => MADE_UP,
        Some(sampled) => TraceFlags::default().with_sampled(sampled),
    };
    SpanContext::new(ids.new_trace_id(), ids.new_span_id(), flags, false, TraceState::default())
}

/// Whether these ids are nobody else's business.
pub(super) fn is_made_up(span: &SpanContext) -> bool {
    span.trace_flags() & MADE_UP == MADE_UP
}

/// What one format finds: nothing, something valid, or something that is not.
pub(super) type Found<T> = Result<Option<T>, Malformed>;

/// There are headers of a format, but they do not follow it.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed;

/// The value of a header that must not come twice, without the white space around it.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Found<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.as_bytes().trim_ascii());
    if values.next().is_some() { Err(Malformed) } else { Ok(value) }
}
