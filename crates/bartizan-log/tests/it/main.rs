//! Logs as a user sees them: what is said in code, and the lines that come out.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod capture;
mod console;
mod fields;
mod foreign;
mod har;
mod hostile;
mod nested;
mod outcomes;
mod request;
mod scope;
mod service;
mod setup;
mod slow;
mod spans;
