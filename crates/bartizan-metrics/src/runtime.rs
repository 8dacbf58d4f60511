//! How busy the tokio runtime is (feature `runtime`), from what a stable tokio tells.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeMetrics};

use crate::store::{ExternalError, Store};

type Read = fn(&RuntimeMetrics) -> f64;

const GAUGES: [(&str, &str, Read); 3] = [
    ("tokio_workers", "Threads that run tasks.", |m| m.num_workers() as f64),
    ("tokio_alive_tasks", "Tasks that have not ended.", |m| m.num_alive_tasks() as f64),
    ("tokio_global_queue_depth", "Tasks that wait in the runtime's global queue.", |m| {
        m.global_queue_depth() as f64
    }),
];

/// A runtime, once it is known.
#[derive(Clone, Default)]
struct Runtime(Arc<OnceLock<RuntimeMetrics>>);

impl Store {
    /// Shows how busy a tokio runtime is: the given one, or the one in which the first page is written.
    ///
    /// | metric | kind | what |
    /// |---|---|---|
    /// | `tokio_workers`, `tokio_alive_tasks`, `tokio_global_queue_depth` | gauge | as they are when the page is written |
    /// | `tokio_workers_busy_seconds_total` | counter | time that all workers together had something to do |
    /// | `tokio_workers_busy_ratio` | gauge | the same by worker, since the scrape before, 0 to 1; `rate` over the counter is better |
    ///
    /// The ratio is 0 until there is a second to speak of: since this was called, or since the first page where no runtime was given.
    ///
    /// Nothing of `tokio_unstable` is needed, so there is nothing on the queues of the workers and on the blocking pool. Call it once.
    ///
    /// # Errors
    ///
    /// [`ExternalError`] if one of the names is taken.
    ///
    /// ```
    /// use bartizan_metrics::Store;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), bartizan_metrics::ExternalError> {
    /// let store = Store::new();
    /// store.runtime_metrics(Some(tokio::runtime::Handle::current()))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn runtime_metrics(&self, handle: Option<Handle>) -> Result<(), ExternalError> {
        let runtime = Runtime::default();
        if let Some(handle) = handle {
            let _ = runtime.0.set(handle.metrics());
        }
        for (name, help, read) in GAUGES {
            let runtime = runtime.clone();
            self.external_gauge(name, help, move || runtime.read(read))?;
        }
        #[cfg(target_has_atomic = "64")]
        {
            let busy = runtime.clone();
            let help = "Time that workers had something to do.";
            self.external_seconds("tokio_workers_busy_seconds_total", help, move || busy.read(busy_seconds))?;
            let ratio = Ratio { runtime: runtime.clone(), last: Mutex::default() };
            if runtime.0.get().is_some() {
                // The first interval begins now.
                ratio.read();
            }
            let help = "Part of their time that workers had something to do, since the scrape before.";
            self.external_gauge("tokio_workers_busy_ratio", help, move || ratio.read())?;
        }
        Ok(())
    }
}

impl Runtime {
    fn metrics(&self) -> Option<&RuntimeMetrics> {
        if self.0.get().is_none()
            && let Ok(handle) = Handle::try_current()
        {
            let _ = self.0.set(handle.metrics());
        }
        self.0.get()
    }

    fn read(&self, read: Read) -> f64 {
        self.metrics().map_or(f64::NAN, read)
    }
}

#[cfg(target_has_atomic = "64")]
fn busy_seconds(metrics: &RuntimeMetrics) -> f64 {
    (0..metrics.num_workers())
        .map(|worker| metrics.worker_total_busy_duration(worker))
        .sum::<Duration>()
        .as_secs_f64()
}

/// The busy part of the time between two scrapes that are at least a second apart.
#[cfg(target_has_atomic = "64")]
struct Ratio {
    runtime: Runtime,
    last: Mutex<Option<(Instant, f64, f64)>>,
}

#[cfg(target_has_atomic = "64")]
impl Ratio {
    fn read(&self) -> f64 {
        self.runtime.metrics().map_or(0.0, |metrics| self.read_at(Instant::now(), metrics))
    }

    fn read_at(&self, now: Instant, metrics: &RuntimeMetrics) -> f64 {
        let busy = busy_seconds(metrics);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, before, ratio) = *last.get_or_insert((now, busy, 0.0));
        let passed = now.saturating_duration_since(since);
        if passed < Duration::from_secs(1) {
            return ratio;
        }
        let all = passed.as_secs_f64() * metrics.num_workers() as f64;
        let ratio = if all > 0.0 { ((busy - before) / all).clamp(0.0, 1.0) } else { 0.0 };
        *last = Some((now, busy, ratio));
        ratio
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn page(store: &Store) -> String {
        let mut page = Vec::new();
        store.render(Format::Text004, &mut page);
        String::from_utf8(page).unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn workers_tasks_and_busy_time_are_told() {
        let store = Store::new();
        store.runtime_metrics(None).unwrap();
        let task = tokio::spawn(std::future::pending::<()>());
        let text = page(&store);
        assert!(text.contains("tokio_workers 3\n"), "{text}");
        assert!(text.contains("tokio_alive_tasks 1\n"), "{text}");
        assert!(text.contains("tokio_global_queue_depth "), "{text}");
        assert!(text.contains("# TYPE tokio_workers_busy_seconds_total counter\n"), "{text}");
        assert!(text.contains("tokio_workers_busy_ratio 0\n"), "{text}");
        task.abort();
    }

    #[test]
    fn the_first_page_tells_how_busy_workers_were_since_the_start() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let start = Instant::now();
        let ratio = Ratio { runtime: Runtime::default(), last: Mutex::default() };
        assert!(ratio.read().abs() < f64::EPSILON, "no runtime is known");
        let metrics = runtime.handle().metrics();
        let at = |seconds| ratio.read_at(start + Duration::from_secs_f64(seconds), &metrics);
        assert!(at(0.0).abs() < f64::EPSILON);
        let (done, is_done) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(20) {}
            let _ = done.send(());
        });
        is_done.recv().unwrap();
        drop(runtime);
        let first = at(2.0);
        assert!((0.005..=1.0).contains(&first), "{first}");
        assert_eq!(at(2.5).to_bits(), first.to_bits(), "less than a second");
        assert!(at(4.0).abs() < f64::EPSILON, "nothing more was done");
    }

    #[test]
    fn without_a_runtime_the_page_is_written_all_the_same() {
        let store = Store::new();
        store.runtime_metrics(None).unwrap();
        assert!(page(&store).contains("tokio_workers NaN\n"));
    }

    #[test]
    fn a_runtime_that_has_ended_is_still_told_of() {
        let store = Store::new();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        store.runtime_metrics(Some(runtime.handle().clone())).unwrap();
        drop(runtime);
        assert!(page(&store).contains("tokio_workers 2\n"));
    }
}
