//! The command: see the library.

use std::process::ExitCode;

use bartizan_bench::job::Task;
use bartizan_bench::{check, growth, report, stacks, table, wire};

const USAGE: &str = "\
usage: cargo run --release -p bartizan-bench [--features peers] -- COMMAND

  check [STACK..]                  counts, held to budgets.toml
  table [OPTION..] [STACK..]       counts and times, beside the peers
  wire  [OPTION..] [STACK..]       over the loopback, under wrk and h2load
  growth [OPTION..]                what grows with what

  --rounds N    how often each time is measured
  --write       put the result into README.md, between its markers";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["check", ref names @ ..] => return check::run(names),
        ["table", ref options @ ..] => report::Options::read(options).publish("table", table::run),
        ["wire", ref options @ ..] => report::Options::read(options).publish("wire", wire::run),
        ["growth", ref options @ ..] => report::Options::read(options).publish("growth", growth::run),
        // The rest is what the command starts: one process a stack.
        ["work", task, stack, shape] => stacks::named(stack).run(read_task(task), shape.parse().unwrap()),
        ["scrape", store, series] => growth::scrape::time(store, series.parse().unwrap()),
        _ => {
            println!("{USAGE}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn read_task(task: &str) -> Task {
    let (name, number) = task.split_once(':').unwrap_or((task, ""));
    match name {
        "requests" => Task::Requests(number.parse().unwrap()),
        "time" => Task::Time,
        "future" => Task::FutureSize,
        "serve" => Task::Serve,
        "threads" => Task::Threads(number.parse().unwrap()),
        "memory" => Task::Memory(number.parse().unwrap()),
        _ => panic!("no task is called {name:?}"),
    }
}
