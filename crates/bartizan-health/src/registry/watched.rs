//! What a face needs that tells of changes by itself.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::Registry;
use crate::{
    Report,
    slot::{Slot, after},
};

impl Registry {
    pub(crate) fn last_report_of(&self, wanted: impl Fn(&Slot) -> bool) -> Report {
        self.reading(&self.select(wanted))
    }

    /// Changes when a check's status does, when a check comes or goes, and when the draining begins.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.inner.news.subscribe()
    }

    /// Runs the checks that are due, waits for those that are running, and says when to come again; none if
    /// there is no check. A check is due at its ttl, but not before `pause` has passed since its last run.
    pub(crate) async fn keep_fresh(&self, pause: Duration) -> Option<Instant> {
        let now = Instant::now();
        let (due, resting): (Vec<_>, Vec<_>) =
            self.select(|_| true).into_iter().partition(|slot| slot.due(pause, now) <= now);
        self.refresh(&due).await;
        let now = Instant::now();
        // What hangs has been waited for: once a pause is enough.
        let again = due
            .iter()
            .map(|slot| slot.due(pause, now))
            .map(|due| if due <= now { after(now, pause, now) } else { due });
        resting.iter().map(|slot| slot.due(pause, now)).chain(again).min()
    }
}
