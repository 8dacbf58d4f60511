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
//! # Formats
//!
//! B3 and Jaeger are read and written [by option](Format). The formats are read in the order in which
//! they were chosen, and the first that is valid counts; all of them are written, unless
//! [`writing`](Propagation::writing) chooses others. A system changes from B3 to W3C in three steps:
//! `Propagation::new().with_b3_single().writing([Format::B3Single])` everywhere, then without `writing`,
//! then `Propagation::new()`.
//!
//! W3C Baggage is a standard of its own and goes with every format. Jaeger's baggage (`uberctx-*`, and
//! `jaeger-baggage` on the way in) goes with [`Format::Jaeger`]; it has the same limits, and a member that
//! W3C Baggage has brought is not replaced.
//!
//! A B3 decision alone (`b3: 0`) is for the trace that starts here, and [`Extracted::decision`] has it.
//! B3 ids without a decision leave it to the sampler; W3C and Jaeger cannot say that, so that such a
//! context is passed on to them as sampled. A debug trace of B3 or Jaeger is sampled, and passed on as
//! a debug trace.
//!
//! # Limits
//!
//! | header | limit | past it |
//! |---|---|---|
//! | `traceparent`, `tracestate`, `baggage` | see [`w3c`](crate::w3c#limits) | |
//! | `b3`, `x-b3-*` | one header each; trace ids of 16 or 32 digits, span ids of 16 | the trace starts anew |
//! | `uber-trace-id` | one header; trace ids of 1 to 32 digits, span ids of 1 to 16 | the trace starts anew |
//! | all baggage together | 64 members, 8192 bytes | later members are dropped, never cut |
//!
//! # Failure
//!
//! A header never fails a request. Malformed or repeated trace context of one format is passed over for
//! the next format, and if there is none the trace starts anew; a `tracestate` counts with a valid
//! `traceparent` only. A malformed `tracestate` is discarded and leaves the `traceparent` alone. Of the
//! baggage, only the members that are malformed or too many are dropped. All of it is counted, see
//! [`counts`].
//!
//! # Cost
//!
//! A request without these headers costs a walk over its header names, or two look-ups if it has many, six
//! look-ups more for B3, two and a walk more for Jaeger. Reading valid context alone does not allocate, but for a `tracestate` or
//! baggage what the API's types for them need. Writing allocates the header values.

mod b3;
mod counts;
mod extracted;
mod format;
mod jaeger;
mod sampling;
mod vars;
mod w3c;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, TraceContextExt};

use crate::w3c::baggage::{self, Members};
use counts::{count_dropped, count_rejected_context};
use format::Formats;
use w3c::BAGGAGE;

pub use counts::{PropagationCounts, counts};
pub use extracted::Extracted;
pub(crate) use extracted::made;
pub use format::Format;
pub use sampling::B3Sampler;

/// Which headers are read and written, and whether those that come in are believed.
///
/// By default W3C Trace Context and W3C Baggage are read, believed and written.
///
/// ```
/// use bartizan_trace::Propagation;
/// use bartizan_trace::opentelemetry::Context;
/// use http::{HeaderMap, HeaderValue};
///
/// let both = Propagation::new().with_b3_single();
/// let mut request = HeaderMap::new();
/// request.insert("b3", HeaderValue::from_static("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"));
///
/// let mut outbound = HeaderMap::new();
/// both.inject(&both.extract(&request).attach_to(&Context::new()), &mut outbound);
/// assert_eq!(outbound["b3"], request["b3"]);
/// assert_eq!(outbound["traceparent"], "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Propagation {
    trusted: bool,
    baggage: bool,
    jaeger_baggage: bool,
    read: Formats,
    written: Formats,
}

impl Default for Propagation {
    fn default() -> Self {
        Self::new()
    }
}

impl Propagation {
    /// W3C Trace Context and W3C Baggage, both believed.
    pub const fn new() -> Self {
        Self::of([Format::W3c])
    }

    /// These formats, read in this order and all of them written, and W3C Baggage.
    ///
    /// ```
    /// use bartizan_trace::{Format, Propagation};
    ///
    /// assert_eq!(Propagation::of([Format::W3c, Format::Jaeger]), Propagation::new().with_jaeger());
    /// ```
    pub const fn of<const N: usize>(formats: [Format; N]) -> Self {
        let (read, written) = (Formats::NONE, Formats::NONE);
        let mut chosen = Self { trusted: true, baggage: true, jaeger_baggage: true, read, written };
        let mut at = 0;
        while at < N {
            chosen = chosen.with(formats[at]);
            at += 1;
        }
        chosen
    }

    /// Writes B3 in one header, and reads it in both forms after the formats chosen before.
    #[must_use]
    pub const fn with_b3_single(self) -> Self {
        self.with(Format::B3Single)
    }

    /// Writes B3 in several headers, and reads it in both forms after the formats chosen before.
    #[must_use]
    pub const fn with_b3_multi(self) -> Self {
        self.with(Format::B3Multi)
    }

    /// Reads Jaeger's headers after the formats chosen before, its baggage included, and writes them.
    #[must_use]
    pub const fn with_jaeger(self) -> Self {
        self.with(Format::Jaeger)
    }

    /// Neither reads nor writes `traceparent` and `tracestate`. `baggage` stays.
    #[must_use]
    pub const fn without_w3c(self) -> Self {
        let (read, written) = (self.read.without(Format::W3c), self.written.without(Format::W3c));
        Self { read, written, ..self }
    }

    /// Reads what it did, but writes these formats and no other.
    ///
    /// ```
    /// use bartizan_trace::{Format, Propagation};
    ///
    /// // Understands callers that still send Jaeger's headers.
    /// let lenient = Propagation::new().with_jaeger().writing([Format::W3c]);
    /// # assert_ne!(lenient, Propagation::new());
    /// ```
    #[must_use]
    pub const fn writing<const N: usize>(self, formats: [Format; N]) -> Self {
        Self { written: Self::of(formats).written, ..self }
    }

    const fn with(self, format: Format) -> Self {
        Self { read: self.read.with(format.as_read()), written: self.written.with(format), ..self }
    }

    /// For the edge of a system: what callers send is not believed.
    ///
    /// The trace starts anew, so neither ids nor the sampling decision of a stranger count; the incoming
    /// span context is handed out as a [link](Extracted::link). Baggage is not read, and the server layer takes it off the request, so
    /// that a proxy does not pass it on.
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

    /// Neither reads nor writes baggage, in any format: for calls that leave the system.
    #[must_use]
    pub const fn without_baggage(self) -> Self {
        Self { baggage: false, jaeger_baggage: false, ..self }
    }

    /// Reads the headers of an incoming request.
    pub fn extract(&self, headers: &HeaderMap) -> Extracted {
        let mut extracted = Extracted::default();
        let found = w3c::Headers::of(headers);
        self.read_context(headers, &found, &mut extracted);
        if self.trusted {
            extracted.baggage = self.read_baggage(headers, &found);
        } else {
            extracted.distrust();
        }
        extracted
    }

    fn read_context(&self, headers: &HeaderMap, found: &w3c::Headers<'_>, extracted: &mut Extracted) {
        let mut rejected = false;
        for format in self.read.iter() {
            let read = match format {
                Format::W3c => w3c::read(headers, found, extracted),
                Format::B3Single | Format::B3Multi => extracted.take_over(b3::read(headers)),
                Format::Jaeger => extracted.take_over(jaeger::read(headers)),
            };
            match read {
                Ok(Some(())) => return,
                Ok(None) => {}
                Err(_) => rejected = true,
            }
        }
        if rejected {
            extracted.rejected = true;
            count_rejected_context();
        }
    }

    fn read_baggage(&self, headers: &HeaderMap, found: &w3c::Headers<'_>) -> Option<Baggage> {
        let w3c = self.baggage && found.baggage;
        let jaeger = self.jaeger_baggage && self.read.contains(Format::Jaeger);
        if !w3c && !jaeger {
            return None;
        }
        let mut members = Members::default();
        if w3c {
            headers.get_all(&BAGGAGE).iter().for_each(|header| members.read(header));
        }
        if jaeger {
            jaeger::read_baggage(headers, &mut members);
        }
        let (baggage, dropped) = members.finish();
        count_dropped(dropped);
        Some(baggage).filter(|baggage| !baggage.is_empty())
    }

    /// Takes baggage that is not believed off a request: nothing would replace it where the request is passed on.
    pub(crate) fn disown_baggage(&self, headers: &mut HeaderMap) {
        if self.trusted {
            return;
        }
        headers.remove(&BAGGAGE);
        if self.read.contains(Format::Jaeger) {
            jaeger::remove_baggage(headers);
        }
    }

    /// Writes the headers of an outgoing request from the span and the baggage of `context`.
    ///
    /// Headers of the formats that are written are replaced, in both forms of B3. A context without a
    /// valid span leaves the trace headers as they are, one without baggage leaves those of the baggage.
    pub fn inject(&self, context: &Context, headers: &mut HeaderMap) {
        let span = context.span();
        if span.span_context().is_valid() {
            self.write_context(context, span.span_context(), headers);
        }
        if context.baggage().is_empty() {
            return;
        }
        if self.baggage {
            let (header, dropped) = baggage::write(context.baggage());
            count_dropped(dropped);
            replace(headers, &BAGGAGE, header);
        }
        if self.jaeger_baggage && self.written.contains(Format::Jaeger) {
            count_dropped(jaeger::write_baggage(context.baggage(), headers));
        }
    }

    fn write_context(&self, context: &Context, span: &SpanContext, headers: &mut HeaderMap) {
        if self.written.contains(Format::B3Single) || self.written.contains(Format::B3Multi) {
            b3::clear(headers);
        }
        for format in self.written.iter() {
            match format {
                Format::W3c => w3c::write(context, span, headers),
                Format::B3Single => b3::write_single(context, span, headers),
                Format::B3Multi => b3::write_multi(context, span, headers),
                Format::Jaeger => jaeger::write(context, span, headers),
            }
        }
    }
}

fn replace(headers: &mut HeaderMap, name: &HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

#[cfg(test)]
mod tests;
