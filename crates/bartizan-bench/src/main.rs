//! The command: see the library.
#![allow(clippy::print_stdout)] // It prints what it measured.

use std::process::ExitCode;

use bartizan_bench::job::Task;
use bartizan_bench::{check, stacks};

const USAGE: &str = "usage: cargo run --release -p bartizan-bench -- check [STACK..]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["check", ref names @ ..] => check::run(names),
        // The rest is what the command starts: one process a stack.
        ["requests", stack, number] => work(stack, Task::Requests(number.parse().unwrap())),
        _ => {
            println!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn work(stack: &str, task: Task) -> ExitCode {
    stacks::named(stack).run(task);
    ExitCode::SUCCESS
}
