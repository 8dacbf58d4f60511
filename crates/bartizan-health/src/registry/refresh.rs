//! Running checks: for those who ask, and for those who watch.

use std::sync::Arc;

use tokio::time::timeout;

use super::Registry;
use crate::{
    Group, Report,
    run::{Kept, Lease, keep, run},
    slot::{Need, Pending, Slot},
};

impl Registry {
    /// Runs those whose results are older than their ttl, and waits for them as long as an answer may take.
    pub(super) async fn refresh(&self, slots: &[Arc<Slot>]) {
        let pending = self.begin(slots);
        if !pending.is_empty() {
            let all = async {
                for result in pending {
                    result.settled().await;
                }
            };
            // Too late is no failure: the reading then is the last known one.
            let _ = timeout(self.inner.answer_within, all).await;
        }
    }

    /// Starts what is due and nobody has started, and says what there is to wait for.
    pub(super) fn begin(&self, slots: &[Arc<Slot>]) -> Vec<Pending> {
        let mut pending = Vec::new();
        for slot in slots {
            // What runs in the background has run enough when the service drains.
            if slot.options.interval.is_some() && self.is_draining() {
                continue;
            }
            match slot.need() {
                Need::Nothing => {}
                Need::Wait(result) => pending.push(result),
                Need::Start(result) => {
                    let (lease, inner) = (Lease::new(Arc::clone(slot)), &self.inner);
                    match slot.options.interval {
                        Some(_) => tokio::spawn(keep(Kept(Arc::clone(slot)), lease, Arc::downgrade(inner))),
                        None => tokio::spawn(run(lease, Arc::clone(inner))),
                    };
                    pending.push(result);
                }
            }
        }
        pending
    }

    /// The report that decides whether the process lives.
    pub(crate) async fn liveness(&self) -> Report {
        self.traffic_report(|slot| slot.options.is_in(Group::Liveness)).await
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
