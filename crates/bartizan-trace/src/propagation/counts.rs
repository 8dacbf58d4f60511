//! How often headers were refused.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often propagation headers were refused, since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropagationCounts {
    /// Requests whose trace context was malformed or repeated, in every format that is read and that
    /// they brought: their traces started anew.
    pub rejected_contexts: u64,
    /// Requests whose `tracestate` was malformed and discarded.
    pub rejected_states: u64,
    /// Members of `tracestate` and of the baggage that were malformed, repeated or past a limit.
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

pub(super) fn count_rejected_context() {
    REJECTED_CONTEXTS.fetch_add(1, Relaxed);
}

pub(super) fn count_rejected_state() {
    REJECTED_STATES.fetch_add(1, Relaxed);
}

pub(super) fn count_dropped(members: usize) {
    // Not even a shared read on the ordinary path.
    if members > 0 {
        DROPPED_MEMBERS.fetch_add(members as u64, Relaxed);
    }
}
