//! What one process does with one stack.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tower::Service;

use crate::growth;
use crate::subject::Shape;

/// What a process is started for.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// Send so many requests, for callgrind to count.
    Requests(u32),
    /// Print the allocations and the bytes of one request, as this counts them for what it runs.
    Allocations(fn(&mut dyn FnMut()) -> (u64, u64)),
    /// Print the nanoseconds of one request.
    Time,
    /// Print the bytes of the response future around a router.
    FutureSize,
    /// Serve on a port of the loopback, which is printed, until killed.
    Serve,
    /// Print the nanoseconds of processor time of a request, on so many threads.
    Threads(usize),
    /// Print the resident memory, in kB, before and after so many requests.
    Memory(u32),
}

/// The trace context that requests come with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// No `traceparent`.
    None,
    /// One that is sampled.
    Sampled,
    /// One that is not.
    SampledOut,
}

impl Parent {
    /// The value of the header.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Sampled => Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            Self::SampledOut => Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
        }
    }
}

/// A task, for a stack to hand its layer to.
#[derive(Debug)]
pub struct Job {
    pub(crate) task: Task,
    pub(crate) parent: Parent,
    pub(crate) shape: Shape,
    pub(crate) runtime: Runtime,
}

impl Job {
    pub(crate) fn new(task: Task, parent: Parent, shape: Shape) -> Self {
        Self { task, parent, shape, runtime: Builder::new_current_thread().enable_all().build().unwrap() }
    }

    /// Does the task; `send` sends so many requests.
    pub(crate) fn perform(&self, mut send: impl FnMut(u32)) {
        match self.task {
            Task::Requests(number) => send(number),
            Task::Allocations(count) => {
                // Handles, caches and buffers are made once.
                send(self.shape.routes.max(1_000));
                let requests = self.shape.routes.max(if self.shape.chunks > 1 { 500 } else { 20_000 });
                let (allocations, bytes) = count(&mut || send(requests));
                let each = |total: u64| (total as f64 / f64::from(requests)).round();
                println!("{} {}", each(allocations), each(bytes));
            }
            Task::Time => println!("{:.1}", nanoseconds(send)),
            Task::Memory(requests) => {
                send(100_000);
                let before = growth::memory::resident();
                send(requests);
                println!("{before} {}", growth::memory::resident());
            }
            Task::FutureSize | Task::Serve | Task::Threads(_) => {
                unreachable!("done where the service is known")
            }
        }
    }
}

/// Prints the bytes of the future that this service answers with.
pub(crate) fn future_size<S: Service<R>, R>() {
    println!("{}", size_of::<S::Future>());
}

/// The median of one and a half seconds of samples, each of about half a millisecond.
fn nanoseconds(mut send: impl FnMut(u32)) -> f64 {
    let mut timed = |requests: u32| {
        let start = Instant::now();
        send(requests);
        start.elapsed()
    };
    let warm = Instant::now();
    let mut sample = Duration::MAX;
    while warm.elapsed() < Duration::from_millis(500) {
        sample = sample.min(timed(100));
    }
    let requests = ((500_000 * 100) / sample.as_nanos().max(1)).max(1) as u32;
    let mut samples = Vec::new();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) {
        samples.push(timed(requests));
    }
    samples.sort_unstable();
    samples[samples.len() / 2].as_nanos() as f64 / f64::from(requests)
}
