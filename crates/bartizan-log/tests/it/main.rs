//! Logs as a user sees them: what is said in code, and the lines that come out.

#[path = "../support/mod.rs"]
mod support;

mod console;
mod fields;
mod foreign;
mod hostile;
mod outcomes;
mod request;
mod scope;
mod setup;
mod spans;
