//! Nothing, and a layer that does nothing: what axum itself costs.

use tower::layer::util::Identity;

use super::Stack;
use crate::job::{Job, Parent};

pub(super) const STACKS: [Stack; 2] = [
    Stack::new("bare", Parent::None, "bare router", Job::bare),
    Stack::new("noop", Parent::None, "one layer that does nothing", |job| job.http(Identity::new())),
];
