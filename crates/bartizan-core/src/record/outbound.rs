//! The record of a call that goes out.

use http::Request;
use http_body::Body;

use super::{Facts, Left, Record};
use crate::grpc::{Protocol, timeout};
use crate::method::KnownMethod;
use crate::request_body::RequestSize;
use crate::route::Routes;

impl Record {
    /// Makes it. It has no `tracing` span: the call is a part of what the caller does.
    pub(crate) fn make_outbound<B: Body + 'static>(
        request: &mut Request<B>,
        routes: &Routes,
        maker: usize,
        left: Left,
    ) -> Self {
        let route = routes.outbound(request);
        let facts = Facts {
            maker,
            method: KnownMethod::of(request.method()),
            version: request.version(),
            protocol: Protocol::of(request.headers()),
            https: request.uri().scheme_str() == Some("https"),
            peer: None,
            client: None,
            inbound: false,
            routed: route.is_some(),
            grpc_timeout: timeout::of(request.headers()),
        };
        Self::with(left, facts, RequestSize::of(request.body()), |inner| inner.route = route)
    }

    /// Whether this is the record of a request that came in.
    #[inline]
    pub(crate) fn is_inbound(&self) -> bool {
        self.0.facts.inbound
    }
}
