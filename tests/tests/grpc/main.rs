//! The whole stack on a real tonic server, called by a real tonic client on loopback: log, metrics and spans say what the
//! client saw.

// Counts are whole numbers.
#![allow(clippy::float_cmp)]

mod codes;
mod endings;
mod hosts;
mod methods;
mod server;
mod streams;
