//! What a request costs through each stack: bare, one layer, the whole, and the peers.
//!
//! ```sh
//! cargo run --release -p bartizan-bench -- check              # counts against budgets.toml
//! cargo run --release -p bartizan-bench -- check correlation  # of one stack
//! ```
//!
//! One process a stack, since stacks install global subscribers and recorders. Everywhere the same router of four routes, the
//! same `GET /users/42?verbose=1` with eight headers (and a `traceparent` where the stack traces) and the same answer of 46 bytes
//! of JSON; a current-thread runtime, no socket. Allocations are those of the thread that serves, counted by the allocator.
//! Instructions are those of the same thread under callgrind, (2N - N) / N requests, so that start-up is out of it.

pub mod budgets;
pub mod check;
pub mod growth;
pub mod job;
pub mod measure;
pub mod report;
pub mod stacks;
pub mod subject;
pub mod table;
pub mod wire;
