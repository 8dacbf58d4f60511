//! Holds the counts of each stack to its budget.

use std::process::ExitCode;

use crate::budgets::{self, Budget, Cost};
use crate::measure::{self, Counts};
use crate::stacks::{self, Stack};
use crate::subject::Shape;

/// Instructions differ a little from build to build.
const TOLERANCE_PERCENT: u64 = 5;

/// Measures the stacks that are named, or all that have a budget, and prints how they stand. Fails if one is over its budget.
pub fn run(names: &[&str]) -> ExitCode {
    let budgets = budgets::read();
    measure::build();
    let bare = measure::count(stacks::named("bare"), Shape::USUAL);
    println!(
        "bare router: {} allocations, {} bytes, {} instructions; over it:\n",
        bare.allocations, bare.bytes, bare.instructions
    );
    println!(
        "{:14}{:>20}{:>8}{:>28}{:>8}{:>8}",
        "stack", "allocations (budget)", "target", "instructions (budget)", "target", "bytes"
    );
    let mut verdicts = Vec::new();
    let wanted: Vec<_> = names.iter().map(|name| stacks::named(name)).collect();
    for stack in if wanted.is_empty() { stacks::all().collect() } else { wanted } {
        let Some(budget) = budgets.get(stack.name) else { continue };
        let counted = measure::count(stack, Shape::USUAL).over(bare);
        print_line(stack, counted, budget);
        verdicts.push((stack, counted, verdict(counted, budget.budget)));
    }
    assert!(!verdicts.is_empty(), "none of these stacks has a budget: {names:?}");
    print_all(&verdicts, Verdict::Below, "well below its budget, tighten it");
    match print_all(&verdicts, Verdict::Over, "OVER ITS BUDGET") {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Prints the stacks of this verdict, with their counts as the file would have them, and tells how many there are.
fn print_all(verdicts: &[(Stack, Counts, Verdict)], of: Verdict, title: &str) -> usize {
    let all = verdicts.iter().filter(|(_, _, verdict)| *verdict == of);
    for (stack, counted, _) in all.clone() {
        let Counts { allocations, instructions, .. } = counted;
        println!(
            "{title}: [{}] {{ allocations = {allocations}, instructions = {instructions} }}",
            stack.name
        );
    }
    all.count()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    Below,
    Over,
}

fn verdict(counted: Counts, budget: Cost) -> Verdict {
    let of_budget = |percent| budget.instructions * percent / 100;
    if counted.allocations > budget.allocations || counted.instructions > of_budget(100 + TOLERANCE_PERCENT) {
        Verdict::Over
    } else if counted.allocations < budget.allocations
        || counted.instructions < of_budget(100 - TOLERANCE_PERCENT)
    {
        Verdict::Below
    } else {
        Verdict::Holds
    }
}

fn print_line(stack: Stack, counted: Counts, budget: &Budget) {
    let target =
        |part: fn(Cost) -> u64| budget.target.map_or("-".to_owned(), |target| part(target).to_string());
    println!(
        "{:14}{:>20}{:>8}{:>28}{:>8}{:>8}",
        stack.name,
        format!("{} ({})", counted.allocations, budget.budget.allocations),
        target(|cost| cost.allocations),
        format!("{} ({})", counted.instructions, budget.budget.instructions),
        target(|cost| cost.instructions),
        counted.bytes,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Cost = Cost { allocations: 7, instructions: 4_000 };

    fn judged(allocations: u64, instructions: u64) -> Verdict {
        verdict(Counts { allocations, bytes: 0, instructions }, BUDGET)
    }

    #[test]
    fn one_allocation_more_is_over() {
        assert_eq!(judged(7, 4_000), Verdict::Holds);
        assert_eq!(judged(8, 3_000), Verdict::Over);
        assert_eq!(judged(6, 4_000), Verdict::Below);
    }

    #[test]
    fn instructions_may_differ_by_five_percent() {
        assert_eq!(judged(7, 4_200), Verdict::Holds);
        assert_eq!(judged(7, 4_201), Verdict::Over);
        assert_eq!(judged(7, 3_800), Verdict::Holds);
        assert_eq!(judged(7, 3_799), Verdict::Below);
    }

    #[test]
    fn every_budget_is_of_a_stack() {
        for name in budgets::read().keys() {
            assert!(stacks::all().any(|stack| stack.name == name), "{name}");
        }
    }
}
