//! Prints the allocations and bytes of a request through the stack that is named. A program of its own: the counting
//! allocator would cost instructions in the others.
#![allow(clippy::print_stdout)] // It prints what it measured.

use bartizan_bench::job::Task;
use bartizan_bench::stacks;

fn main() {
    let stack = std::env::args().nth(1).unwrap_or_default();
    stacks::named(&stack).run(Task::Allocations(|work| {
        let counted = allocation_counter::measure(work);
        (counted.count_total, counted.bytes_total)
    }));
}
