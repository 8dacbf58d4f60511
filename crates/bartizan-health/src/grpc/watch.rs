//! Watches: one task keeps the statuses, any number of streams tells of them.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep_until},
};
use tonic::{Status, codegen::tokio_stream::Stream};

use super::{
    catalog::{Catalog, Statuses},
    proto::{HealthCheckResponse, health_check_response::ServingStatus},
    service::response,
};

/// None before the checks were looked at for the first time.
type Latest = Option<Arc<Statuses>>;

#[derive(Debug)]
pub(super) struct Watches {
    catalog: Arc<Catalog>,
    refresh: Duration,
    places: Arc<Semaphore>,
    /// The sender is the task's, so that when the task ends, for whatever reason, the streams do too.
    latest: Mutex<Weak<watch::Sender<Latest>>>,
}

impl Watches {
    pub(super) fn new(catalog: Arc<Catalog>, limit: usize, refresh: Duration) -> Self {
        let places = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        Self { catalog, refresh, places, latest: Mutex::default() }
    }

    /// None if there are as many watches as there may be.
    pub(super) fn open(self: &Arc<Self>, service: String) -> Option<WatchStream> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let watcher = Watcher { service, told: None, latest: self.subscribe(), _place: place };
        Some(WatchStream { next: Some(Box::pin(watcher.next())) })
    }

    fn subscribe(self: &Arc<Self>) -> watch::Receiver<Latest> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = latest.upgrade() {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(None);
        let sender = Arc::new(sender);
        *latest = Arc::downgrade(&sender);
        tokio::spawn(Arc::clone(self).keep(sender));
        receiver
    }

    /// Keeps the statuses up to date until nobody watches any more or the service drains.
    async fn keep(self: Arc<Self>, sender: Arc<watch::Sender<Latest>>) {
        let registry = &self.catalog.registry;
        let mut news = registry.news();
        loop {
            news.mark_unchanged();
            let again = tokio::select! {
                biased;
                () = registry.draining() => return self.publish(&sender),
                again = registry.keep_fresh(self.refresh) => again,
            };
            self.publish(&sender);
            tokio::select! {
                _ = news.changed() => {}
                () = until(again) => {}
                () = sender.closed() => if self.forget(&sender) { return },
            }
        }
    }

    fn publish(&self, sender: &watch::Sender<Latest>) {
        let statuses = self.catalog.statuses();
        sender.send_if_modified(|latest| {
            let changed = latest.as_deref() != Some(&statuses);
            if changed {
                *latest = Some(Arc::new(statuses));
            }
            changed
        });
    }

    /// False if somebody has come since: `subscribe` cannot come in between.
    fn forget(&self, sender: &watch::Sender<Latest>) -> bool {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = sender.receiver_count() == 0;
        if alone {
            *latest = Weak::new();
        }
        alone
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// One watch of one service.
struct Watcher {
    service: String,
    told: Option<ServingStatus>,
    latest: watch::Receiver<Latest>,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    /// Waits for a status that was not told yet; none when there will be no more.
    async fn next(mut self) -> Option<(ServingStatus, Self)> {
        loop {
            let latest = self.latest.borrow_and_update().clone();
            if let Some(statuses) = latest {
                let status = statuses.get(&*self.service).copied().unwrap_or(ServingStatus::ServiceUnknown);
                if self.told.replace(status) != Some(status) {
                    return Some((status, self));
                }
            }
            self.latest.changed().await.ok()?;
        }
    }
}

type Next = Pin<Box<dyn Future<Output = Option<(ServingStatus, Watcher)>> + Send>>;

/// What `Watch` sends: the status at once, then each change, and the end when the service drains.
pub struct WatchStream {
    /// None after the end.
    next: Option<Next>,
}

impl Stream for WatchStream {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let told = ready!(next.as_mut().poll(cx));
        let (status, next) = told.map(|(status, watcher)| (status, Box::pin(watcher.next()) as Next)).unzip();
        self.next = next;
        Poll::Ready(status.map(|status| Ok(response(status))))
    }
}

impl fmt::Debug for WatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream").finish_non_exhaustive()
    }
}
