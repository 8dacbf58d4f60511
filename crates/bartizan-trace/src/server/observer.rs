//! The observer: a span up at the beginning, its verdict at the end.

use std::fmt;
use std::time::SystemTime;

use bartizan_core::{Ending, Exchange, Observer, Record, TraceIds};
use bartizan_mask::Masker;
use http::{HeaderName, HeaderValue, Request, Response};
use opentelemetry::Context;
use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, TraceFlags, TraceState, Tracer,
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer};

use super::attributes;
use super::layer::TraceHeader;
use crate::propagation::{Extracted, Propagation};
use crate::w3c::{FLAG_RANDOM, TraceParent};

/// The observer behind [`TraceLayer`](crate::TraceLayer), for stacks that fuse several.
#[derive(Clone)]
pub struct Trace {
    /// `None`: nothing is recorded, only passed on.
    tracer: Option<SdkTracer>,
    pub(super) propagation: Propagation,
    pub(super) header: TraceHeader,
    pub(super) masker: Masker,
}

/// One request being traced.
pub struct TraceExchange {
    context: Context,
    recording: Option<Recording>,
    header: TraceHeader,
}

/// What is kept of a span that is recorded.
struct Recording {
    started: SystemTime,
    /// Whether name and attributes have the route already.
    routed: bool,
}

impl Trace {
    pub(super) fn new(tracer: Option<SdkTracer>) -> Self {
        Self {
            tracer,
            propagation: Propagation::new(),
            header: TraceHeader::default(),
            masker: Masker::default(),
        }
    }
}

impl Observer for Trace {
    type Exchange = TraceExchange;

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> TraceExchange {
        let extracted = self.propagation.extract(request.headers());
        let (context, recording) = match &self.tracer {
            Some(tracer) if !extracted.is_denied() => self.start(tracer, extracted, request, record),
            _ => (pass_on(extracted), None),
        };
        record.set_trace(ids(context.span().span_context()));
        TraceExchange { context, recording, header: self.header }
    }
}

impl Trace {
    fn start<B>(
        &self,
        tracer: &SdkTracer,
        mut extracted: Extracted,
        request: &Request<B>,
        record: &Record,
    ) -> (Context, Option<Recording>) {
        let parent = extracted.parent(&Context::new());
        let started = SystemTime::now();
        // Without attributes, and without the route in its name, until it is known that anyone wants them.
        let mut builder = SpanBuilder::from_name(attributes::method(record)).with_kind(SpanKind::Server);
        builder.start_time = Some(started);
        builder.links = extracted.link.take().map(|origin| vec![Link::with_context(origin)]);
        let mut span = tracer.build_with_context(builder, &parent);
        let values = extracted.attach_values_to(&Context::new());
        if !span.is_recording() {
            let random = parent.span().span_context().trace_flags() & FLAG_RANDOM;
            return (values.with_remote_span_context(unsampled(span.span_context(), random)), None);
        }
        let routed = record.matched_route().is_some();
        if routed {
            span.update_name(attributes::name(record));
        }
        attributes::of_request(request, record, &self.masker, |attribute| span.set_attribute(attribute));
        (values.with_span(span), Some(Recording { started, routed }))
    }
}

/// The SDK forgets the random flag of what it does not sample, but it is to be passed on.
fn unsampled(span: &SpanContext, random: TraceFlags) -> SpanContext {
    let flags = span.trace_flags() | random;
    SpanContext::new(span.trace_id(), span.span_id(), flags, false, span.trace_state().clone())
}

/// Where nothing is recorded, the caller's context goes on as it came; without one there are ids all the same, for the logs.
fn pass_on(extracted: Extracted) -> Context {
    if extracted.span_context.is_some() {
        return extracted.attach_to(&Context::new());
    }
    let ids = RandomIdGenerator::default();
    let made = SpanContext::new(
        ids.new_trace_id(),
        ids.new_span_id(),
        TraceFlags::default().with_sampled(extracted.decision == Some(true)),
        false,
        TraceState::default(),
    );
    extracted.attach_values_to(&Context::new()).with_remote_span_context(made)
}

impl Exchange for TraceExchange {
    fn enter<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let _current = self.context.clone().attach();
        poll()
    }

    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        if let Some((name, value)) = self.header.of(self.context.span().span_context()) {
            response.headers_mut().insert(name, value);
        }
    }

    fn end(self, ending: &Ending, record: &Record) {
        let Some(Recording { started, routed }) = self.recording else { return };
        let span = self.context.span();
        if !routed && record.matched_route().is_some() {
            span.update_name(attributes::name(record));
            attributes::of_route(record, |attribute| span.set_attribute(attribute));
        }
        attributes::of_ending(ending, |attribute| span.set_attribute(attribute));
        if ending.outcome.is_error() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(started + ending.duration);
    }
}

impl TraceHeader {
    fn of(self, span: &SpanContext) -> Option<(HeaderName, HeaderValue)> {
        const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
        const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");
        const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
        let parent = || TraceParent::from_span_context(span);
        match self {
            Self::None => None,
            Self::XTraceId => {
                let value = HeaderValue::from_str(ids(span).trace_id_hex().as_str());
                value.ok().map(|value| (X_TRACE_ID, value))
            }
            Self::TraceResponse => parent().map(|parent| (TRACE_RESPONSE, parent.to_header_value())),
            Self::ServerTiming => {
                let value = format!("trace;desc={}", parent()?.to_header_value().to_str().ok()?);
                HeaderValue::from_str(&value).ok().map(|value| (SERVER_TIMING, value))
            }
        }
    }
}

fn ids(span: &SpanContext) -> TraceIds {
    TraceIds {
        trace_id: span.trace_id().to_bytes(),
        span_id: span.span_id().to_bytes(),
        sampled: span.is_sampled(),
    }
}

/// The ids of the span that is current on this thread, by OpenTelemetry's context: inside a handler's own span, that one's.
/// For a log subscriber.
pub fn current_ids() -> Option<TraceIds> {
    Context::map_current(|context| context.has_active_span().then(|| ids(context.span().span_context())))
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("propagation", &self.propagation).finish_non_exhaustive()
    }
}

impl fmt::Debug for TraceExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceExchange").field("recording", &self.recording.is_some()).finish_non_exhaustive()
    }
}
