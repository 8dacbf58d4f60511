//! The W3C wire formats: `traceparent`, `tracestate` and `baggage`.
//!
//! These are parsers of header values. Most callers want [`Propagation`](crate::Propagation), which
//! finds the headers, applies all three and counts what it refuses.
//!
//! ```
//! use bartizan_trace::w3c::TraceParent;
//!
//! let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
//! let parent = TraceParent::parse(header.as_bytes()).unwrap();
//! assert!(parent.flags().is_sampled());
//! assert_eq!(&parent.to_bytes()[..], header.as_bytes());
//! ```
//!
//! # Limits
//!
//! | header | limit | past it |
//! |---|---|---|
//! | `traceparent` | one header, 55 bytes in version 00 | the trace starts anew |
//! | `tracestate` | 32 members, 256 bytes a key and a value, 8192 bytes in all | more members: discarded whole; more bytes: members over 128 bytes go first, then from the end |
//! | `baggage` | 64 members, 8192 bytes in all | later members are dropped, never cut |
//!
//! The rules are those of Trace Context Level 2 and of W3C Baggage.

pub(crate) mod baggage;
mod traceparent;
pub(crate) mod tracestate;

pub use traceparent::{FLAG_RANDOM, TraceParent};

/// What HTTP calls optional white space around a value.
const OWS: [char; 2] = [' ', '\t'];
