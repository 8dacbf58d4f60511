//! The observer: a span and the headers at the beginning, the verdict at the end.

use std::fmt;
use std::time::SystemTime;

use bartizan_core::{Ending, Exchange, Observer, Outcome, Record};
use bartizan_mask::Masker;
use http::{Request, Response};
use opentelemetry::Context;
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry_sdk::trace::{Sampler, SdkTracer};

use super::attributes;
use crate::propagation::Propagation;
use crate::propagation::made;
use crate::server::{dropped, drops, ids};

/// How often this request was sent before, as a request extension: `http.request.resend_count` of the span. For clients that
/// retry.
///
/// ```
/// use bartizan_trace::client::ResendCount;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(ResendCount(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResendCount(pub u32);

/// The observer behind [`ClientTraceLayer`](crate::ClientTraceLayer), for stacks that fuse several.
#[derive(Clone)]
pub struct ClientTrace {
    /// `None`: nothing is recorded, only passed on.
    pub(crate) tracer: Option<SdkTracer>,
    /// The tracer's sampler, as far as it is known.
    pub(crate) sampler: Option<Sampler>,
    pub(crate) propagation: Propagation,
    pub(crate) masker: Masker,
}

/// One call being traced.
pub struct ClientTraceExchange(Option<Recording>);

/// What is kept of a span that is recorded.
struct Recording {
    context: Context,
    started: SystemTime,
}

impl ClientTrace {
    pub(super) fn new(tracer: Option<SdkTracer>) -> Self {
        Self { tracer, sampler: None, propagation: Propagation::new(), masker: Masker::default() }
    }

    /// The context that the headers are written of, and the span if it is recorded.
    fn start<B>(
        &self,
        parent: &Context,
        request: &Request<B>,
        record: &Record,
    ) -> (Option<Context>, Option<Recording>) {
        let has_parent = parent.span().span_context().is_valid();
        let certain = has_parent && drops(self.sampler.as_ref(), parent.span().span_context());
        let Some(tracer) = self.tracer.as_ref().filter(|_| !certain) else {
            return ((!has_parent).then(|| parent.with_remote_span_context(made(false))), None);
        };
        let started = SystemTime::now();
        // Without attributes, and without more than a word in its name, until it is known that anyone wants them.
        let mut builder = SpanBuilder::from_name(attributes::short_name(record)).with_kind(SpanKind::Client);
        builder.start_time = Some(started);
        builder.attributes = Some(Vec::with_capacity(attributes::MOST));
        let mut span = tracer.build_with_context(builder, parent);
        if !span.is_recording() {
            let span = dropped(parent.span().span_context(), span.span_context());
            return (Some(parent.with_remote_span_context(span)), None);
        }
        if let Some(name) = attributes::name(request.uri(), record) {
            span.update_name(name);
        }
        attributes::of_request(request, record, &self.masker, |attribute| span.set_attribute(attribute));
        let context = parent.with_span(span);
        (Some(context.clone()), Some(Recording { context, started }))
    }
}

impl Observer for ClientTrace {
    type Exchange = ClientTraceExchange;

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> ClientTraceExchange {
        let parent = Context::current();
        let (own, recording) = self.start(&parent, request, record);
        let context = own.as_ref().unwrap_or(&parent);
        record.set_trace(ids(context.span().span_context()));
        self.propagation.inject(context, request.headers_mut());
        ClientTraceExchange(recording)
    }
}

impl Exchange for ClientTraceExchange {
    fn enter(&mut self) -> impl Sized {
        self.0.as_ref().map(|recording| recording.context.clone().attach())
    }

    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        if let Some(recording) = &self.0 {
            let span = recording.context.span();
            attributes::of_response(response, |attribute| span.set_attribute(attribute));
        }
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        let Some(Recording { context, started }) = self.0.take() else { return };
        let span = context.span();
        attributes::of_ending(ending, record, |attribute| span.set_attribute(attribute));
        if ending.is_error() || ending.outcome == Outcome::ClientError {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(started + ending.duration);
    }
}

impl fmt::Debug for ClientTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTrace").field("propagation", &self.propagation).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientTraceExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTraceExchange").field("recording", &self.0.is_some()).finish_non_exhaustive()
    }
}
