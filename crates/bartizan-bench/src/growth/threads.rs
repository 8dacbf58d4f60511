//! Whether two threads get in each other's way: a write that they share makes every request of both dearer.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use http::request::Parts;
use tokio::runtime::Builder;

use crate::subject;

/// Prints the nanoseconds of processor time of a request on so many threads, each with a runtime of its own. On one that has to wait
/// for a processor, time on the clock would tell of that.
pub(crate) fn run(router: &Router, threads: usize, heads: &[Parts]) {
    let start = Barrier::new(threads);
    let work = || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let router = router.clone();
        let send = |requests| runtime.block_on(subject::send(&router, heads, requests));
        send(10_000);
        start.wait();
        let (begun, used) = (Instant::now(), processor_time());
        let mut requests = 0;
        while begun.elapsed() < Duration::from_secs(2) {
            send(100);
            requests += 100;
        }
        (requests, processor_time() - used)
    };
    let (requests, used) = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.fold((0, 0), |(requests, used), (more, longer)| (requests + more, used + longer))
    });
    println!("{:.1}", used as f64 / f64::from(requests));
}

/// The nanoseconds that this thread has been on a processor.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}
