//! The service of the example: it says back what it is told, and ends as it is told.

mod echo;

/// What `proto/echo.proto` makes. Checked in, so that a build needs no other tool; `tests/generated.rs` keeps it current.
#[allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic)]
pub mod pb {
    include!("demo.v1.rs");
}

pub use echo::Echo;
