//! The observer: a span up at the beginning, its verdict at the end.

use std::fmt;
use std::time::SystemTime;

use bartizan_core::{Ending, Exchange, Observer, Protocol, Record, TraceIds, short_header_value};
use bartizan_mask::Masker;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Response};
use opentelemetry::Context;
use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, Tracer,
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Sampler, SdkTracer};

use super::attributes;
use super::layer::TraceHeader;
use super::names::Names;
use super::rpc;
use crate::client::ClientTrace;
use crate::propagation::{Extracted, Propagation};
use crate::w3c::{FLAG_RANDOM, TraceParent};

/// The observer behind [`TraceLayer`](crate::TraceLayer), for stacks that fuse several.
#[derive(Clone)]
pub struct Trace {
    /// `None`: nothing is recorded, only passed on.
    tracer: Option<SdkTracer>,
    /// The tracer's sampler, as far as it is known.
    pub(super) sampler: Option<Sampler>,
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
    /// What was asked for, and what masks it, where the route is not certain yet: that says what of it is a secret.
    unrouted: Option<Box<(PathAndQuery, Masker)>>,
}

impl Trace {
    pub(super) fn new(tracer: Option<SdkTracer>) -> Self {
        Self {
            tracer,
            sampler: None,
            propagation: Propagation::new(),
            header: TraceHeader::default(),
            masker: Masker::default(),
        }
    }
}

impl Observer for Trace {
    type Exchange = TraceExchange;

    /// Inside of the service, the record is found by the current context.
    fn shares_record(&self) -> bool {
        false
    }

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> TraceExchange {
        let mut extracted = self.propagation.extract(request.headers());
        self.propagation.disown_baggage(request.headers_mut());
        let exchange = match &self.tracer {
            Some(tracer) if !extracted.is_denied() => self.start(tracer, &mut extracted, request, record),
            _ => self.unrecorded(extracted.attach_or_make(&Context::new())),
        };
        record.set_trace(ids(exchange.context.span().span_context()));
        exchange
    }
}

impl Trace {
    pub(crate) fn client(self) -> ClientTrace {
        let Self { tracer, sampler, propagation, masker, .. } = self;
        ClientTrace { tracer, sampler, propagation, masker }
    }

    fn start<B>(
        &self,
        tracer: &SdkTracer,
        extracted: &mut Extracted,
        request: &Request<B>,
        record: &Record,
    ) -> TraceExchange {
        if let Some(remote) =
            extracted.span_context.as_ref().filter(|remote| drops(self.sampler.as_ref(), remote))
        {
            let span = unsampled(remote, RandomIdGenerator::default().new_span_id());
            let values = extracted.move_values_to(Context::new());
            return self.unrecorded(values.with_remote_span_context(span));
        }
        let known = keeps(self.sampler.as_ref(), extracted.span_context.as_ref());
        let parent = extracted.parent(&Context::new());
        let started = SystemTime::now();
        let mut builder = SpanBuilder::from_name(attributes::method(record));
        let mut attributes = Vec::with_capacity(attributes::MOST);
        // The attributes, and a name with the route in it, as soon as it is known that anyone wants them.
        if known {
            let Names { span, route } = Names::of(record);
            builder.name = span;
            attributes::of_request(request, record, route, &self.masker, |attribute| {
                attributes.push(attribute);
            });
        }
        builder.span_kind = Some(SpanKind::Server);
        builder.start_time = Some(started);
        builder.attributes = Some(attributes);
        builder.links = extracted.link.take().map(|origin| vec![Link::with_context(origin)]);
        let mut span = tracer.build_with_context(builder, &parent);
        let values = extracted.move_values_to(Context::new());
        if !span.is_recording() {
            let span = dropped(parent.span().span_context(), span.span_context());
            return self.unrecorded(values.with_remote_span_context(span));
        }
        if !known {
            let Names { span: name, route } = Names::of(record);
            span.update_name(name);
            attributes::of_request(request, record, route, &self.masker, |attribute| {
                span.set_attribute(attribute);
            });
        }
        let unrouted = if record.is_routed() {
            None
        } else {
            request.uri().path_and_query().map(|target| Box::new((target.clone(), self.masker.clone())))
        };
        let recording = Some(Recording { started, unrouted });
        TraceExchange { context: values.with_span(span), recording, header: self.header }
    }

    fn unrecorded(&self, context: Context) -> TraceExchange {
        TraceExchange { context, recording: None, header: self.header }
    }
}

/// Whether it is certain, without asking the SDK, that the child of this parent is not recorded.
pub(crate) fn drops(sampler: Option<&Sampler>, parent: &SpanContext) -> bool {
    match sampler {
        Some(Sampler::ParentBased(_)) => !parent.is_sampled(),
        Some(Sampler::AlwaysOff) => true,
        _ => false,
    }
}

/// Whether it is as good as certain that the child of this parent is recorded.
fn keeps(sampler: Option<&Sampler>, parent: Option<&SpanContext>) -> bool {
    match sampler {
        Some(Sampler::ParentBased(_)) => parent.is_some_and(SpanContext::is_sampled),
        Some(Sampler::AlwaysOn) => true,
        _ => false,
    }
}

/// The context of a span that the SDK does not record: the SDK forgets the random flag, but it is to be passed on.
pub(crate) fn dropped(parent: &SpanContext, span: &SpanContext) -> SpanContext {
    if parent.is_valid() { unsampled(parent, span.span_id()) } else { span.clone() }
}

/// The context of a span that is not recorded, in the parent's trace.
#[inline]
fn unsampled(remote: &SpanContext, span_id: SpanId) -> SpanContext {
    let flags = remote.trace_flags() & FLAG_RANDOM;
    SpanContext::new(remote.trace_id(), span_id, flags, false, remote.trace_state().clone())
}

impl Exchange for TraceExchange {
    #[inline]
    fn enter(&mut self) -> impl Sized {
        self.context.clone().attach()
    }

    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        if let Some((name, value)) = self.header.of(self.context.span().span_context()) {
            let headers = response.headers_mut();
            if self.header == TraceHeader::ServerTiming {
                // A list: the service may have timings of its own in it.
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        let Some(Recording { started, unrouted }) = self.recording.take() else { return };
        let span = self.context.span();
        if let Some((target, masker)) = unrouted.as_deref() {
            let mut set = |attribute| span.set_attribute(attribute);
            let routed = record.matched_route().is_some();
            if routed {
                let names = Names::of(record);
                span.update_name(names.span);
                attributes::of_route(record, names.route, &mut set);
            }
            match record.protocol() {
                Protocol::Http => attributes::of_target(target, record, masker, set),
                Protocol::Grpc if routed => {}
                Protocol::Grpc => rpc::of_unknown_method(target, record, masker, set),
            }
        }
        attributes::of_ending(ending, |attribute| span.set_attribute(attribute));
        if ending.is_error() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(started + ending.duration);
    }
}

impl TraceHeader {
    #[inline]
    fn of(self, span: &SpanContext) -> Option<(HeaderName, HeaderValue)> {
        const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
        const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");
        const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
        let parent = || TraceParent::from_span_context(span);
        match self {
            Self::None => None,
            Self::XTraceId => {
                short_header_value(ids(span).trace_id_hex().as_bytes()).map(|value| (X_TRACE_ID, value))
            }
            Self::TraceResponse => parent().map(|parent| (TRACE_RESPONSE, parent.to_header_value())),
            Self::ServerTiming => {
                let value = format!("trace;desc={}", parent()?.to_header_value().to_str().ok()?);
                HeaderValue::from_str(&value).ok().map(|value| (SERVER_TIMING, value))
            }
        }
    }
}

pub(crate) fn ids(span: &SpanContext) -> TraceIds {
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
