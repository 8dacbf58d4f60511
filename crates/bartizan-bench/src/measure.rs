//! Starts the processes that measure, and reads what they found.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::thread;

use crate::stacks::Stack;
use crate::subject::Shape;

/// What can be counted: the same whatever else the machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Allocations a request.
    pub allocations: u64,
    /// Bytes allocated a request.
    pub bytes: u64,
    /// Instructions a request, as callgrind counts them.
    pub instructions: u64,
}

impl Counts {
    /// What is on top of the bare service.
    #[must_use]
    pub fn over(self, bare: Self) -> Self {
        Self {
            allocations: self.allocations.saturating_sub(bare.allocations),
            bytes: self.bytes.saturating_sub(bare.bytes),
            instructions: self.instructions.saturating_sub(bare.instructions),
        }
    }
}

/// Builds the program that counts allocations: `cargo run` builds only one of a package's programs.
pub fn build() {
    let release = !cfg!(debug_assertions);
    assert!(release, "what is measured is the release build: cargo run --release");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "-p", "bartizan-bench", "--bin", "allocations"]);
    if cfg!(feature = "peers") {
        build.args(["--features", "peers"]);
    }
    assert!(build.status().unwrap().success(), "cargo build failed");
}

/// Counts what a request through this stack costs.
pub fn count(stack: Stack, shape: Shape) -> Counts {
    let counting = program().with_file_name("allocations");
    let numbers = numbers(Command::new(counting).args([stack.name, &shape.to_string()]));
    let [allocations, bytes] = numbers[..] else { panic!("{}: {numbers:?}", stack.name) };
    Counts { allocations, bytes, instructions: instructions(stack, shape) }
}

/// The numbers that a process of this task prints.
pub fn work(task: &str, stack: Stack, shape: Shape) -> Vec<f64> {
    numbers(&mut worker(task, stack, shape))
}

/// The command for a process of this task.
pub(crate) fn worker(task: &str, stack: Stack, shape: Shape) -> Command {
    let mut command = Command::new(program());
    command.args(["work", task, stack.name, &shape.to_string()]);
    command
}

/// The numbers that a program prints.
pub(crate) fn numbers<T: FromStr>(command: &mut Command) -> Vec<T> {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let read = |number: &str| number.parse().unwrap_or_else(|_| panic!("{command:?} printed {number:?}"));
    text.split_whitespace().map(read).collect()
}

fn instructions(stack: Stack, shape: Shape) -> u64 {
    // Every route is requested before those that count.
    let requests = match shape.chunks {
        0..=1 => shape.routes.max(3_000),
        _ => 300,
    };
    let (once, twice) = thread::scope(|scope| {
        let once = scope.spawn(|| callgrind(stack, shape, requests));
        let twice = callgrind(stack, shape, 2 * requests);
        (once.join().unwrap(), twice)
    });
    (twice - once) / u64::from(requests)
}

/// The instructions of the thread that serves; start-up is included.
fn callgrind(stack: Stack, shape: Shape, requests: u32) -> u64 {
    let profile = profile(stack, requests);
    std::fs::create_dir_all(profile.parent().unwrap()).unwrap();
    let mut command = Command::new("valgrind");
    command.args(["-q", "--tool=callgrind", "--separate-threads=yes"]);
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(program()).args(["work", &format!("requests:{requests}"), stack.name, &shape.to_string()]);
    // No span is dropped, and none is exported before the end: what another thread frees, and when, would change what an
    // allocation costs here.
    command.env("OTEL_BSP_MAX_QUEUE_SIZE", "16384").env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16384");
    command.env("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    let status = command.stdout(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("valgrind must be installed: {error}"));
    assert!(status.success(), "{}: callgrind failed", stack.name);
    let text = std::fs::read_to_string(profile.with_extension("out-01")).unwrap();
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
    totals.trim().parse().unwrap()
}

/// Where callgrind writes; the profile of the thread that serves has `-01` after it.
fn profile(stack: Stack, requests: u32) -> PathBuf {
    program().with_file_name("callgrind").join(format!("{}-{requests}.out", stack.name))
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}
