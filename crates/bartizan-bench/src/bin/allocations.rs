//! Prints the allocations and bytes of a request through the stack that is named, or the bytes that a scrape holds at most. A
//! program of its own: the counting allocator would cost instructions in the others.

use bartizan_bench::growth::scrape;
use bartizan_bench::job::Task;
use bartizan_bench::stacks;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["scrape", store, series] => scrape::memory(store, series.parse().unwrap(), |scrape| {
            allocation_counter::measure(scrape).bytes_max
        }),
        [stack, shape] => stacks::named(stack).run(
            Task::Allocations(|work| {
                let counted = allocation_counter::measure(work);
                (counted.count_total, counted.bytes_total)
            }),
            shape.parse().unwrap(),
        ),
        _ => panic!("usage: allocations STACK SHAPE, or allocations scrape STORE SERIES"),
    }
}
