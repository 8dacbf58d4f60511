//! One registered check with its last result and the run that is under way.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use crate::{CheckOptions, CheckReport, Status, check::DynCheck};

/// The message of a check that took too long, or whose first run is not over.
pub(crate) const TIMEOUT: &str = "Timeout";
/// The message of a check that was never run, in a report that does not run checks.
pub(crate) const NOT_CHECKED: &str = "Not checked yet";

/// What a run found, redacted and bounded.
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) message: Option<Arc<str>>,
    pub(crate) details: Option<Arc<Value>>,
    pub(crate) latency: Duration,
    pub(crate) checked_at: SystemTime,
    pub(crate) finished: Instant,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Phase {
    #[default]
    Idle,
    /// Since when; probes wait for it.
    Running(Instant),
    /// It timed out and has not returned: probes do not wait, and it is not started again.
    Overdue,
}

#[derive(Default)]
struct State {
    last: Option<Arc<Outcome>>,
    /// How many runs have a result. A waiter sees by it that a run ended even if the next has begun.
    results: u64,
    phase: Phase,
    removed: bool,
}

pub(crate) struct Slot {
    pub(crate) name: Arc<str>,
    pub(crate) options: CheckOptions,
    pub(crate) check: Arc<dyn DynCheck>,
    state: watch::Sender<State>,
}

/// What a probe has to do about a check.
pub(crate) enum Need {
    Nothing,
    Wait(Pending),
    /// This caller, and no other, has to start the run.
    Start(Pending),
}

/// A result to wait for.
pub(crate) struct Pending {
    state: watch::Receiver<State>,
    seen: u64,
}

impl Pending {
    pub(crate) async fn settled(mut self) {
        let seen = self.seen;
        // An error means that the slot is gone, which settles it too.
        let _ = self.state.wait_for(|s| s.results != seen || !matches!(s.phase, Phase::Running(_))).await;
    }
}

/// What [`Slot::publish`] replaced.
pub(crate) struct Published {
    pub(crate) before: Option<Status>,
    pub(crate) removed: bool,
}

impl Slot {
    pub(crate) fn new(name: Arc<str>, options: CheckOptions, check: Arc<dyn DynCheck>) -> Self {
        Self { name, options, check, state: watch::Sender::default() }
    }

    /// Decides in one step whether a run is due, so that any number of callers start only one.
    pub(crate) fn need(&self) -> Need {
        let now = Instant::now();
        if self.settled(&self.state.borrow(), now) {
            return Need::Nothing;
        }
        self.need_unless(|state| self.settled(state, now))
    }

    /// As [`need`](Self::need), however fresh the last result is.
    pub(crate) fn need_anew(&self) -> Need {
        self.need_unless(|state| state.phase == Phase::Overdue)
    }

    fn need_unless(&self, settled: impl Fn(&State) -> bool) -> Need {
        let now = Instant::now();
        let (mut start, mut seen) = (false, None);
        self.state.send_if_modified(|state| {
            if !settled(state) {
                seen = Some(state.results);
                if state.phase == Phase::Idle {
                    state.phase = Phase::Running(now);
                    start = true;
                }
            }
            false
        });
        match seen {
            None => Need::Nothing,
            Some(seen) if start => Need::Start(Pending { state: self.state.subscribe(), seen }),
            Some(seen) => Need::Wait(Pending { state: self.state.subscribe(), seen }),
        }
    }

    fn settled(&self, state: &State, now: Instant) -> bool {
        match state.phase {
            Phase::Overdue => true,
            Phase::Running(_) => false,
            Phase::Idle => state.last.as_ref().is_some_and(|last| self.is_fresh(last, now)),
        }
    }

    fn is_fresh(&self, last: &Outcome, now: Instant) -> bool {
        now.saturating_duration_since(last.finished) < self.options.ttl
    }

    /// When who keeps the result fresh has to see to it: not before the ttl and `pause` have passed since the
    /// last run, but now if it was never run or is running.
    #[cfg(feature = "tonic")]
    pub(crate) fn due(&self, pause: Duration, now: Instant) -> Instant {
        let state = self.state.borrow();
        match (state.phase, &state.last) {
            (Phase::Idle, Some(last)) => after(last.finished, self.options.ttl.max(pause), now),
            _ => now,
        }
    }

    /// The result of the run; `overdue` when the check itself has not returned.
    pub(crate) fn publish(&self, outcome: Outcome, overdue: bool) -> Published {
        let mut published = Published { before: None, removed: false };
        self.state.send_modify(|state| {
            state.phase = if overdue { Phase::Overdue } else { Phase::Idle };
            state.results = state.results.wrapping_add(1);
            published.before = state.last.replace(Arc::new(outcome)).map(|last| last.status);
            published.removed = state.removed;
        });
        published
    }

    /// The run is over without a result of its own: an overdue one returned, or its runtime went down.
    pub(crate) fn release(&self) {
        self.state.send_modify(|state| state.phase = Phase::Idle);
    }

    /// From now on results are nobody's business.
    pub(crate) fn remove(&self) {
        self.state.send_if_modified(|state| {
            state.removed = true;
            false
        });
    }

    /// What is known now, without waiting.
    pub(crate) fn reading(&self, now: SystemTime) -> CheckReport {
        let state = self.state.borrow();
        let name = Arc::clone(&self.name);
        let criticality = self.options.criticality;
        if let Some(last) = &state.last {
            return CheckReport {
                name,
                criticality,
                status: last.status,
                message: last.message.clone(),
                details: last.details.clone(),
                latency: last.latency,
                checked_at: last.checked_at,
                stale: !self.is_fresh(last, Instant::now()),
            };
        }
        let (message, latency) = match state.phase {
            Phase::Running(since) => (TIMEOUT, since.elapsed()),
            Phase::Idle | Phase::Overdue => (NOT_CHECKED, Duration::ZERO),
        };
        CheckReport {
            name,
            criticality,
            status: Status::Unhealthy,
            message: Some(message.into()),
            details: None,
            latency,
            checked_at: now,
            stale: false,
        }
    }
}

/// The end of a pause; a pause without end is looked at again in a day.
#[cfg(feature = "tonic")]
pub(crate) fn after(start: Instant, pause: Duration, now: Instant) -> Instant {
    start.checked_add(pause).unwrap_or(now + Duration::from_hours(24))
}
