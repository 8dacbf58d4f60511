//! What a caller asks of the sampler and a span context cannot hold.

use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// Beside the remote parent in a context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Asked {
    /// The ids of this remote span came without a decision.
    Nothing(SpanId),
    /// There were no ids, but the trace that starts here is to be recorded.
    Record,
    /// There were no ids, and the trace that starts here is not to be recorded.
    Drop,
}

impl Asked {
    /// What was asked for spans that start directly in this context; those further in have a parent
    /// that knows.
    fn of(context: &Context) -> Option<Self> {
        let asked = *context.get::<Self>()?;
        let span = context.span();
        let parent = span.span_context();
        let applies = match asked {
            Self::Nothing(id) => parent.is_remote() && parent.span_id() == id,
            Self::Record | Self::Drop => !parent.is_valid(),
        };
        applies.then_some(asked)
    }
}

/// Whether the span of this context is remote and nobody has decided on it yet.
pub(super) fn is_open(context: &Context) -> bool {
    matches!(Asked::of(context), Some(Asked::Nothing(_)))
}

/// The trace is a debug trace: it is recorded wherever it goes.
#[derive(Debug)]
pub(super) struct DebugTrace;

/// A sampler that understands what B3 says of sampling and a span context cannot hold.
///
/// | headers | the inner sampler decides |
/// |---|---|
/// | ids without a decision (`b3: {trace}-{span}`) | as for a new trace, with the id of this one |
/// | `b3: 1` or `b3: d` alone | as for a trace whose caller was sampled |
/// | `b3: 0` alone | nothing: the trace is not recorded |
/// | anything else | as ever |
///
/// [`TraceSettings`](crate::TraceSettings) puts it around the sampler of the settings. Put it around
/// the sampler of a provider of your own: without it, ids without a decision count as sampled, and
/// `b3: 1` alone is not seen.
///
/// ```
/// use bartizan_trace::propagation::B3Sampler;
/// use bartizan_trace::opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
///
/// let ten_percent = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(0.1)));
/// let provider = SdkTracerProvider::builder().with_sampler(B3Sampler::new(ten_percent)).build();
/// ```
#[derive(Clone, Debug)]
pub struct B3Sampler<S>(S);

impl<S> B3Sampler<S> {
    /// Asks `inner` for what B3 leaves open.
    pub const fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S: ShouldSample + Clone + 'static> ShouldSample for B3Sampler<S> {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let ask = |parent| self.0.should_sample(parent, trace_id, name, kind, attributes, links);
        match (parent.and_then(Asked::of), parent) {
            // The SDK's sampler takes any span in the context for a parent that has decided.
            (Some(Asked::Nothing(_)), _) => ask(None),
            (Some(Asked::Record), Some(parent)) => {
                // No sampler looks at the id of a parent, but it must be valid.
                let made =
                    SpanContext::new(trace_id, SpanId::from(1), TraceFlags::SAMPLED, true, TraceState::NONE);
                ask(Some(&parent.with_remote_span_context(made)))
            }
            (Some(Asked::Drop), _) => SamplingResult {
                decision: SamplingDecision::Drop,
                attributes: Vec::new(),
                trace_state: TraceState::NONE,
            },
            (_, parent) => ask(parent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Propagation;
    use http::{HeaderMap, HeaderValue};
    use opentelemetry_sdk::trace::Sampler;

    /// Its low half is above what a ratio of one in two lets pass.
    const HIGH: &str = "b3: 0000000000000000ffffffffffffffff-00f067aa0ba902b7";
    const LOW: &str = "b3: 00000000000000000000000000000001-00f067aa0ba902b7";

    fn context(header: &'static str) -> Context {
        let mut headers = HeaderMap::new();
        let (name, value) = header.split_once(": ").unwrap();
        headers.insert(name, HeaderValue::from_static(value));
        Propagation::new().with_b3_single().extract(&headers).attach_to(&Context::new())
    }

    fn recorded(sampler: Sampler, context: &Context) -> bool {
        let span = context.span();
        let trace_id = if span.span_context().is_valid() {
            span.span_context().trace_id()
        } else {
            TraceId::from(u128::MAX)
        };
        let result =
            B3Sampler::new(sampler).should_sample(Some(context), trace_id, "", &SpanKind::Server, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    fn parent_or(root: Sampler) -> Sampler {
        Sampler::ParentBased(Box::new(root))
    }

    #[test]
    fn ids_without_a_decision_are_decided_by_the_root_sampler_and_their_own_trace_id() {
        let half = || parent_or(Sampler::TraceIdRatioBased(0.5));
        assert!(recorded(half(), &context(LOW)));
        assert!(!recorded(half(), &context(HIGH)));
        assert!(!recorded(parent_or(Sampler::AlwaysOff), &context(LOW)));
        assert!(recorded(parent_or(Sampler::AlwaysOn), &context(HIGH)));
    }

    #[test]
    fn a_decision_alone_is_that_of_a_parent() {
        assert!(recorded(parent_or(Sampler::AlwaysOff), &context("b3: 1")));
        assert!(recorded(parent_or(Sampler::AlwaysOff), &context("b3: d")));
        assert!(!recorded(Sampler::AlwaysOff, &context("b3: 1")), "it does not ask for parents");
        assert!(!recorded(Sampler::AlwaysOn, &context("b3: 0")));
    }

    #[test]
    fn what_was_left_open_is_closed_for_children() {
        let local = SpanContext::new(
            TraceId::from(1),
            SpanId::from(5),
            TraceFlags::default(),
            false,
            TraceState::NONE,
        );
        for header in [LOW, "b3: 1"] {
            let inside = context(header).with_remote_span_context(local.clone());
            assert!(!recorded(parent_or(Sampler::AlwaysOn), &inside), "{header}");
        }
    }

    #[test]
    fn everything_else_is_the_inner_samplers() {
        let sampled = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(recorded(parent_or(Sampler::AlwaysOff), &context(sampled)));
        assert!(recorded(Sampler::AlwaysOn, &Context::new()));
        assert!(!recorded(Sampler::AlwaysOff, &Context::new()));
    }
}
