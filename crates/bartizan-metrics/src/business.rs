//! Business metrics: numbers that the application finds out when it is asked, as one JSON document and as gauges.
//!
//! ```
//! use bartizan_metrics::{Collectors, Store};
//! use serde_json::{Value, json};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::new();
//! let business = Collectors::new(&store);
//! business.register("orders", || async {
//!     // From a database, say.
//!     Ok::<_, std::io::Error>(json!({ "open": 3, "by_shop": { "north": 2, "south": 1 } }))
//! })?;
//! business.register("stock", || async { Err::<Value, _>("no connection") })?;
//!
//! let document: Value = serde_json::from_slice(&business.document().await)?;
//! assert_eq!(document["metrics"]["orders"]["by_shop"]["north"], 2);
//! assert_eq!(document["errors"]["stock"], "failed");
//!
//! let page = String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec())?;
//! assert!(page.contains("business_orders_by_shop_north 2\n"));
//! # Ok(())
//! # }
//! ```
//!
//! # The document
//!
//! `{"timestamp":"..","metrics":{name: object},"errors":{name: reason}}`. The timestamp is when it was collected. A collector is in one of
//! the two: `failed` returned an error, `timeout` took too long, `panicked`, `not_an_object` or `too_large` returned what cannot be shown. What an
//! error says is logged when a collector begins to fail, and is not in the document, which may be public.
//!
//! # Gauges
//!
//! Every number in an object, at any depth up to 8, is the gauge `business_{name}_{keys joined by _}`; what is no letter or digit becomes
//! `_`. Arrays, texts and booleans are in the document alone. A number that is gone, or whose collector fails, is `NaN`.
//! `bartizan_business_collector_up{collector}` and `bartizan_business_collector_duration_seconds{collector}` tell of the last run.
//! The document takes as long as its slowest collector. A scrape never waits for a collector: it begins a run where the last one is too old, and shows what is there.
//!
//! # Limits
//!
//! All collectors run at once and never twice at a time, however many ask; results are kept for 15 seconds; each has 5 seconds. One that is late
//! is cancelled at its next `await`; until it is gone it is not begun again. There may be 64 collectors, each with 256 KiB of
//! JSON and 100 gauges in the life of the process; numbers without a gauge are counted in `bartizan_business_values_dropped_total`.

mod leaves;
mod slot;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::slot::{Failure, Slot};
use crate::store::Store;

/// Most collectors.
const MAX_COLLECTORS: usize = 64;

/// Longest name of a collector, in bytes.
const MAX_NAME: usize = 64;

/// Why a collector cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// The name cannot be a part of a metric's name.
    #[error("collector {name:?}: give a letter and then letters, digits and _, at most {MAX_NAME} bytes")]
    BadName {
        /// The name, cut if it is very long.
        name: String,
    },
    /// The name is taken.
    #[error("collector {name:?} is registered already: choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// One too many.
    #[error("collector {name:?}: at most {MAX_COLLECTORS} can be registered")]
    TooMany {
        /// The name.
        name: String,
    },
}

/// Named collectors of business metrics. Clones share everything.
///
/// See the [module's documentation](crate::business) for an example.
#[derive(Clone)]
pub struct Collectors(Arc<Inner>);

struct Inner {
    store: Option<Store>,
    timeout: Duration,
    ttl: Duration,
    slots: RwLock<Vec<Arc<Slot>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last document, and when it was collected.
    last: Option<(Bytes, Instant)>,
    /// Tells the document of the run that is under way.
    running: Option<watch::Receiver<Option<Bytes>>>,
}

impl Collectors {
    /// Collectors whose numbers are gauges of this store; five seconds for each, results kept for fifteen.
    pub fn new(store: &Store) -> Self {
        Self::with(Some(store.clone()), Duration::from_secs(5), Duration::from_secs(15))
    }

    /// Collectors without gauges, for when metrics are off.
    pub fn off() -> Self {
        Self::with(None, Duration::from_secs(5), Duration::from_secs(15))
    }

    fn with(store: Option<Store>, timeout: Duration, ttl: Duration) -> Self {
        let (slots, state) = (RwLock::default(), Mutex::default());
        Self(Arc::new(Inner { store, timeout, ttl, slots, state }))
    }

    /// The same settings but for how long a collector may take; no collectors. Default: 5 seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self::with(self.0.store.clone(), timeout, self.0.ttl)
    }

    /// The same settings but for how long results are kept; no collectors. Default: 15 seconds.
    pub fn ttl(self, ttl: Duration) -> Self {
        Self::with(self.0.store.clone(), self.0.timeout, ttl)
    }

    /// Registers a collector: an async function that returns what is a JSON object, such as `json!({..})` or a struct.
    ///
    /// It runs on the runtime of whoever asks first, in a task of its own.
    ///
    /// # Errors
    ///
    /// [`CollectorError`] for a name that is bad or taken, or one collector too many.
    pub fn register<F, R, T, E>(&self, name: &str, collect: F) -> Result<(), CollectorError>
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: fmt::Display,
    {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let good = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain);
        if !good || name.len() > MAX_NAME {
            return Err(CollectorError::BadName { name: name.chars().take(MAX_NAME).collect() });
        }
        let name = name.to_owned();
        let mut slots = self.0.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.iter().any(|slot| slot.name() == name) {
            return Err(CollectorError::Taken { name });
        }
        if slots.len() >= MAX_COLLECTORS {
            return Err(CollectorError::TooMany { name });
        }
        slots.push(Arc::new(Slot::new(name, collect, self.0.store.as_ref())));
        Ok(())
    }

    /// The document as JSON: the last one if it is young enough, else of a run that is under way or is begun. Needs a tokio runtime.
    pub async fn document(&self) -> Bytes {
        loop {
            let mut running = match self.current() {
                Ok(document) => return document,
                Err(running) => running,
            };
            // Fails if the run was lost with its runtime: then another one is begun.
            if let Ok(document) = running.wait_for(Option::is_some).await
                && let Some(document) = &*document
            {
                return document.clone();
            }
        }
    }

    /// Begins a run where the last one is too old, and does not wait for it. Outside of a tokio runtime it does nothing.
    pub fn refresh(&self) {
        let some = !self.0.slots.read().unwrap_or_else(PoisonError::into_inner).is_empty();
        if some && tokio::runtime::Handle::try_current().is_ok() {
            let _ = self.current();
        }
    }

    /// The last document if it is young enough, else who tells the next one.
    fn current(&self) -> Result<Bytes, watch::Receiver<Option<Bytes>>> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((document, at)) = &state.last
            && at.elapsed() < self.0.ttl
        {
            return Ok(document.clone());
        }
        if let Some(running) = &state.running
            && running.has_changed().is_ok()
        {
            return Err(running.clone());
        }
        let (told, running) = watch::channel(None);
        state.running = Some(running.clone());
        // In a task of its own, so that it ends although whoever asked has gone.
        tokio::spawn(self.clone().run(told));
        Err(running)
    }

    async fn run(self, told: watch::Sender<Option<Bytes>>) {
        let slots = self.0.slots.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut runs = JoinSet::new();
        for (index, slot) in slots.iter().enumerate() {
            let (slot, timeout) = (Arc::clone(slot), self.0.timeout);
            runs.spawn(async move { (index, slot.run(timeout).await) });
        }
        let mut results: Vec<_> = slots.iter().map(|_| Err(Failure::Panicked)).collect();
        while let Some(done) = runs.join_next().await {
            if let Ok((index, result)) = done
                && let Some(slot) = results.get_mut(index)
            {
                *slot = result;
            }
        }
        let document = document(&slots, results);
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Some((document.clone(), Instant::now()));
        state.running = None;
        drop(state);
        told.send_replace(Some(document));
    }
}

fn document(slots: &[Arc<Slot>], results: Vec<Result<Value, Failure>>) -> Bytes {
    #[derive(Serialize)]
    struct Document {
        timestamp: String,
        metrics: Map<String, Value>,
        errors: Map<String, Value>,
    }
    let now = OffsetDateTime::now_utc();
    let now = now.replace_millisecond(now.millisecond()).unwrap_or(now);
    let mut document = Document {
        timestamp: now.format(&Rfc3339).unwrap_or_default(),
        metrics: Map::new(),
        errors: Map::new(),
    };
    for (slot, result) in slots.iter().zip(results) {
        match result {
            Ok(value) => document.metrics.insert(slot.name().to_owned(), value),
            Err(failure) => document.errors.insert(slot.name().to_owned(), failure.as_str().into()),
        };
    }
    // Maps of values are always JSON; an empty object is still one.
    serde_json::to_vec(&document).map_or(Bytes::from_static(b"{}"), Bytes::from)
}

impl fmt::Debug for Collectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.0.slots.read().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = slots.iter().map(|slot| slot.name()).collect();
        f.debug_struct("Collectors")
            .field("collectors", &names)
            .field("timeout", &self.0.timeout)
            .field("ttl", &self.0.ttl)
            .finish_non_exhaustive()
    }
}
