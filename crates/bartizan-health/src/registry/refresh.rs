//! Running checks: for those who ask, and for those who watch.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use super::Registry;
use crate::{
    Group, Report, Status,
    run::{Kept, Lease, keep, run},
    slot::{Need, Pending, Slot},
};

/// An answer tells the time: it is made anew this often, be there news or not.
const MAX_KEPT: Duration = Duration::from_secs(1);

/// A report with how long it holds.
pub(crate) struct Snapshot {
    pub(crate) report: Report,
    /// The registry's before the results were read.
    pub(crate) generation: u64,
    /// None if a run is due or under way.
    pub(crate) until: Option<Instant>,
}

impl Registry {
    /// Runs those whose results are older than their ttl, and waits for them as long as an answer may take.
    pub(super) async fn refresh(&self, slots: &[Arc<Slot>]) {
        let pending = self.begin(slots, Slot::need);
        if !pending.is_empty() {
            // Too late is no failure: the reading then is the last known one.
            let _ = timeout(self.inner.answer_within, settled(pending)).await;
        }
    }

    /// Runs the group's checks however fresh their results are, and waits for each up to its timeout. Those that are kept run at
    /// their interval.
    pub(crate) async fn run_now(&self, group: Group) {
        settled(self.begin(&self.members(group), Slot::need_anew)).await;
    }

    /// Starts what is due and nobody has started, and says what there is to wait for.
    pub(super) fn begin(&self, slots: &[Arc<Slot>], need: impl Fn(&Slot) -> Need) -> Vec<Pending> {
        let mut pending = Vec::new();
        for slot in slots {
            // What runs in the background has run enough when the service drains.
            if slot.options.interval.is_some() && self.is_draining() {
                continue;
            }
            match need(slot) {
                Need::Nothing => {}
                Need::Wait(result) => pending.push(result),
                Need::Start(result) => {
                    let (lease, inner) = (Lease::new(Arc::clone(slot)), &self.inner);
                    if slot.is_kept() {
                        tokio::spawn(keep(Kept(Arc::clone(slot)), lease, Arc::downgrade(inner)));
                    } else {
                        tokio::spawn(run(lease, Arc::clone(inner)));
                    }
                    pending.push(result);
                }
            }
        }
        pending
    }

    /// What a probe of the group is answered from, and how long that holds.
    pub(crate) async fn snapshot(&self, group: Group) -> Snapshot {
        // Once the startup checks have passed they are left alone.
        let done = group == Group::Startup && self.is_started() && !self.is_starting();
        let slots = if done { Vec::new() } else { self.members(group) };
        let known = self.is_draining() && group.is_for_traffic();
        if !known {
            self.refresh(&slots).await;
        }
        // Read before the results are, so that none that comes in between is missed.
        let (generation, now) = (self.generation(), Instant::now());
        let held = slots.iter().map(|slot| slot.holds_until(now)).min().flatten();
        let until = if slots.is_empty() || known { Some(now + MAX_KEPT) } else { held };
        let report = self.latched(group, self.reading(&slots));
        Snapshot { report, generation, until: until.map(|until| until.min(now + MAX_KEPT)) }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.inner.generation.load(Ordering::Acquire)
    }

    /// Startup checks have to pass once.
    pub(super) fn latched(&self, group: Group, mut report: Report) -> Report {
        let is_over = report.started && !report.starting;
        if group == Group::Startup && !is_over && report.status < Status::Unhealthy {
            self.release();
            (report.started, report.starting) = (true, false);
        }
        report
    }

    /// A report for who sends traffic. Once draining, the answer is known, and what the checks would look at
    /// may be closing: none is run.
    pub(crate) async fn traffic_report(&self, wanted: impl Fn(&Slot) -> bool) -> Report {
        let slots = self.select(wanted);
        if !self.is_draining() {
            self.refresh(&slots).await;
        }
        self.reading(&slots)
    }
}

async fn settled(pending: Vec<Pending>) {
    for result in pending {
        result.settled().await;
    }
}
