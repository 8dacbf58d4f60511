//! The stacks: one file for each maker.

mod bartizan;
#[cfg(feature = "peers")]
mod peers;
mod plain;
mod spans;

use crate::job::{Job, Parent, Task};
use crate::subject::Shape;

/// Something around the router.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// As the command names it.
    pub name: &'static str,
    /// As the table names it.
    pub what: &'static str,
    /// What its requests come with.
    pub parent: Parent,
    /// The bare service that it is compared with, by name.
    pub over: &'static str,
    run: fn(&Job),
}

impl Stack {
    const fn new(name: &'static str, parent: Parent, what: &'static str, run: fn(&Job)) -> Self {
        Self { name, what, parent, over: "bare", run }
    }

    /// The same over tonic's service, which `run` must go around.
    #[cfg(feature = "peers")]
    const fn grpc(self) -> Self {
        Self { over: "grpc-bare", ..self }
    }

    /// Sets the stack up, which can be done once a process, and does the task with it.
    pub fn run(self, task: Task, shape: Shape) {
        let job = Job::new(task, self.parent, shape);
        let _inside = job.runtime.enter();
        (self.run)(&job);
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = Stack> {
    let stacks = plain::STACKS.into_iter().chain(bartizan::STACKS);
    #[cfg(feature = "peers")]
    let stacks = stacks.chain(peers::stacks());
    stacks
}

/// The stack of this name.
pub fn named(name: &str) -> Stack {
    all().find(|stack| stack.name == name).unwrap_or_else(|| {
        let names: Vec<_> = all().map(|stack| stack.name).collect();
        panic!("no stack is called {name:?}; there are: {}", names.join(", "))
    })
}
