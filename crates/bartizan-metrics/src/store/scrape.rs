//! What is found out when a page is about to be written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::Store;

/// However many scrapes come, nothing is found out more often than this.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// Most things to be found out.
const MAX: usize = 64;

type Collect = Arc<dyn Fn() + Send + Sync>;

/// What runs before a page.
#[derive(Default)]
pub(crate) struct Hooks {
    all: RwLock<Vec<Collect>>,
    last: Mutex<Option<Instant>>,
}

impl Store {
    /// Runs `collect` before a page is written, to bring metrics up to date that nobody tells about: memory, queue lengths.
    ///
    /// It runs on the thread that writes the page, which should be none that serves requests; at most once a second, and
    /// never twice at a time: a page that is written meanwhile shows the values of the moment. A panic is caught. At most 64 can be
    /// added; `false` says that there was no room.
    ///
    /// ```
    /// use bartizan_metrics::{Format, Store};
    ///
    /// let store = Store::new();
    /// let depth = metrics::with_local_recorder(&store, || metrics::gauge!("queue_depth"));
    /// store.at_scrape(move || depth.set(3.0));
    ///
    /// let mut page = Vec::new();
    /// store.render(Format::Text004, &mut page);
    /// assert!(String::from_utf8_lossy(&page).contains("queue_depth 3\n"));
    /// ```
    pub fn at_scrape(&self, collect: impl Fn() + Send + Sync + 'static) -> bool {
        let mut all = self.hooks().all.write().unwrap_or_else(PoisonError::into_inner);
        let fits = all.len() < MAX;
        if fits {
            all.push(Arc::new(collect));
        }
        fits
    }

    /// Brings everything up to date, unless that was just done or is being done.
    pub(crate) fn collect(&self) {
        let hooks = self.hooks();
        let Ok(mut last) = hooks.last.try_lock() else { return };
        if last.is_some_and(|last| last.elapsed() < AT_MOST_EVERY) {
            return;
        }
        let all = hooks.all.read().unwrap_or_else(PoisonError::into_inner).clone();
        for collect in all {
            let _ = catch_unwind(AssertUnwindSafe(|| collect()));
        }
        *last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::Format;

    #[test]
    fn many_scrapes_are_one_collection() {
        let store = Store::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        store.at_scrape(move || {
            counted.fetch_add(1, Relaxed);
        });
        for _ in 0..100 {
            store.render(Format::Text004, &mut Vec::new());
        }
        assert_eq!(runs.load(Relaxed), 1);
    }

    #[test]
    fn a_collection_that_hangs_holds_no_other_page_up() {
        let store = Store::new();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = std::sync::mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        store.at_scrape(move || {
            let _ = begun.send(());
            let _ = wait.lock().unwrap().recv();
        });
        std::thread::scope(|scope| {
            scope.spawn(|| store.render(Format::Text004, &mut Vec::new()));
            has_begun.recv().unwrap();
            // This returns while the other one hangs.
            store.render(Format::Text004, &mut Vec::new());
            go.send(()).unwrap();
        });
    }

    #[test]
    fn a_panic_costs_neither_the_page_nor_the_others() {
        let store = Store::new();
        let gauge = metrics::with_local_recorder(&store, || metrics::gauge!("after"));
        store.at_scrape(|| panic!("no"));
        store.at_scrape(move || gauge.set(1.0));
        let mut page = Vec::new();
        store.render(Format::Text004, &mut page);
        assert!(String::from_utf8(page).unwrap().contains("after 1\n"));
    }

    #[test]
    fn there_is_room_for_so_many() {
        let store = Store::new();
        assert!((0..MAX).all(|_| store.at_scrape(|| ())));
        assert!(!store.at_scrape(|| ()));
    }
}
