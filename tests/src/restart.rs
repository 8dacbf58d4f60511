//! Rolling restarts of real processes under load: who sends what, how it is balanced, and what went wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

mod clients;
mod fleet;
mod proxy;

pub use clients::{Http1, Http2, was_not_processed};
pub use fleet::{Fleet, Instances};
pub use proxy::{http_proxy, service};

/// Somebody who sends requests, one after the other.
pub trait Client: Send + 'static {
    /// Sends a request, or some at once, and reads the answers to their ends: how many there were. `Err` says what was wrong: then a
    /// request is lost.
    fn request(&mut self) -> impl Future<Output = Result<u64, String>> + Send;
}

/// What clients count.
#[derive(Debug, Default)]
pub struct Tally {
    stopped: AtomicBool,
    kinds: Mutex<BTreeMap<&'static str, Arc<AtomicU64>>>,
    failures: Mutex<Vec<String>>,
}

/// A constant load: clients that never stop sending.
#[derive(Debug, Default)]
pub struct Load {
    tally: Arc<Tally>,
    clients: JoinSet<()>,
    began: Option<Instant>,
}

impl Load {
    /// Adds so many clients of a kind.
    pub fn add<C: Client>(&mut self, kind: &'static str, count: usize, make: impl Fn() -> C) {
        self.began.get_or_insert_with(Instant::now);
        let answered = Arc::clone(self.tally.kinds.lock().unwrap().entry(kind).or_default());
        for _ in 0..count {
            let (mut client, tally, answered) = (make(), Arc::clone(&self.tally), Arc::clone(&answered));
            self.clients.spawn(async move {
                while !tally.stopped.load(Ordering::Relaxed) {
                    match client.request().await {
                        Ok(count) => _ = answered.fetch_add(count, Ordering::Relaxed),
                        Err(error) => tally.failures.lock().unwrap().push(format!("{kind}: {error}")),
                    }
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..6))).await;
                }
            });
        }
    }

    /// Ends the load: each kind of client must have had an answer to every request, and many answers.
    pub async fn finish(mut self) {
        self.tally.stopped.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        let took = self.began.map(|began| began.elapsed()).unwrap_or_default();
        let failures = self.tally.failures.lock().unwrap();
        let kinds = self.tally.kinds.lock().unwrap();
        for (kind, answered) in &*kinds {
            let answered = answered.load(Ordering::Relaxed);
            println!("{kind}: {answered} requests answered in {took:.1?}");
            assert!(answered as f64 > 50.0 * took.as_secs_f64(), "that is no load");
        }
        let some = &failures[..failures.len().min(20)];
        assert!(failures.is_empty(), "{} requests failed: {some:#?}", failures.len());
    }
}
