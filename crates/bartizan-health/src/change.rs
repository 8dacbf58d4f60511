//! Changes of a check's status: logged, and told to listeners.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use crate::{HealthError, MAX_LISTENERS, Status};

/// A check's status changed; what [`Registry::on_change`](crate::Registry::on_change) tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The check.
    pub name: Arc<str>,
    /// Its status before; none for its first result.
    pub from: Option<Status>,
    /// Its status now.
    pub to: Status,
    /// Its message now, redacted.
    pub message: Option<Arc<str>>,
    /// When the run ended.
    pub at: SystemTime,
}

/// Worse is WARN, better is INFO; a check that starts out healthy is no news.
pub(crate) fn log(change: &Change) {
    let check = &*change.name;
    let (from, to) = (change.from.map(Status::as_str), change.to.as_str());
    let reason = change.message.as_deref();
    if change.to > change.from.unwrap_or(Status::Healthy) {
        tracing::warn!(check, from, to, reason, "health check got worse");
    } else if change.from.is_some() {
        tracing::info!(check, from, to, reason, "health check got better");
    }
}

type Listener = Arc<dyn Fn(&Change) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<Listener>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Listener) -> Result<(), HealthError> {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= MAX_LISTENERS {
            return Err(HealthError::TooManyListeners);
        }
        list.push(listener);
        Ok(())
    }

    /// The list is copied first, so that a listener may add another.
    pub(crate) fn tell(&self, change: &Change) {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in list {
            if catch_unwind(AssertUnwindSafe(|| listener(change))).is_err() {
                tracing::error!(check = &*change.name, "a listener of health changes panicked");
            }
        }
    }
}
