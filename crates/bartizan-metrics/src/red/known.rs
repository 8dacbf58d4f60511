//! Routes that are known at the start: their series begin at zero, so that a rate of errors is zero before it is anything else.

use bartizan_core::{GrpcCode, KnownMethod, Outcome};
use http::Method;

use super::RedLayer;
use super::names::Traits;

/// A route that is known.
#[derive(Clone, Debug)]
pub(super) enum Known {
    Http(KnownMethod, Box<str>),
    Grpc(Box<str>),
}

impl Known {
    pub(super) fn route(&self) -> &str {
        let (Self::Http(_, route) | Self::Grpc(route)) = self;
        route
    }

    /// What is known at the beginning of its exchanges.
    pub(super) fn begun(&self) -> Traits {
        match self {
            Self::Http(method, _) => Traits::http(*method, None, Outcome::Ok),
            Self::Grpc(_) => Traits::grpc(None, Outcome::Ok),
        }
    }

    /// A success and a failure.
    pub(super) fn ended(&self) -> [Traits; 2] {
        match self {
            Self::Http(method, _) => [
                Traits::http(*method, Some(200), Outcome::Ok),
                Traits::http(*method, Some(500), Outcome::ServerError),
            ],
            Self::Grpc(_) => [
                Traits::grpc(Some(GrpcCode::OK), Outcome::Ok),
                Traits::grpc(Some(GrpcCode::INTERNAL), Outcome::ServerError),
            ],
        }
    }
}

impl RedLayer {
    /// Routes that there are, as the host names them: their series are on the page at zero before the first request, for status 200 and
    /// 500. A panel of error rates is so never empty. No router lists its routes, so they are given here.
    ///
    /// With a [`recorder`](Self::recorder) they are there as soon as the layer is used; without, from the first request on. Each takes two
    /// of the [`max_series`](Self::max_series). Labels of your own are `none`.
    ///
    /// ```
    /// use bartizan_metrics::{RedLayer, Store};
    /// use http::Method;
    ///
    /// let store = Store::new();
    /// let observer = RedLayer::new()
    ///     .recorder(store.clone())
    ///     .known_routes([(Method::GET, "/orders/{id}"), (Method::POST, "/orders")])
    ///     .observer();
    ///
    /// let page = String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec())?;
    /// assert!(page.contains(r#"http_requests_total{endpoint="/orders",method="POST",outcome="server_error",status="500"} 0"#));
    /// # Ok::<(), std::string::FromUtf8Error>(())
    /// ```
    pub fn known_routes<R: Into<String>>(self, routes: impl IntoIterator<Item = (Method, R)>) -> Self {
        let known = |(method, route): (Method, R)| {
            Known::Http(KnownMethod::of(&method), route.into().into_boxed_str())
        };
        self.with_known(routes.into_iter().map(known))
    }

    /// The same for gRPC methods, by their paths: `grpc_server_handled_total` with the codes `OK` and `INTERNAL`.
    ///
    /// ```
    /// use bartizan_metrics::RedLayer;
    ///
    /// let layer = RedLayer::new().known_grpc_methods(["/shop.v1.Orders/Get", "/shop.v1.Orders/List"]);
    /// ```
    pub fn known_grpc_methods<R: Into<String>>(self, paths: impl IntoIterator<Item = R>) -> Self {
        self.with_known(paths.into_iter().map(|path| Known::Grpc(path.into().into_boxed_str())))
    }
}
