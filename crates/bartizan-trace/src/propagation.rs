//! Takes the trace context and the baggage off a request, and puts them on the next one.
//!
//! ```
//! use bartizan_trace::Propagation;
//! use bartizan_trace::opentelemetry::Context;
//! use bartizan_trace::opentelemetry::baggage::BaggageExt;
//! use http::{HeaderMap, HeaderValue};
//!
//! let mut request = HeaderMap::new();
//! let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
//! request.insert("traceparent", HeaderValue::from_static(parent));
//! request.insert("baggage", HeaderValue::from_static("tenant=acme"));
//!
//! let w3c = Propagation::new();
//! let context = w3c.extract(&request).attach_to(&Context::new());
//! assert_eq!(context.baggage().get("tenant").unwrap().as_str(), "acme");
//!
//! let mut outbound = HeaderMap::new();
//! w3c.inject(&context, &mut outbound);
//! assert_eq!(outbound["traceparent"], parent);
//! ```
//!
//! # Failure
//!
//! A header never fails a request. A malformed or repeated `traceparent` restarts the trace, and its
//! `tracestate` is not looked at. A malformed `tracestate` is discarded and leaves the `traceparent`
//! alone. Of `baggage`, only the members that are malformed or too many are dropped. All of it is
//! counted, see [`counts`].
//!
//! # Cost
//!
//! A request without these headers costs two look-ups; one with a valid `traceparent` alone does not
//! allocate either. A `tracestate` or a `baggage` allocates what the API's types for them need.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::w3c::{TraceParent, baggage, tracestate};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// Which headers are read and written, and whether those that come in are believed.
///
/// By default W3C Trace Context and W3C Baggage are read, believed and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Propagation {
    trusted: bool,
    baggage: bool,
}

impl Default for Propagation {
    fn default() -> Self {
        Self::new()
    }
}

impl Propagation {
    /// W3C Trace Context and W3C Baggage, both believed.
    pub const fn new() -> Self {
        Self { trusted: true, baggage: true }
    }

    /// For the edge of a system: what callers send is not believed.
    ///
    /// The trace starts anew, so neither ids nor the sampled flag of a stranger count; the incoming
    /// span context is handed out as a [link](Extracted::link). Baggage is not read.
    ///
    /// ```
    /// use bartizan_trace::Propagation;
    /// use http::{HeaderMap, HeaderValue};
    ///
    /// let mut request = HeaderMap::new();
    /// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// request.insert("traceparent", HeaderValue::from_static(parent));
    ///
    /// let extracted = Propagation::new().untrusted().extract(&request);
    /// assert!(extracted.span_context.is_none());
    /// assert!(extracted.link.is_some());
    /// ```
    #[must_use]
    pub const fn untrusted(self) -> Self {
        Self { trusted: false, ..self }
    }

    /// Neither reads nor writes `baggage`: for calls that leave the system.
    #[must_use]
    pub const fn without_baggage(self) -> Self {
        Self { baggage: false, ..self }
    }

    /// Reads the headers of an incoming request.
    pub fn extract(&self, headers: &HeaderMap) -> Extracted {
        let mut extracted = Extracted::default();
        match traceparent(headers) {
            Header::Absent => {}
            Header::Malformed => {
                extracted.rejected = true;
                REJECTED_CONTEXTS.fetch_add(1, Relaxed);
            }
            Header::Valid(parent) => {
                let state = state(headers);
                let context = parent.span_context(state.state);
                if self.trusted {
                    extracted.verbatim = state.verbatim;
                    extracted.span_context = Some(context);
                } else {
                    extracted.link = Some(context);
                }
            }
        }
        if self.trusted && self.baggage && headers.contains_key(&BAGGAGE) {
            let (baggage, dropped) = baggage::parse(headers.get_all(&BAGGAGE).iter());
            count_dropped(dropped);
            extracted.baggage = Some(baggage).filter(|baggage| !baggage.is_empty());
        }
        extracted
    }

    /// Writes the headers of an outgoing request from the span and the baggage of `context`.
    ///
    /// Headers of these names that are there already are replaced. A context without a valid span
    /// leaves the trace headers as they are, one without baggage leaves the `baggage` header.
    pub fn inject(&self, context: &Context, headers: &mut HeaderMap) {
        let span = context.span();
        if let Some(parent) = TraceParent::from_span_context(span.span_context()) {
            headers.insert(&TRACEPARENT, parent.to_header_value());
            replace(headers, &TRACESTATE, state_header(context, span.span_context()));
        }
        if self.baggage && !context.baggage().is_empty() {
            let (header, dropped) = baggage::write(context.baggage());
            count_dropped(dropped);
            replace(headers, &BAGGAGE, header);
        }
    }
}

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
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Extracted {
    /// The remote parent; `None` if the trace starts here.
    pub span_context: Option<SpanContext>,
    /// The incoming context if it was [not believed](Propagation::untrusted): link the new root to it.
    pub link: Option<SpanContext>,
    /// The baggage; `None` if there was none or it was not read.
    pub baggage: Option<Baggage>,
    /// There was a `traceparent`, but not one valid one.
    pub rejected: bool,
    verbatim: Option<HeaderValue>,
}

impl Extracted {
    /// `context` with the remote parent as its span and with the baggage.
    ///
    /// Nothing is allocated for what the request did not bring.
    #[must_use]
    pub fn attach_to(self, context: &Context) -> Context {
        let span_context = self.span_context.clone();
        let context = self.attach_values_to(context);
        match span_context {
            Some(span_context) => context.with_remote_span_context(span_context),
            None => context,
        }
    }

    /// As [`attach_to`](Self::attach_to); where no trace came, with the ids of a new one that is not recorded, so that there are ids for
    /// the logs.
    #[must_use]
    pub fn attach_or_make(self, context: &Context) -> Context {
        if self.span_context.is_some() {
            return self.attach_to(context);
        }
        let ids = RandomIdGenerator::default();
        let (trace_id, span_id) = (ids.new_trace_id(), ids.new_span_id());
        let made = SpanContext::new(trace_id, span_id, TraceFlags::default(), false, TraceState::default());
        self.attach_values_to(context).with_remote_span_context(made)
    }

    /// Like [`attach_to`](Self::attach_to) without the remote parent: for a caller who sets a span
    /// of the same trace on the result anyway.
    #[must_use]
    pub fn attach_values_to(self, context: &Context) -> Context {
        let mut context = match self.baggage {
            Some(baggage) => context.with_baggage(baggage),
            None => context.clone(),
        };
        if let (Some(header), Some(parent)) = (self.verbatim, self.span_context) {
            let state = parent.trace_state().clone();
            context = context.with_value(Verbatim { trace_id: parent.trace_id(), state, header });
        }
        context
    }
}

/// The `tracestate` of a trace as it came in, for members that the API's type cannot hold.
#[derive(Debug)]
struct Verbatim {
    trace_id: TraceId,
    state: TraceState,
    header: HeaderValue,
}

enum Header {
    Absent,
    Malformed,
    Valid(TraceParent),
}

fn traceparent(headers: &HeaderMap) -> Header {
    let mut values = headers.get_all(&TRACEPARENT).iter();
    let Some(value) = values.next() else { return Header::Absent };
    let parsed = TraceParent::parse(value.as_bytes().trim_ascii());
    match parsed.filter(|_| values.next().is_none()) {
        Some(parent) => Header::Valid(parent),
        None => Header::Malformed,
    }
}

fn state(headers: &HeaderMap) -> tracestate::Parsed {
    if !headers.contains_key(&TRACESTATE) {
        return tracestate::Parsed::default();
    }
    let parsed = tracestate::parse(headers.get_all(&TRACESTATE).iter());
    if parsed.is_none() {
        REJECTED_STATES.fetch_add(1, Relaxed);
    }
    let parsed = parsed.unwrap_or_default();
    count_dropped(parsed.dropped);
    parsed
}

fn state_header(context: &Context, span: &SpanContext) -> Option<HeaderValue> {
    // Not for another trace, and not if someone changed the state in between.
    let unchanged = |came: &&Verbatim| came.trace_id == span.trace_id() && came.state == *span.trace_state();
    if let Some(came) = context.get::<Verbatim>().filter(unchanged) {
        return Some(came.header.clone());
    }
    let (header, dropped) = tracestate::write(span.trace_state());
    count_dropped(dropped);
    header
}

fn replace(headers: &mut HeaderMap, name: &HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

/// How often propagation headers were refused, since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropagationCounts {
    /// Requests whose `traceparent` was malformed or repeated: their traces started anew.
    pub rejected_contexts: u64,
    /// Requests whose `tracestate` was malformed and discarded.
    pub rejected_states: u64,
    /// Members of `tracestate` and `baggage` that were malformed, repeated or past a limit.
    pub dropped_members: u64,
}

static REJECTED_CONTEXTS: AtomicU64 = AtomicU64::new(0);
static REJECTED_STATES: AtomicU64 = AtomicU64::new(0);
static DROPPED_MEMBERS: AtomicU64 = AtomicU64::new(0);

/// The counters of this process, for a metrics exporter.
///
/// ```
/// let before = bartizan_trace::propagation::counts();
/// let mut request = http::HeaderMap::new();
/// request.insert("traceparent", http::HeaderValue::from_static("nonsense"));
/// assert!(bartizan_trace::Propagation::new().extract(&request).rejected);
/// assert!(bartizan_trace::propagation::counts().rejected_contexts > before.rejected_contexts);
/// ```
pub fn counts() -> PropagationCounts {
    PropagationCounts {
        rejected_contexts: REJECTED_CONTEXTS.load(Relaxed),
        rejected_states: REJECTED_STATES.load(Relaxed),
        dropped_members: DROPPED_MEMBERS.load(Relaxed),
    }
}

fn count_dropped(members: usize) {
    // Not even a shared read on the ordinary path.
    if members > 0 {
        DROPPED_MEMBERS.fetch_add(members as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests;
