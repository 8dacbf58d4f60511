//! Running checks: for those who ask, and for those who watch.

use std::sync::Arc;

use tokio::time::timeout;

use super::Registry;
use crate::{
    Group, Report,
    run::{Lease, run},
    slot::{Need, Pending, Slot},
};

impl Registry {
    /// Runs those whose results are older than their ttl, and waits for them as long as an answer may take.
    pub(super) async fn refresh(&self, slots: &[Arc<Slot>]) {
        let pending = self.begin(slots, Slot::need);
        if !pending.is_empty() {
            // Too late is no failure: the reading then is the last known one.
            let _ = timeout(self.inner.answer_within, settled(pending)).await;
        }
    }

    /// Runs the group's checks however fresh their results are, and waits for each up to its timeout.
    pub(crate) async fn run_now(&self, group: Group) {
        settled(self.begin(&self.members(group), Slot::need_anew)).await;
    }

    fn begin(&self, slots: &[Arc<Slot>], need: impl Fn(&Slot) -> Need) -> Vec<Pending> {
        let mut pending = Vec::new();
        for slot in slots {
            match need(slot) {
                Need::Nothing => {}
                Need::Wait(result) => pending.push(result),
                Need::Start(result) => {
                    tokio::spawn(run(Lease::new(Arc::clone(slot)), Arc::clone(&self.inner)));
                    pending.push(result);
                }
            }
        }
        pending
    }

    /// The report that decides whether traffic may come.
    pub(crate) async fn readiness(&self) -> Report {
        self.traffic_report(|slot| slot.options.is_in(Group::Readiness)).await
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
