//! What one process does with one stack.

use tokio::runtime::{Builder, Runtime};

/// What a process is started for.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// Send so many requests, for callgrind to count.
    Requests(u32),
    /// Print the allocations and the bytes of one request, as this counts them for what it runs.
    Allocations(fn(&mut dyn FnMut()) -> (u64, u64)),
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
    pub(crate) runtime: Runtime,
}

impl Job {
    pub(crate) fn new(task: Task, parent: Parent) -> Self {
        Self { task, parent, runtime: Builder::new_current_thread().enable_all().build().unwrap() }
    }

    /// Does the task; `send` sends so many requests.
    #[allow(clippy::print_stdout)] // The result, for the process that started this one.
    pub(crate) fn perform(&self, mut send: impl FnMut(u32)) {
        match self.task {
            Task::Requests(number) => send(number),
            Task::Allocations(count) => {
                // Handles, caches and buffers are made once.
                send(1_000);
                let requests = 20_000;
                let (allocations, bytes) = count(&mut || send(requests));
                let each = |total: u64| (total as f64 / f64::from(requests)).round();
                println!("{} {}", each(allocations), each(bytes));
            }
        }
    }
}
