//! The table of all stacks: counts once, times in interleaved rounds.

use std::collections::BTreeMap;

use crate::budgets;
use crate::measure::{self, Counts};
use crate::report::{Options, Table, grouped, median, range};
use crate::stacks::{self, Stack};
use crate::subject::Shape;

const HEADINGS: [&str; 10] = [
    "stack",
    "ns (range)",
    "x bare",
    "+ ns",
    "+ allocations",
    "target",
    "+ bytes",
    "+ instructions",
    "target",
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
        let future = measure::work("future", *stack, Shape::USUAL)[0];
        let bare = (counts[stack.over], median(&times[stack.over]));
        let targets = target.map_or([String::new(), String::new()], |target| {
            [format!("≤ {}", target.allocations), format!("≤ {}", grouped(target.instructions as f64))]
        });
        table.row(row(stack, counts[stack.name], &times[stack.name], bare, targets, future));
    }
    table.finish()
}

fn row(
    stack: &Stack,
    counts: Counts,
    times: &[f64],
    bare: (Counts, f64),
    targets: [String; 2],
    future: f64,
) -> [String; 10] {
    let ((least, most), ns) = (range(times), median(times));
    let [allocations, instructions] = targets;
    // The bare service is given as it is, all others by what they add to it.
    let is_bare = stack.name == stack.over;
    let shown = if is_bare { counts } else { counts.over(bare.0) };
    let plus =
        |number: u64| if is_bare { format!("({})", grouped(number as f64)) } else { grouped(number as f64) };
    [
        stack.what.to_owned(),
        format!("{} ({} to {})", grouped(ns), grouped(least), grouped(most)),
        format!("{:.2}", ns / bare.1),
        grouped(ns - bare.1),
        plus(shown.allocations),
        allocations,
        plus(shown.bytes),
        plus(shown.instructions),
        instructions,
        grouped(future),
    ]
}
