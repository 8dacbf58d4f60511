//! The health paths as an axum router (feature `axum`).

use axum::Router;

use crate::{Endpoints, Registry};

impl Endpoints {
    /// The same answers as a router, to merge or nest. It has no fallback of its own.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use bartizan_health::{Endpoints, Registry};
    ///
    /// let health = Endpoints::new(Registry::new()).unhealthy_as_503(true).routes();
    /// let app: Router = Router::new().route("/", get(|| async { "hello" })).merge(health);
    /// ```
    pub fn routes<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (paths, checks) = (self.paths().all(), self.paths().checks());
        let service = self.service();
        let router = paths.iter().fold(Router::new(), |router, path| {
            router.route_service(path, service.clone()).route_service(&format!("{path}/"), service.clone())
        });
        checks.iter().fold(router, |router, start| {
            router.route_service(&format!("{start}{{*check}}"), service.clone())
        })
    }
}

impl Registry {
    /// The default [`Endpoints`] as an axum router.
    ///
    /// ```
    /// use axum::Router;
    /// use bartizan_health::{Health, Registry};
    ///
    /// let registry = Registry::builder().register("disk", || async { Health::healthy() }).build()?;
    /// let app: Router = Router::new().merge(registry.routes());
    /// # Ok::<_, bartizan_health::HealthError>(())
    /// ```
    pub fn routes<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        Endpoints::new(self.clone()).routes()
    }
}

#[cfg(test)]
mod tests {
    use ::axum::{body::Body, routing::get};
    use http::{Method, Request, StatusCode, header};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::{Exposure, Health, HealthLayer};

    fn registry() -> Registry {
        Registry::builder().register("db", || async { Health::healthy() }).build().unwrap()
    }

    async fn ask(app: &Router, method: Method, path: &str) -> (StatusCode, Option<String>, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let length = response.headers().get(header::CONTENT_LENGTH).map(|v| v.to_str().unwrap().to_owned());
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, length, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_router_serves_every_path_with_and_without_slash() {
        let app = Router::new().merge(registry().routes());
        for path in Endpoints::new(registry()).paths().all() {
            assert_eq!(ask(&app, Method::GET, &path).await.0, 200, "{path}");
            assert_eq!(ask(&app, Method::GET, &format!("{path}/")).await.0, 200, "{path}/");
        }
        assert_eq!(ask(&app, Method::GET, "/health/other").await.0, 404);
        assert_eq!(ask(&app, Method::GET, "/readyz/db").await.0, 404, "names are not for everybody");
        assert_eq!(ask(&app, Method::POST, "/health").await.0, 405);
        assert_eq!(ask(&app, Method::OPTIONS, "/health").await.0, 204);
    }

    #[tokio::test(start_paused = true)]
    async fn the_router_serves_single_checks_and_groups() {
        let endpoints = Endpoints::new(registry()).exposure(Exposure::full()).group("all", "/allz").unwrap();
        let app = Router::new().merge(endpoints.routes());
        for (path, expected) in [
            ("/readyz/db", 200),
            ("/health/ready/db", 200),
            ("/livez/db", 404),
            ("/readyz/other", 404),
            ("/allz", 200),
            ("/allz/db", 404),
        ] {
            assert_eq!(ask(&app, Method::GET, path).await.0, expected, "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn head_has_the_length_of_get() {
        for app in [
            Router::new().merge(registry().routes()),
            Router::new().route("/", get(|| async { "" })).layer(HealthLayer::new(registry())),
        ] {
            let (_, length, body) = ask(&app, Method::GET, "/readyz").await;
            assert_eq!(length, Some(body.len().to_string()));
            let (status, head_length, head_body) = ask(&app, Method::HEAD, "/readyz").await;
            assert_eq!((status, head_length, &*head_body), (StatusCode::OK, length, ""));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_nested_router_and_a_base_that_is_an_alias_work() {
        let endpoints = Endpoints::new(registry()).base_path("/ready").unwrap();
        let app: Router = Router::new().nest("/internal", endpoints.routes());
        assert_eq!(ask(&app, Method::GET, "/internal/ready/live").await.2, r#"{"status":"alive"}"#);
        assert!(ask(&app, Method::GET, "/internal/ready").await.2.starts_with(r#"{"status":"healthy""#));
        assert_eq!(ask(&app, Method::GET, "/internal/livez").await.0, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn the_layer_answers_for_a_router_and_passes_the_rest_on() {
        let app =
            Router::new().route("/orders", get(|| async { "orders" })).layer(HealthLayer::new(registry()));
        assert_eq!(ask(&app, Method::GET, "/health/live").await.2, r#"{"status":"alive"}"#);
        assert_eq!(ask(&app, Method::GET, "/orders").await.2, "orders");
        assert_eq!(ask(&app, Method::GET, "/other").await.0, 404);
    }
}
