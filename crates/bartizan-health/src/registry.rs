//! The registry: the checks, what they last said, and whether the service is started or draining.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::{runtime::Handle, sync::watch};

use crate::{
    Change, Check, CheckOptions, Endpoints, Group, HealthEndpoint, HealthError, HealthLayer, Module,
    Redactor, RegistryBuilder, Report, change::Listeners, meter, options::validate, slot::Slot,
};

mod refresh;
pub(crate) use self::refresh::Snapshot;
#[cfg(feature = "tonic")]
mod watched;

/// The checks of a service and what they last said. A clone is a handle to the same registry.
///
/// Checks run when somebody asks, or in the background at their [`interval`](CheckOptions::interval): all at
/// once, each in a task of its own and with its own timeout. Their results answer everybody who asks within their [`ttl`](CheckOptions::ttl); while a run is under way no
/// second one starts. Nobody waits longer than the registry's
/// [`answer_within`](RegistryBuilder::answer_within) (60 ms): who asks then gets the last known results, and
/// `Timeout` for a check that never had one. A run that nobody waits for any more goes on, and its result
/// serves the next who asks.
///
/// ```
/// use bartizan_health::{Group, Health, Registry, Status};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bartizan_health::HealthError> {
/// let registry = Registry::new();
/// registry.register("database", || async { Ok::<_, std::io::Error>(()) })?;
/// registry.module("billing").register(|| async { Health::healthy() })?;
///
/// assert_eq!(registry.report(Group::Readiness).await.status, Status::Healthy);
/// assert!(registry.unregister("module:billing"));
/// # Ok(())
/// # }
/// ```
///
/// # Limits
///
/// At most [`max_checks`](RegistryBuilder::max_checks) checks (256). A check that owns a clone of the
/// registry that it is registered in is never freed.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    slots: RwLock<Arc<[Arc<Slot>]>>,
    pub(crate) max_checks: usize,
    pub(crate) answer_within: Duration,
    pub(crate) redactor: Arc<dyn Redactor>,
    pub(crate) listeners: Listeners,
    /// Marks that a status changed, a check came or went, or the draining began.
    pub(crate) news: watch::Sender<()>,
    /// Counts up whenever a report may say something else than before.
    pub(crate) generation: AtomicU64,
    pub(crate) described: AtomicBool,
    draining: AtomicBool,
    started: AtomicBool,
    /// Between the beginning of a start and its success.
    starting: AtomicBool,
}

impl Inner {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Checks came or went, or the service drains.
    fn tell(&self) {
        self.generation.fetch_add(1, Ordering::Release);
        self.news.send_replace(());
    }
}

impl Drop for Inner {
    /// The tasks that run checks at their interval end, rather than sleep to the end of it.
    fn drop(&mut self) {
        let slots = self.slots.get_mut().unwrap_or_else(PoisonError::into_inner);
        slots.iter().for_each(|slot| slot.remove());
    }
}

impl Registry {
    /// An empty registry with the defaults.
    #[must_use]
    pub fn new() -> Self {
        RegistryBuilder::default().empty()
    }

    /// A registry with other limits, a redactor, or checks from the start.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    pub(crate) fn with(max_checks: usize, answer_within: Duration, redactor: Arc<dyn Redactor>) -> Self {
        let inner = Inner {
            slots: RwLock::default(),
            max_checks,
            answer_within,
            redactor,
            listeners: Listeners::default(),
            news: watch::Sender::default(),
            generation: AtomicU64::new(0),
            described: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            started: AtomicBool::new(false),
            starting: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Adds a check with the default [`CheckOptions`].
    ///
    /// # Errors
    ///
    /// As [`register_with`](Self::register_with).
    pub fn register(&self, name: impl Into<String>, check: impl Check) -> Result<(), HealthError> {
        self.register_with(name, check, CheckOptions::new())
    }

    /// Adds a check. It runs for the first time when somebody asks, but at once if it has an
    /// [`interval`](CheckOptions::interval) and there is a tokio runtime.
    ///
    /// # Errors
    ///
    /// The name is empty, longer than 128 bytes, has control characters or is taken; a duration or threshold is
    /// zero; a dependency is part of liveness; or the registry is full.
    ///
    /// # Panics
    ///
    /// Within a tokio runtime that has no timer, if the check has an interval.
    pub fn register_with(
        &self,
        name: impl Into<String>,
        check: impl Check,
        options: CheckOptions,
    ) -> Result<(), HealthError> {
        let name = name.into();
        validate(&name, &options, check.is_dependency())?;
        let slot = self.add(name, check, options)?;
        if slot.options.interval.is_some() && Handle::try_current().is_ok() {
            self.begin(&[slot], Slot::need);
        }
        Ok(())
    }

    fn add(&self, name: String, check: impl Check, options: CheckOptions) -> Result<Arc<Slot>, HealthError> {
        let mut slots = self.inner.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.iter().any(|slot| *slot.name == name) {
            return Err(HealthError::Duplicate { name });
        }
        if slots.len() >= self.inner.max_checks {
            return Err(HealthError::TooManyChecks { limit: self.inner.max_checks });
        }
        let slot = Arc::new(Slot::new(name.into(), options, Arc::new(check)));
        *slots = slots.iter().cloned().chain([Arc::clone(&slot)]).collect();
        self.inner.tell();
        Ok(slot)
    }

    /// Takes a check out; false if there is none of that name. A run that is under way ends unheard, and the
    /// check's `health_check_status` turns NaN.
    pub fn unregister(&self, name: &str) -> bool {
        self.remove(|other| other == name) > 0
    }

    pub(crate) fn remove(&self, doomed: impl Fn(&str) -> bool) -> usize {
        let removed: Vec<_> = {
            let mut slots = self.inner.slots.write().unwrap_or_else(PoisonError::into_inner);
            let (removed, kept): (Vec<_>, Vec<_>) =
                slots.iter().cloned().partition(|slot| doomed(&slot.name));
            *slots = kept.into();
            removed
        };
        for slot in &removed {
            slot.remove();
            meter::forget(&slot.name);
        }
        self.inner.tell();
        removed.len()
    }

    /// The name space of a module: its check is `module:{code}`.
    pub fn module(&self, code: &str) -> Module {
        Module::new(self.clone(), code)
    }

    /// Calls `listener` at each change of a check's status, its first result included.
    ///
    /// It is called after the result is published, from the task of the run: keep it short, hand longer work
    /// to a channel. Its panic is caught and logged. Listeners live as long as the registry.
    ///
    /// # Errors
    ///
    /// The registry has 64 listeners already.
    pub fn on_change(&self, listener: impl Fn(&Change) + Send + Sync + 'static) -> Result<(), HealthError> {
        self.inner.listeners.add(Arc::new(listener))
    }

    /// Runs the group's checks whose results are older than their ttl, and says how they are.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled, when there is a check to run.
    pub async fn report(&self, group: Group) -> Report {
        let slots = self.members(group);
        self.refresh(&slots).await;
        self.latched(group, self.reading(&slots))
    }

    /// What is known of the group's checks. It runs none and waits for none.
    pub fn last_report(&self, group: Group) -> Report {
        self.reading(&self.members(group))
    }

    /// The name of the group's check of this name.
    pub(crate) fn find(&self, group: Group, name: &str) -> Option<Arc<str>> {
        let slots = self.inner.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.iter().find(|slot| *slot.name == *name && slot.options.is_in(group));
        slot.map(|slot| Arc::clone(&slot.name))
    }

    fn members(&self, group: Group) -> Vec<Arc<Slot>> {
        self.select(|slot| slot.options.is_in(group))
    }

    fn select(&self, wanted: impl Fn(&Slot) -> bool) -> Vec<Arc<Slot>> {
        let slots = Arc::clone(&self.inner.slots.read().unwrap_or_else(PoisonError::into_inner));
        slots.iter().filter(|slot| wanted(slot)).cloned().collect()
    }

    fn reading(&self, slots: &[Arc<Slot>]) -> Report {
        let now = SystemTime::now();
        let checks = slots.iter().map(|slot| slot.reading(now)).collect();
        let starting = self.inner.starting.load(Ordering::Acquire);
        Report { starting, ..Report::new(now, self.is_draining(), self.is_started(), checks) }
    }

    /// The default [`Endpoints`] as a layer.
    pub fn layer(&self) -> HealthLayer {
        HealthLayer::new(self.clone())
    }

    /// The default [`Endpoints`] as a service of their own, for a management port.
    pub fn service(&self) -> HealthEndpoint {
        Endpoints::new(self.clone()).service()
    }

    pub(crate) fn redactor(&self) -> &dyn Redactor {
        &*self.inner.redactor
    }

    /// Begins the shutdown: readiness is 503 from now on, liveness stays 200; over gRPC NOT_SERVING and
    /// SERVING, and the open watches end. There is no way back.
    ///
    /// Call it first, go on serving while load balancers take note (5 to 10 s on Kubernetes), then stop.
    ///
    /// ```
    /// let registry = bartizan_health::Registry::new();
    /// registry.drain();
    /// assert!(registry.is_draining());
    /// ```
    pub fn drain(&self) {
        if !self.inner.draining.swap(true, Ordering::AcqRel) {
            self.inner.tell();
            tracing::info!("draining: readiness is 503 from now on");
        }
    }

    /// Waits until the service is draining: the moment for what stays open long to come to an end.
    ///
    /// ```
    /// # async fn next_event() -> u32 { 7 }
    /// # async fn events(registry: bartizan_health::Registry) {
    /// loop {
    ///     tokio::select! {
    ///         event = next_event() => println!("{event}"),
    ///         () = registry.draining() => break, // the client connects again, elsewhere
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// It borrows nothing: a stream of server-sent events ends by `.take_until(registry.draining())` of the `futures-util` crate.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + use<> {
        let inner = Arc::clone(&self.inner);
        async move {
            let mut news = inner.news.subscribe();
            while !inner.is_draining() && news.changed().await.is_ok() {}
        }
    }

    /// Whether it is between the beginning of a start and its success.
    pub(crate) fn is_starting(&self) -> bool {
        self.inner.starting.load(Ordering::Acquire)
    }

    /// Not ready from now on, until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        self.inner.starting.store(true, Ordering::Release);
        self.inner.tell();
    }

    /// The startup checks have passed.
    pub(crate) fn release(&self) {
        let was_started = self.inner.started.swap(true, Ordering::AcqRel);
        if self.inner.starting.swap(false, Ordering::AcqRel) || !was_started {
            self.inner.tell();
        }
    }

    /// Whether [`drain`](Self::drain) was called.
    pub fn is_draining(&self) -> bool {
        self.inner.is_draining()
    }

    /// Whether a report of [`Group::Startup`] was not unhealthy once. It stays so.
    pub fn is_started(&self) -> bool {
        self.inner.started.load(Ordering::Acquire)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.members(Group::All);
        f.debug_struct("Registry")
            .field("checks", &slots.iter().map(|slot| &*slot.name).collect::<Vec<_>>())
            .field("draining", &self.is_draining())
            .field("started", &self.is_started())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
