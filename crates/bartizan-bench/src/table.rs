//! The table of all stacks: counts once, times in interleaved rounds.

use std::collections::BTreeMap;

use crate::budgets;
use crate::measure;
use crate::report::{Options, Table, grouped, median, range};
use crate::stacks;
use crate::subject::Shape;

const HEADINGS: [&str; 8] = [
    "stack",
    "ns (range)",
    "+ ns",
    "x bare",
    "+ allocations (target)",
    "+ bytes",
    "+ instructions (target)",
    "future, bytes",
];

/// Measures, and makes the table.
pub fn run(options: &Options) -> String {
    measure::build();
    let mut stacks = options.stacks();
    for name in [
        "bare",
        #[cfg(feature = "peers")]
        "grpc-bare",
    ] {
        if stacks.iter().all(|stack| stack.name != name) {
            stacks.insert(0, stacks::named(name));
        }
    }
    let counts: BTreeMap<_, _> =
        stacks.iter().map(|stack| (stack.name, measure::count(*stack, Shape::USUAL))).collect();
    let mut times: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for round in 0..options.rounds.unwrap_or(7) {
        eprintln!("round {}", round + 1);
        for stack in &stacks {
            times.entry(stack.name).or_default().push(measure::work("time", *stack, Shape::USUAL)[0]);
        }
    }
    let budgets = budgets::read();
    let mut table = Table::new(&HEADINGS);
    for stack in &stacks {
        let target = budgets.get(stack.name).and_then(|budget| budget.target);
        let (counts, bare) = (counts[stack.name], counts[stack.over]);
        let (times, bare_ns) = (&times[stack.name], median(&times[stack.over]));
        let ((least, most), ns) = (range(times), median(times));
        // The bare service is given as it is, all others by what they add to it.
        let is_bare = stack.name == stack.over;
        let shown = if is_bare { counts } else { counts.over(bare) };
        let cell = |number: u64, target: Option<u64>| match target {
            _ if is_bare => format!("({})", grouped(number as f64)),
            Some(target) => format!("{} (≤ {})", grouped(number as f64), grouped(target as f64)),
            None => grouped(number as f64),
        };
        table.row([
            stack.what.to_owned(),
            format!("{} ({} to {})", grouped(ns), grouped(least), grouped(most)),
            grouped(ns - bare_ns),
            format!("{:.2}", ns / bare_ns),
            cell(shown.allocations, target.map(|target| target.allocations)),
            cell(shown.bytes, None),
            cell(shown.instructions, target.map(|target| target.instructions)),
            grouped(measure::work("future", *stack, Shape::USUAL)[0]),
        ]);
    }
    table.finish()
}
