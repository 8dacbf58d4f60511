//! Starts the processes that measure, and reads what they found.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::stacks::Stack;

/// What can be counted: the same whatever else the machine does.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Allocations a request.
    pub allocations: u64,
    /// Bytes allocated a request.
    pub bytes: u64,
    /// Instructions a request, as callgrind counts them.
    pub instructions: u64,
}

/// Requests under callgrind: so many, and twice so many.
const N: u64 = 3_000;

/// Builds the program that counts allocations: `cargo run` builds only one of a package's programs.
pub fn build() {
    assert!(!cfg!(debug_assertions), "what is measured is the release build: cargo run --release");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "-p", "bartizan-bench", "--bin", "allocations"]);
    assert!(build.status().unwrap().success(), "cargo build failed");
}

/// Counts what a request through this stack costs.
pub fn count(stack: Stack) -> Counts {
    let counting = program().with_file_name("allocations");
    let output = Command::new(counting).arg(stack.name).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{}: counting allocations failed", stack.name);
    let text = String::from_utf8(output.stdout).unwrap();
    let (allocations, bytes) = text.trim().split_once(' ').unwrap();
    Counts {
        allocations: allocations.parse().unwrap(),
        bytes: bytes.parse().unwrap(),
        instructions: instructions(stack),
    }
}

fn instructions(stack: Stack) -> u64 {
    let (once, twice) = thread::scope(|scope| {
        let once = scope.spawn(|| callgrind(stack, N));
        (once.join().unwrap(), callgrind(stack, 2 * N))
    });
    (twice - once) / N
}

/// The instructions of the thread that serves; start-up is included.
fn callgrind(stack: Stack, requests: u64) -> u64 {
    let profile = profile(stack, requests);
    std::fs::create_dir_all(profile.parent().unwrap()).unwrap();
    let mut command = Command::new("valgrind");
    command.args(["-q", "--tool=callgrind", "--separate-threads=yes"]);
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(program()).args(["requests", stack.name, &requests.to_string()]);
    // No span is dropped, however slowly the exporter's thread runs in there.
    command.env("OTEL_BSP_MAX_QUEUE_SIZE", "16384");
    let child = command.stdout(Stdio::null()).spawn();
    let status = child.and_then(|mut child: Child| child.wait());
    let status = status.unwrap_or_else(|error| panic!("valgrind must be installed: {error}"));
    assert!(status.success(), "{}: callgrind failed", stack.name);
    let text = std::fs::read_to_string(profile.with_extension("out-01")).unwrap();
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
    totals.trim().parse().unwrap()
}

/// Where callgrind writes; the profile of the thread that serves has `-01` after it.
fn profile(stack: Stack, requests: u64) -> PathBuf {
    program().with_file_name("callgrind").join(format!("{}-{requests}.out", stack.name))
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}
