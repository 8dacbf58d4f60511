//! What a layer learns of axum's routes: inside, outside, nested, mounted and unmatched.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bartizan_core::{GrpcCode, ObserveLayer, Observer, Outcome, Record, Routes, Settings};
use bartizan_tests::Witness;
use http::Request;
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt};

fn app() -> Router {
    let nested =
        Router::new().route("/{x}", get(|| async { "nested" })).fallback(|| async { "nested fallback" });
    Router::new().route("/u/{id}", get(|| async { "user" })).nest("/n", nested).nest_service(
        "/files",
        tower::service_fn(|_: Request<Body>| async {
            Ok::<_, std::convert::Infallible>(axum::response::Response::new(Body::from("file")))
        }),
    )
}

fn layer(witness: &Witness) -> ObserveLayer<Witness> {
    let routes = Routes::new().prefix("/files/{*path}").unwrap().prefix("/n").unwrap();
    ObserveLayer::with_settings(witness.clone(), Settings { routes, ..Settings::default() })
}

/// Routes and outcomes of these requests, in order.
async fn routes<S, R>(service: S, witness: &Witness, requests: &[(&str, &str)]) -> Vec<(String, Outcome)>
where
    S: Service<Request<Body>, Response = axum::response::Response<R>, Error = std::convert::Infallible>
        + Clone,
    R: http_body::Body,
    R::Error: std::fmt::Debug,
{
    for (method, path) in requests {
        let request = Request::builder().method(*method).uri(*path).body(Body::empty()).unwrap();
        service.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    }
    assert_eq!(witness.in_flight(), 0);
    witness.seen().into_iter().map(|seen| (seen.route, seen.ending.outcome)).collect()
}

const REQUESTS: [(&str, &str); 7] = [
    ("GET", "/u/1"),
    ("GET", "/n/1"),
    ("GET", "/n/1/2"),
    ("GET", "/files/a/b"),
    ("GET", "/nowhere"),
    ("POST", "/u/1"),
    ("HEAD", "/u/1"),
];

#[tokio::test]
async fn inside_the_router_every_request_has_its_route() {
    let witness = Witness::default();
    let seen = routes(app().layer(layer(&witness)), &witness, &REQUESTS).await;
    assert_eq!(
        seen,
        [
            ("/u/{id}".to_owned(), Outcome::Ok),
            ("/n/{x}".to_owned(), Outcome::Ok),
            ("/n".to_owned(), Outcome::Ok),
            ("/files/{*path}".to_owned(), Outcome::Ok),
            ("unmatched".to_owned(), Outcome::ClientError),
            ("/u/{id}".to_owned(), Outcome::ClientError),
            ("/u/{id}".to_owned(), Outcome::Ok),
        ]
    );
}

#[tokio::test]
async fn as_a_route_layer_it_sees_what_is_routed_only() {
    let witness = Witness::default();
    let seen = routes(app().route_layer(layer(&witness)), &witness, &REQUESTS).await;
    let names: Vec<_> = seen.iter().map(|(route, _)| route.as_str()).collect();
    assert!(
        names.contains(&"/u/{id}") && names.contains(&"/n/{x}") && names.contains(&"/files/{*path}"),
        "{names:?}"
    );
    assert!(!names.contains(&"unmatched"), "{names:?}");
}

#[tokio::test]
async fn around_the_router_routes_come_from_prefixes_or_from_a_layer_inside() {
    let witness = Witness::default();
    let seen = routes(layer(&witness).layer(app()), &witness, &REQUESTS[..5]).await;
    let names: Vec<_> = seen.iter().map(|(route, _)| route.as_str()).collect();
    assert_eq!(names, ["unmatched", "/n", "/n", "/files/{*path}", "unmatched"]);

    let (outer, inner) = (Witness::default(), Witness::default());
    let around = layer(&outer).layer(app().layer(ObserveLayer::new(inner.clone())));
    let seen = routes(around, &outer, &REQUESTS[..5]).await;
    let names: Vec<_> = seen.iter().map(|(route, _)| route.as_str()).collect();
    assert_eq!(names, ["/u/{id}", "/n/{x}", "/n", "/files/{*path}", "unmatched"]);
    assert_eq!(inner.seen().len(), 5);
}

#[tokio::test]
async fn a_layer_that_is_met_twice_watches_once() {
    let witness = Witness::default();
    let layer = layer(&witness);
    let seen = routes(app().layer(layer.clone()).layer(layer), &witness, &REQUESTS).await;
    assert_eq!(seen.len(), REQUESTS.len());
    assert_eq!(seen[0], ("/u/{id}".to_owned(), Outcome::Ok));
}

/// A witness that leaves no record with the request.
#[derive(Clone, Default)]
struct Unshared(Witness);

impl Observer for Unshared {
    type Exchange = <Witness as Observer>::Exchange;

    fn shares_record(&self) -> bool {
        false
    }

    fn begin<B>(&self, request: &mut http::Request<B>, record: &Record) -> Self::Exchange {
        self.0.begin(request, record)
    }
}

#[tokio::test]
async fn a_record_that_is_not_left_with_the_request_is_found_as_well() {
    let (outer, inner) = (Unshared::default(), Witness::default());
    let layer = ObserveLayer::new(outer.clone());
    let nested =
        axum::Router::new().nest("/a", app().layer(layer.clone()).layer(ObserveLayer::new(inner.clone())));
    let requests = [("GET", "/a/u/7"), ("GET", "/a/n/7")];
    let seen = routes(layer.layer(nested), &outer.0, &requests).await;
    let names: Vec<_> = seen.iter().map(|(route, _)| route.as_str()).collect();
    assert_eq!(names, ["/a/u/{id}", "/a/n/{x}"], "watched once, and the route is learned from inside");
    assert_eq!(inner.seen().len(), 2);
}

#[tokio::test]
async fn a_client_that_claims_to_speak_grpc_does_not_make_a_call_of_a_resource() {
    let witness = Witness::default();
    let app = Router::new()
        .route("/reset/{token}", post(|| async { "reset" }))
        .route("/a.B/{*rest}", post(|| async { "no status" }))
        .layer(layer(&witness));
    for (path, route, outcome, code) in [
        ("/reset/x", "/reset/{token}", Outcome::Ok, None),
        ("/a.B/C", "_OTHER", Outcome::ServerError, Some(GrpcCode::UNKNOWN)),
    ] {
        let request =
            Request::post(path).header("content-type", "application/grpc").body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
        let seen = witness.seen().pop().unwrap();
        assert_eq!((seen.route.as_str(), seen.ending.outcome, seen.ending.grpc_code), (route, outcome, code));
    }
}
