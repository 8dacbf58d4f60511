//! One collector: its run, and what its last runs left.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::{Gauge, Key, Label, Level, Metadata, Recorder, Unit};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::leaves::Leaves;
use crate::store::Store;

/// Largest JSON of one collector, in bytes.
const MAX_JSON: usize = 256 * 1024;

const UP: &str = "bartizan_business_collector_up";
const DURATION: &str = "bartizan_business_collector_duration_seconds";
const META: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

type Collect = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>> + Send + Sync>;

/// Why a collector has no object to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It returned an error, which said this.
    Failed(String),
    Timeout,
    Panicked,
    NotAnObject,
    TooLarge,
}

impl Failure {
    /// As it stands in the document.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Timeout => "timeout",
            Self::Panicked => "panicked",
            Self::NotAnObject => "not_an_object",
            Self::TooLarge => "too_large",
        }
    }
}

pub(super) struct Slot {
    name: String,
    collect: Collect,
    /// Whether a run is under way; a late one may be, long after it was given up.
    busy: AtomicBool,
    told: Mutex<Told>,
}

/// What is told of the runs.
struct Told {
    up: Gauge,
    duration: Gauge,
    leaves: Leaves,
    failing: bool,
}

impl Slot {
    pub(super) fn new<F, R, T, E>(name: String, collect: F, store: Option<&Store>) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: fmt::Display,
    {
        let collect: Collect = Box::new(move || {
            let collected = collect();
            Box::pin(async move { object(collected.await) })
        });
        let gauge = |metric: &'static str, unit, help: &'static str| {
            let Some(store) = store else { return Gauge::noop() };
            store.describe_gauge(metric.into(), unit, help.into());
            let labels = vec![Label::new("collector", name.clone())];
            store.register_gauge(&Key::from_parts(metric, labels), &META)
        };
        let told = Told {
            up: gauge(UP, None, "Whether the collector's last run succeeded."),
            duration: gauge(DURATION, Some(Unit::Seconds), "How long the collector's last run took."),
            leaves: Leaves::new(&name, store),
            failing: false,
        };
        Self { name, collect, busy: AtomicBool::new(false), told: Mutex::new(told) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One run, which never takes much longer than the timeout.
    pub(super) async fn run(self: Arc<Self>, timeout: Duration) -> Result<Value, Failure> {
        let began = Instant::now();
        let result = if self.busy.swap(true, Ordering::AcqRel) {
            Err(Failure::Timeout)
        } else {
            let busy = Busy(Arc::clone(&self));
            // In a task of its own: a panic ends it alone, and so does a collector that blocks its thread.
            let mut task = tokio::spawn(async move {
                let Busy(slot) = &busy;
                (slot.collect)().await
            });
            if let Ok(done) = tokio::time::timeout(timeout, &mut task).await {
                done.unwrap_or(Err(Failure::Panicked))
            } else {
                task.abort();
                Err(Failure::Timeout)
            }
        };
        self.tell(&result, began.elapsed());
        result
    }

    fn tell(&self, result: &Result<Value, Failure>, took: Duration) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.up.set(if result.is_ok() { 1.0 } else { 0.0 });
        told.duration.set(took.as_secs_f64());
        told.leaves.show(result.as_ref().ok());
        let collector = &*self.name;
        match result {
            Err(failure) if !told.failing => {
                let error = if let Failure::Failed(text) = failure { Some(&**text) } else { None };
                let reason = failure.as_str();
                tracing::warn!(target: "bartizan", collector, reason, error, "business collector fails");
            }
            Ok(_) if told.failing => {
                tracing::info!(target: "bartizan", collector, "business collector works again");
            }
            _ => {}
        }
        told.failing = result.is_err();
    }
}

/// Marks the run as over when the task is dropped, however it ends.
struct Busy(Arc<Slot>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Release);
    }
}

/// The object that a collector returned.
fn object<T: Serialize, E: fmt::Display>(result: Result<T, E>) -> Result<Value, Failure> {
    let value = result.map_err(|error| Failure::Failed(error.to_string()))?;
    let value = serde_json::to_value(value).map_err(|error| Failure::Failed(error.to_string()))?;
    if !value.is_object() {
        return Err(Failure::NotAnObject);
    }
    let length = serde_json::to_vec(&value).map_or(usize::MAX, |json| json.len());
    if length > MAX_JSON { Err(Failure::TooLarge) } else { Ok(value) }
}
