//! What else there is for the same jobs, set up as its documentation says.

mod grpc;
mod metrics;
mod request_id;
mod trace;
mod trace_layer;
mod whole;

use super::Stack;

pub(super) fn stacks() -> impl Iterator<Item = Stack> {
    request_id::STACKS
        .into_iter()
        .chain(trace_layer::STACKS)
        .chain(metrics::STACKS)
        .chain(trace::STACKS)
        .chain(whole::STACKS)
        .chain(grpc::STACKS)
}

/// The subscriber of everybody that logs by `tracing-subscriber`: JSON lines from INFO on, which are let go of.
fn json_lines() {
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(std::io::sink).init();
}
