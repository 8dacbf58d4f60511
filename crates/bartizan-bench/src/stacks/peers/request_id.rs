//! tower-http's request id.

use tower::ServiceBuilder;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::job::Parent;
use crate::stacks::Stack;

pub(super) const STACKS: [Stack; 1] =
    [Stack::new("request-id", Parent::None, "tower-http request id", |job| {
        let set = SetRequestIdLayer::x_request_id(MakeRequestUuid);
        job.http(ServiceBuilder::new().layer(set).layer(PropagateRequestIdLayer::x_request_id()));
    })];
