//! The route of a request: a template from a bounded set, never the raw path.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Extensions, Request, Uri};
use thiserror::Error;

use crate::grpc::methods::{self, Methods};
use crate::grpc::{GrpcCode, Protocol};

/// What a request without a route is called.
pub const UNMATCHED: &str = "unmatched";

/// What a gRPC call is called whose method is not known.
pub const OTHER_METHOD: &str = "_OTHER";

/// A matched route template such as `/users/{id}`. Cloning it allocates nothing.
///
/// ```
/// use bartizan_core::Route;
///
/// let route = Route::from("/users/{id}");
/// assert_eq!(route.as_str(), "/users/{id}");
/// ```
#[derive(Clone)]
pub struct Route(Repr);

#[derive(Clone)]
enum Repr {
    Static(&'static str),
    Shared(Arc<str>),
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
}

impl Route {
    /// The template.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(template) => template,
            Repr::Shared(template) => template,
            #[cfg(feature = "axum")]
            Repr::Matched(matched) => matched.as_str(),
        }
    }

    /// The route that axum matched, if there is one.
    #[cfg(feature = "axum")]
    #[inline]
    pub(crate) fn matched(extensions: &Extensions) -> Option<Self> {
        extensions.get::<axum::extract::MatchedPath>().map(|matched| Self(Repr::Matched(matched.clone())))
    }

    #[cfg(not(feature = "axum"))]
    pub(crate) fn matched(_: &Extensions) -> Option<Self> {
        None
    }

    /// Whether gRPC methods may be served here.
    pub(crate) fn may_be_methods(&self) -> bool {
        methods::is_template(self.as_str())
    }
}

impl From<&'static str> for Route {
    fn from(template: &'static str) -> Self {
        Self(Repr::Static(template))
    }
}

impl From<Arc<str>> for Route {
    fn from(template: Arc<str>) -> Self {
        Self(Repr::Shared(template))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

type RouteFn = dyn Fn(&Parts) -> Option<Route> + Send + Sync;

/// How routes are found, in this order: the function if one is set, axum's `MatchedPath`, the longest
/// registered prefix; else [`UNMATCHED`].
///
/// Prefixes are for what axum gives no `MatchedPath`: services mounted by `nest_service`, fallbacks of nested
/// routers, and layers outside the router.
///
/// ```
/// use bartizan_core::Routes;
///
/// let routes = Routes::new().prefix("/files/{*path}")?.prefix("/assets")?;
/// # Ok::<(), bartizan_core::RouteError>(())
/// ```
///
/// # gRPC
///
/// The route of a gRPC call is the function's, else the path of its method, `/package.Service/Method`, if that is known: it was
/// registered by [`grpc_methods`](Self::grpc_methods), or, where nothing is registered, it was learned. A method is learned at the end
/// of the first call that the method itself has answered: with any status but `UNIMPLEMENTED`, which is the answer to what does not
/// exist, and `UNAUTHENTICATED`, `PERMISSION_DENIED`, `RESOURCE_EXHAUSTED` and `UNAVAILABLE`, with which guards answer any path. Every
/// other call has the route [`OTHER_METHOD`].
///
/// Any client can say `content-type: application/grpc`. Where axum has matched a route that is no template of methods
/// (one that ends in `{*rest}`, as those of tonic's routers do, or in `/package.Service/Method`, or is `/{service}/{method}`), the request is
/// plain HTTP.
#[derive(Clone, Default)]
pub struct Routes {
    function: Option<Arc<RouteFn>>,
    /// Longest prefix first.
    prefixes: Vec<(Arc<str>, Route)>,
    methods: Arc<Methods>,
}

/// A prefix that cannot be registered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The template does not begin with `/`, or is longer than 256 bytes.
    #[error(
        "route prefix {0:?}: give a path of at most 256 bytes that begins with '/', such as /files/{{*path}}"
    )]
    BadPrefix(String),
    /// More prefixes than are looked through at each request.
    #[error("route prefix {0:?}: at most {max} prefixes can be registered", max = Routes::MAX_PREFIXES)]
    TooMany(String),
    /// The text is not the path of a gRPC method, or is longer than 256 bytes.
    #[error("gRPC method {0:?}: give its path of at most 256 bytes, such as /package.Service/Method")]
    BadMethod(String),
    /// More gRPC methods than can be registered.
    #[error("{0} gRPC methods: at most {max} can be registered", max = Routes::MAX_METHODS)]
    TooManyMethods(usize),
}

impl Routes {
    /// At most this many prefixes can be registered.
    pub const MAX_PREFIXES: usize = 256;

    /// At most this many gRPC methods can be registered, or learned.
    pub const MAX_METHODS: usize = 4096;

    /// Only what the host itself matched.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a prefix. Requests whose path begins with the part before the first `{` get the whole template
    /// as their route; the part is matched at a segment's end, so `/files/{*path}` and `/files` match `/files`
    /// and `/files/a/b` but not `/filesystem`.
    ///
    /// # Errors
    ///
    /// [`RouteError`] for a template that is no path, or one too many.
    pub fn prefix(mut self, template: &str) -> Result<Self, RouteError> {
        if !template.starts_with('/') || template.len() > 256 {
            return Err(RouteError::BadPrefix(template.chars().take(256).collect()));
        }
        if self.prefixes.len() == Self::MAX_PREFIXES {
            return Err(RouteError::TooMany(template.to_owned()));
        }
        let literal = template.split('{').next().unwrap_or(template).trim_end_matches('/');
        self.prefixes.push((literal.into(), Route(Repr::Shared(template.into()))));
        self.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(self)
    }

    /// Sets a function that names the route, for hosts without a router such as plain hyper. It must return
    /// templates from a bounded set; `None` leaves the request to the other ways.
    ///
    /// ```
    /// use bartizan_core::{Route, Routes};
    ///
    /// let routes = Routes::new().function(|request| match request.uri.path() {
    ///     "/" => Some(Route::from("/")),
    ///     path if path.starts_with("/users/") => Some(Route::from("/users/{id}")),
    ///     _ => None,
    /// });
    /// ```
    #[must_use]
    pub fn function(mut self, function: impl Fn(&Parts) -> Option<Route> + Send + Sync + 'static) -> Self {
        self.function = Some(Arc::new(function));
        self
    }

    /// Registers the gRPC methods that there are, by their paths; no others are learned. Replaces what was registered before.
    ///
    /// ```
    /// use bartizan_core::Routes;
    ///
    /// let routes = Routes::new().grpc_methods(["/shop.v1.Orders/Get", "/shop.v1.Orders/List"])?;
    /// # Ok::<(), bartizan_core::RouteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RouteError`] for what is not the path of a method, or too many.
    pub fn grpc_methods<I>(mut self, paths: I) -> Result<Self, RouteError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let paths: Vec<_> = paths.into_iter().collect();
        if paths.len() > Self::MAX_METHODS {
            return Err(RouteError::TooManyMethods(paths.len()));
        }
        if let Some(bad) = paths.iter().map(AsRef::as_ref).find(|path| !methods::is_method(path)) {
            return Err(RouteError::BadMethod(bad.chars().take(methods::MAX_PATH).collect()));
        }
        self.methods = Arc::new(Methods::registered(paths.iter().map(AsRef::as_ref)));
        Ok(self)
    }

    /// How many gRPC methods are learned at most, up to [`MAX_METHODS`](Self::MAX_METHODS); 0 for none. Default: 512.
    #[must_use]
    pub fn learn_grpc_methods(mut self, max: usize) -> Self {
        self.methods = Arc::new(Methods::learned(max.min(Self::MAX_METHODS)));
        self
    }

    /// The route that is certain already: the function's, or axum's; of a gRPC call, the method's.
    pub(crate) fn certain<B>(&self, request: &mut Request<B>, protocol: Protocol) -> Option<Route> {
        if let Some(function) = &self.function
            && let Some(route) = with_parts(request, |parts| function(parts))
        {
            return Some(route);
        }
        match protocol {
            Protocol::Http => Route::matched(request.extensions()),
            Protocol::Grpc => self.methods.find(request.uri().path()),
        }
    }

    /// A method that is not known, kept until the call's end may tell that it exists.
    pub(crate) fn unknown_method(&self, uri: &Uri) -> Option<UnknownMethod> {
        let path = uri.path_and_query()?.clone();
        Some(UnknownMethod { path, methods: Arc::clone(&self.methods) })
    }

    /// The template of a call that goes out: the function's, or a prefix's. What a router has matched belongs to another request.
    pub(crate) fn outbound<B>(&self, request: &mut Request<B>) -> Option<Route> {
        let named = self.function.as_ref().and_then(|function| with_parts(request, |parts| function(parts)));
        named.or_else(|| self.by_prefix(request.uri().path()))
    }

    /// The route by prefix, which a better match further in may still replace.
    pub(crate) fn by_prefix(&self, path: &str) -> Option<Route> {
        self.prefixes
            .iter()
            .find(|(prefix, _)| {
                path.strip_prefix(&**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .map(|(_, route)| route.clone())
    }
}

/// The method of a call that is not known yet, and the set that may learn it.
pub(crate) struct UnknownMethod {
    path: PathAndQuery,
    methods: Arc<Methods>,
}

impl UnknownMethod {
    pub(crate) fn learn(&self, code: GrpcCode) -> Option<Route> {
        self.methods.learn(self.path.path(), code)
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes")
            .field("function", &self.function.is_some())
            .field("prefixes", &self.prefixes.iter().map(|(_, route)| route).collect::<Vec<_>>())
            .field("grpc_methods", &self.methods)
            .finish()
    }
}

/// Lends out a request's head as [`Parts`] without its body.
fn with_parts<B, T>(request: &mut Request<B>, look: impl FnOnce(&Parts) -> T) -> T {
    let (mut parts, ()) = Request::new(()).into_parts();
    std::mem::swap(request.method_mut(), &mut parts.method);
    std::mem::swap(request.uri_mut(), &mut parts.uri);
    std::mem::swap(request.headers_mut(), &mut parts.headers);
    std::mem::swap(request.extensions_mut(), &mut parts.extensions);
    parts.version = request.version();
    let answer = look(&parts);
    *request.method_mut() = parts.method;
    *request.uri_mut() = parts.uri;
    *request.headers_mut() = parts.headers;
    *request.extensions_mut() = parts.extensions;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_at_a_segments_end() {
        let routes = Routes::new().prefix("/files/{*path}").unwrap().prefix("/files/public").unwrap();
        let of = |path| routes.by_prefix(path).map(|route| route.as_str().to_owned());
        assert_eq!(of("/files/a/b").as_deref(), Some("/files/{*path}"));
        assert_eq!(of("/files").as_deref(), Some("/files/{*path}"));
        assert_eq!(of("/files/public/x").as_deref(), Some("/files/public"));
        assert_eq!(of("/filesystem"), None);
        assert_eq!(of("/"), None);
    }

    #[test]
    fn a_prefix_that_is_no_path_is_an_error_that_says_so() {
        let error = Routes::new().prefix("files").unwrap_err().to_string();
        assert!(error.contains("\"files\"") && error.contains("begins with '/'"), "{error}");
    }

    #[test]
    fn the_function_sees_the_request_whole_and_leaves_it_whole() {
        let routes = Routes::new().function(|parts| {
            (parts.method == "POST" && parts.headers.contains_key("x")).then(|| Route::from("/posted"))
        });
        let mut request = Request::post("/a?b=1").header("x", "y").body("body").unwrap();
        request.extensions_mut().insert(7_u8);
        assert_eq!(routes.certain(&mut request, Protocol::Http).unwrap().as_str(), "/posted");
        assert_eq!(request.uri(), "/a?b=1");
        assert_eq!(request.headers()["x"], "y");
        assert_eq!(request.extensions().get::<u8>(), Some(&7));
        assert_eq!(request.into_body(), "body");
    }
}
