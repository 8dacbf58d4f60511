//! The stacks: one file for each maker.

mod bartizan;
mod plain;

use crate::job::{Job, Parent, Task};

/// Something around the router.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// As the command names it.
    pub name: &'static str,
    /// As the table names it.
    pub what: &'static str,
    /// What its requests come with.
    pub parent: Parent,
    run: fn(&Job),
}

impl Stack {
    const fn new(name: &'static str, parent: Parent, what: &'static str, run: fn(&Job)) -> Self {
        Self { name, what, parent, run }
    }

    /// Sets the stack up, which can be done once a process, and does the task with it.
    pub fn run(self, task: Task) {
        let job = Job::new(task, self.parent);
        let _inside = job.runtime.enter();
        (self.run)(&job);
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = Stack> {
    plain::STACKS.into_iter().chain(bartizan::STACKS)
}

/// The stack of this name.
pub fn named(name: &str) -> Stack {
    all().find(|stack| stack.name == name).unwrap_or_else(|| {
        let names: Vec<_> = all().map(|stack| stack.name).collect();
        panic!("no stack is called {name:?}; there are: {}", names.join(", "))
    })
}
