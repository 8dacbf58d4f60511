//! The record of a call that goes out.

use std::sync::{Mutex, OnceLock};

use http::Request;
use http_body::Body;

use super::{Inner, Record, pool};
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
    ) -> Self {
        Self(pool::take(Inner {
            maker,
            method: KnownMethod::of(request.method()),
            version: request.version(),
            protocol: Protocol::of(request.headers()),
            https: request.uri().scheme_str() == Some("https"),
            peer: None,
            client: None,
            inbound: false,
            prefix: None,
            unknown_method: None,
            grpc_timeout: timeout::of(request.headers()),
            route: routes.outbound(request).map_or_else(OnceLock::new, OnceLock::from),
            correlation_id: OnceLock::new(),
            trace: OnceLock::new(),
            request_size: RequestSize::of(request.body()),
            bound: Mutex::default(),
            span: tracing::Span::none(),
        }))
    }

    /// Whether this is the record of a request that came in.
    pub(crate) fn is_inbound(&self) -> bool {
        self.0.inbound
    }
}
