//! One run of one check: its task, its timeout, its result.

use std::{
    io,
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tokio::{
    task::JoinError,
    time::{Instant, timeout},
};

use crate::{
    Change, Health, Redactor, Status, change, jitter, meter,
    registry::Inner,
    slot::{Outcome, Slot, TIMEOUT},
};

/// In characters; what is longer ends in `…`.
const MAX_MESSAGE: usize = 256;
/// In bytes of JSON.
const MAX_DETAILS: usize = 8 * 1024;
const DETAILS_TOO_LARGE: &str = "details left out: more than 8 KiB";

/// Runs the check to its end, however long that takes, and publishes one result.
///
/// The check has a task of its own, so that neither its panic nor its blocking reaches this one.
pub(crate) async fn run(mut lease: Lease, inner: Arc<Inner>) {
    let slot = Arc::clone(&lease.slot);
    let started = Instant::now();
    let (check, redactor) = (Arc::clone(&slot.check), Arc::clone(&inner.redactor));
    // Redacting inside the task: if it panics, the text is not shown.
    let mut task = tokio::spawn(async move { Finding::new(check.run().await, &*redactor) });
    if let Ok(result) = timeout(slot.options.timeout, &mut task).await {
        let Some(finding) = finding(result) else { return };
        lease.held = false;
        publish(&slot, &inner, finding, started.elapsed(), false);
    } else {
        publish(&slot, &inner, Finding::unhealthy(TIMEOUT), started.elapsed(), true);
        if slot.options.cancel_on_timeout || slot.check.is_cancel_safe() {
            task.abort();
        }
        let _ = task.await;
    }
}

/// Runs the check now and at its interval, until it is removed, the registry is gone, or the service drains.
pub(crate) async fn keep(kept: Kept, mut lease: Lease, inner: Weak<Inner>) {
    let slot = &kept.0;
    let Some(interval) = slot.options.interval else { return };
    let mut pause = jitter::first(interval);
    while let Some(registry) = inner.upgrade().filter(|registry| !registry.is_draining()) {
        run(lease, registry).await;
        if timeout(pause, slot.removed()).await.is_ok() || !slot.again() {
            return;
        }
        lease = Lease::new(Arc::clone(slot));
        pause = jitter::later(interval);
    }
}

/// Tells on every way out that the check is kept no more, so that the next report sees to it.
pub(crate) struct Kept(pub(crate) Arc<Slot>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The right to run the check. Gives the slot free on every way out, also when the runtime drops the task,
/// even before its first poll.
pub(crate) struct Lease {
    slot: Arc<Slot>,
    held: bool,
}

impl Lease {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot, held: true }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.held {
            self.slot.release();
        }
    }
}

/// A [`Health`] that is fit to be kept and shown.
struct Finding {
    status: Status,
    message: Option<Arc<str>>,
    details: Option<Arc<Value>>,
}

impl Finding {
    fn new(health: Health, redactor: &dyn Redactor) -> Self {
        let message = health.message.map(|text| bounded(&redactor.text(&text)));
        let details = health.details.map(|mut details| {
            redactor.details(&mut details);
            Arc::new(if fits(&details) { details } else { DETAILS_TOO_LARGE.into() })
        });
        Self { status: health.status, message, details }
    }

    fn unhealthy(message: &str) -> Self {
        Self { status: Status::Unhealthy, message: Some(message.into()), details: None }
    }
}

/// None when the runtime is going down, which says nothing about the check.
fn finding(result: Result<Finding, JoinError>) -> Option<Finding> {
    match result {
        Ok(finding) => Some(finding),
        Err(error) if error.is_panic() => Some(Finding::unhealthy("check panicked")),
        Err(_) => None,
    }
}

fn publish(slot: &Slot, inner: &Inner, finding: Finding, latency: Duration, overdue: bool) {
    let Finding { status, message, details } = finding;
    let checked_at = SystemTime::now();
    let outcome =
        Outcome { status, message: message.clone(), details, latency, checked_at, finished: Instant::now() };
    let published = slot.publish(outcome, overdue);
    if published.removed {
        return;
    }
    inner.generation.fetch_add(1, Ordering::Release);
    let status = published.now;
    if !inner.described.swap(true, Ordering::Relaxed) {
        meter::describe();
    }
    meter::record(&slot.name, status, latency);
    if published.before != Some(status) {
        let change = Change {
            name: Arc::clone(&slot.name),
            from: published.before,
            to: status,
            message,
            at: checked_at,
        };
        inner.news.send_replace(());
        change::log(&change);
        inner.listeners.tell(&change);
    }
}

/// Cut by characters, control characters as spaces: one line in every log.
fn bounded(text: &str) -> Arc<str> {
    let keep = if text.chars().nth(MAX_MESSAGE).is_some() { MAX_MESSAGE - 1 } else { MAX_MESSAGE };
    let cut = (keep < MAX_MESSAGE).then_some('…');
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(keep).chain(cut).collect::<String>().into()
}

fn fits(details: &Value) -> bool {
    serde_json::to_writer(Budget(MAX_DETAILS), details).is_ok()
}

/// A sink that fails when its bytes are used up, so that a huge value is not written out to be measured.
struct Budget(usize);

impl io::Write for Budget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(left) => self.0 = left,
            None => return Err(io::ErrorKind::WriteZero.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
