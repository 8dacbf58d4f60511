//! One registered check with its last result and the run that is under way.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use crate::{CheckOptions, CheckReport, Status, check::DynCheck, threshold::Streak};

/// The message of a check that took too long, or whose first run is not over.
pub(crate) const TIMEOUT: &str = "Timeout";
/// The message of a check that was never run, in a report that does not run checks.
pub(crate) const NOT_CHECKED: &str = "Not checked yet";
/// When to look again at what needs no looking at.
const DAY: Duration = Duration::from_hours(24);

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
    /// The last run, with the status that holds.
    last: Option<Arc<Outcome>>,
    streak: Streak,
    /// Unhealthy runs in a row.
    failures: u32,
    /// How many runs have a result. A waiter sees by it that a run ended even if the next has begun.
    results: u64,
    phase: Phase,
    /// A task runs the check at its interval.
    kept: bool,
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
    /// This caller, and no other, has to start the run; or the task that runs it at its interval.
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

/// What [`Slot::publish`] changed.
pub(crate) struct Published {
    pub(crate) before: Option<Status>,
    pub(crate) now: Status,
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
        self.need_unless(|state| self.settled(state, now), self.options.interval.is_some())
    }

    /// As [`need`](Self::need), however fresh the last result is, unless the check runs at its interval.
    pub(crate) fn need_anew(&self) -> Need {
        self.need_unless(|state| state.phase == Phase::Overdue || (state.kept && state.last.is_some()), false)
    }

    /// Whether the check runs at its interval.
    pub(crate) fn is_kept(&self) -> bool {
        self.state.borrow().kept
    }

    fn need_unless(&self, settled: impl Fn(&State) -> bool, keep: bool) -> Need {
        let now = Instant::now();
        let (mut start, mut seen) = (false, None);
        self.state.send_if_modified(|state| {
            if !settled(state) {
                seen = Some(state.results);
                if state.phase == Phase::Idle {
                    state.phase = Phase::Running(now);
                    state.kept = keep;
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
        match (state.phase, &state.last) {
            (Phase::Overdue, _) => true,
            // Who is kept is read and not waited for, once there is something to read.
            (_, Some(_)) if state.kept => true,
            (Phase::Running(_), _) | (Phase::Idle, None) => false,
            (Phase::Idle, Some(last)) => self.options.interval.is_none() && self.is_fresh(last, now),
        }
    }

    fn is_fresh(&self, last: &Outcome, now: Instant) -> bool {
        now.saturating_duration_since(last.finished) < self.fresh_for()
    }

    /// How long a result is fresh: as long as the next one may take to come.
    fn fresh_for(&self) -> Duration {
        let options = &self.options;
        options.interval.map_or(options.ttl, |interval| interval.saturating_add(options.timeout))
    }

    /// When who keeps the result fresh has to see to it: not before the ttl and `pause` have passed since the
    /// last run, but now if it was never run or is running.
    #[cfg(feature = "tonic")]
    pub(crate) fn due(&self, pause: Duration, now: Instant) -> Instant {
        let state = self.state.borrow();
        match (state.phase, &state.last) {
            (_, Some(_)) if state.kept => now + DAY,
            (Phase::Idle, Some(last)) => after(last.finished, self.options.ttl.max(pause), now),
            _ => now,
        }
    }

    /// Until when an answer that was made `now` holds, if no result comes before. None if a run is due.
    pub(crate) fn holds_until(&self, now: Instant) -> Option<Instant> {
        let state = self.state.borrow();
        if !self.settled(&state, now) {
            return None;
        }
        // What is overdue or stale already stays so until there is a result.
        let last = state.last.as_ref().filter(|last| self.is_fresh(last, now));
        Some(last.map_or(now + DAY, |last| after(last.finished, self.fresh_for(), now)))
    }

    /// Takes up the next run of a check that is kept; false if it was removed.
    pub(crate) fn again(&self) -> bool {
        self.state.send_if_modified(|state| {
            if !state.removed {
                state.phase = Phase::Running(Instant::now());
            }
            false
        });
        !self.is_removed()
    }

    /// The result of the run; `overdue` when the check itself has not returned.
    pub(crate) fn publish(&self, mut outcome: Outcome, overdue: bool) -> Published {
        let mut published = Published { before: None, now: outcome.status, removed: false };
        self.state.send_modify(|state| {
            state.phase = if overdue { Phase::Overdue } else { Phase::Idle };
            state.results = state.results.wrapping_add(1);
            let failed = outcome.status == Status::Unhealthy;
            state.failures = if failed { state.failures.saturating_add(1) } else { 0 };
            published.removed = state.removed;
            published.before = state.last.as_ref().map(|last| last.status);
            let holds = state.streak.settle(published.before, outcome.status, self.options.thresholds);
            if let Some(last) = state.last.as_ref().filter(|_| holds > outcome.status) {
                // What is not believed to be over still has its reason.
                outcome.message.clone_from(&last.message);
                outcome.details.clone_from(&last.details);
            }
            outcome.status = holds;
            published.now = holds;
            state.last = Some(Arc::new(outcome));
        });
        published
    }

    /// The run is over without a result of its own: an overdue one returned, or its runtime went down.
    pub(crate) fn release(&self) {
        self.state.send_modify(|state| state.phase = Phase::Idle);
    }

    /// Nobody runs the check at its interval any more.
    pub(crate) fn leave(&self) {
        self.state.send_modify(|state| state.kept = false);
    }

    /// From now on results are nobody's business.
    pub(crate) fn remove(&self) {
        self.state.send_modify(|state| state.removed = true);
    }

    fn is_removed(&self) -> bool {
        self.state.borrow().removed
    }

    pub(crate) async fn removed(&self) {
        let _ = self.state.subscribe().wait_for(|state| state.removed).await;
    }

    /// What is known now, without waiting.
    pub(crate) fn reading(&self, time: SystemTime) -> CheckReport {
        let (state, now) = (self.state.borrow(), Instant::now());
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
                age: Some(now.saturating_duration_since(last.finished)),
                stale: !self.is_fresh(last, now),
                failures: state.failures,
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
            checked_at: time,
            age: None,
            stale: false,
            failures: 0,
        }
    }
}

/// The end of a pause; a pause without end is looked at again in a day.
pub(crate) fn after(start: Instant, pause: Duration, now: Instant) -> Instant {
    start.checked_add(pause).unwrap_or(now + DAY)
}
