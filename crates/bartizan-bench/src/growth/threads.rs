//! Whether two threads do twice the work of one.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use http::request::Parts;
use tokio::runtime::Builder;

use crate::subject;

/// Prints how many requests a second so many threads get through together, each with a runtime of its own.
pub(crate) fn run(router: &Router, threads: usize, heads: &[Parts]) {
    let (start, stop) = (Barrier::new(threads + 1), AtomicBool::new(false));
    thread::scope(|scope| {
        let work = || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let router = router.clone();
            let mut requests = 0;
            runtime.block_on(subject::send(&router, heads, 10_000));
            start.wait();
            while !stop.load(Ordering::Relaxed) {
                runtime.block_on(subject::send(&router, heads, 100));
                requests += 100;
            }
            requests
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        start.wait();
        let begun = Instant::now();
        thread::sleep(Duration::from_secs(2));
        stop.store(true, Ordering::Relaxed);
        let elapsed = begun.elapsed();
        let requests: u32 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
        println!("{:.0}", f64::from(requests) / elapsed.as_secs_f64());
    });
}
