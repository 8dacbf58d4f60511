//! An observer that remembers how exchanges ended.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bartizan_core::{Context, Ending, Exchange, Observer, Record};
use http::Request;

/// What a [`Witness`] saw of an exchange.
#[derive(Debug, Clone)]
pub struct Seen {
    /// How it ended.
    pub ending: Ending,
    /// Its route.
    pub route: String,
    /// How many chunks there were.
    pub chunks: usize,
    /// Whether its record was current at the end.
    pub in_context: bool,
}

/// An observer that remembers how exchanges ended. Clones share what they saw.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<(Mutex<Log>, Condvar)>);

#[derive(Debug, Default)]
struct Log {
    begun: usize,
    seen: Vec<Seen>,
}

impl Witness {
    /// Everything that has ended so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.0.0.lock().unwrap().seen.clone()
    }

    /// How many exchanges have begun and not ended.
    pub fn in_flight(&self) -> usize {
        let log = self.0.0.lock().unwrap();
        log.begun - log.seen.len()
    }

    /// The only exchange that has ended.
    pub fn sole(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "exactly one exchange ended: {seen:?}");
        assert_eq!(self.in_flight(), 0);
        seen.into_iter().next().unwrap()
    }

    /// Waits until `count` exchanges have ended, ten seconds at most: for ends that another task brings about.
    pub async fn wait_for(&self, count: usize) -> Vec<Seen> {
        let witness = self.clone();
        let wait = move || {
            let (log, ended) = &*witness.0;
            let guard = log.lock().unwrap();
            let enough =
                ended.wait_timeout_while(guard, Duration::from_secs(10), |log| log.seen.len() < count);
            enough.unwrap().0.seen.clone()
        };
        let seen = tokio::task::spawn_blocking(wait).await.unwrap();
        assert_eq!(seen.len(), count, "{seen:?}");
        seen
    }
}

/// One exchange being witnessed.
#[derive(Debug)]
pub struct Witnessing {
    witness: Witness,
    chunks: usize,
}

impl Observer for Witness {
    type Exchange = Witnessing;

    fn begin<B>(&self, _: &mut Request<B>, _: &Record) -> Witnessing {
        self.0.0.lock().unwrap().begun += 1;
        Witnessing { witness: self.clone(), chunks: 0 }
    }
}

impl Exchange for Witnessing {
    fn chunk(&mut self, _: usize, _: &Record) {
        self.chunks += 1;
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        let in_context = Context::current().record().is_some();
        let route = record.route().to_owned();
        let (log, ended) = &*self.witness.0;
        log.lock().unwrap().seen.push(Seen {
            ending: ending.clone(),
            route,
            chunks: self.chunks,
            in_context,
        });
        ended.notify_all();
    }
}
