//! The attributes of spans and metrics against the tables of OpenTelemetry's semantic conventions 1.44 (HTTP spans, RPC spans,
//! gRPC, HTTP metrics, RPC metrics). The tables are written out here, not taken from the code under test.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bartizan::core::PeerAddress;
use bartizan::metrics::{Naming, RedLayer, Store};
use bartizan::trace::opentelemetry::Value;
use bartizan::trace::opentelemetry::trace::SpanKind;
use bartizan::trace::opentelemetry_sdk::trace::SpanData;
use bartizan_tests::{Lab, ScriptedBody, Step};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt, service_fn};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Int,
}
use Kind::{Int, Text};

type Table = &'static [(&'static str, Kind)];

/// What a span may have on top of what it must have: recommended, or optional.
const HTTP_SERVER_MAY: Table = &[
    ("client.address", Text),
    ("network.peer.address", Text),
    ("network.peer.port", Int),
    ("network.protocol.version", Text),
    ("server.address", Text),
    ("server.port", Int),
    ("user_agent.original", Text),
];
const HTTP_CLIENT_MAY: Table = &[
    ("http.request.resend_count", Int),
    ("network.peer.address", Text),
    ("network.peer.port", Int),
    ("network.protocol.version", Text),
    ("url.scheme", Text),
    ("url.template", Text),
];
const RPC_MAY: Table = &[
    ("client.address", Text),
    ("client.port", Int),
    ("network.peer.address", Text),
    ("network.peer.port", Int),
    ("network.protocol.version", Text),
    ("server.address", Text),
    ("server.port", Int),
];
/// Attributes of our own.
const OURS: Table = &[("outcome", Text), ("correlation_id", Text)];

fn kind(value: &Value) -> Option<Kind> {
    match value {
        Value::String(_) => Some(Text),
        Value::I64(_) => Some(Int),
        _ => None,
    }
}

/// The span of the request with this correlation id.
fn span(id: &str, side: &SpanKind) -> SpanData {
    let has = |span: &SpanData| {
        span.attributes.iter().any(|pair| pair.key.as_str() == "correlation_id" && pair.value.as_str() == id)
            || span.attributes.iter().any(|pair| pair.value.as_str().contains(id))
    };
    let mut spans = Lab::get().spans().into_iter().filter(|span| span.span_kind == *side && has(span));
    let span = spans.next().unwrap_or_else(|| panic!("no span for {id}"));
    assert!(spans.next().is_none(), "more than one span for {id}");
    span
}

fn check(span: &SpanData, must: Table, may: Table) {
    for (key, wanted) in must {
        let value = span.attributes.iter().find(|pair| pair.key.as_str() == *key);
        let value = value.unwrap_or_else(|| panic!("{}: {key} is missing: {:?}", span.name, span.attributes));
        assert_eq!(kind(&value.value), Some(*wanted), "{key}");
    }
    let mut keys: Vec<_> = span.attributes.iter().map(|pair| pair.key.as_str()).collect();
    keys.sort_unstable();
    let all = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), all, "an attribute is there twice: {:?}", span.attributes);
    for pair in &span.attributes {
        let known = must.iter().chain(may).chain(OURS).find(|(key, _)| *key == pair.key.as_str());
        let (key, wanted) =
            known.unwrap_or_else(|| panic!("{}: {} is not in the table", span.name, pair.key));
        assert_eq!(kind(&pair.value), Some(*wanted), "{key}");
    }
}

fn app() -> Router {
    Router::new()
        .route("/item/{id}", get(|| async { "fine" }))
        .route("/broken", get(|| async { http::StatusCode::SERVICE_UNAVAILABLE }))
        .layer(Lab::get().stack.layer())
}

async fn drain<S, B, R>(service: S, request: Request<B>)
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: std::fmt::Debug,
    R: http_body::Body,
{
    if let Ok(response) = service.oneshot(request).await {
        let _ = response.into_body().collect().await;
    }
}

fn request(method: &str, uri: &str, id: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri).header("x-correlation-id", id);
    request = request.header("host", "shop.example:8443").header("user-agent", "tester");
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(PeerAddress("192.0.2.7:4711".parse().unwrap()));
    request
}

#[tokio::test]
async fn http_server_spans_have_the_tables_attributes() {
    drain(app(), request("GET", "/item/1?q=1", "http-ok")).await;
    check(
        &span("http-ok", &SpanKind::Server),
        &[
            ("http.request.method", Text),
            ("url.path", Text),
            ("url.scheme", Text),
            ("http.response.status_code", Int),
            ("http.route", Text),
            ("url.query", Text),
            ("server.address", Text),
            ("server.port", Int),
            ("client.address", Text),
            ("network.peer.address", Text),
            ("network.peer.port", Int),
            ("network.protocol.version", Text),
            ("user_agent.original", Text),
        ],
        &[],
    );
    // Without a route and a query, and with a method that nobody knows.
    drain(app(), request("BREW", "/nowhere", "http-other")).await;
    check(
        &span("http-other", &SpanKind::Server),
        &[
            ("http.request.method", Text),
            ("http.request.method_original", Text),
            ("url.path", Text),
            ("url.scheme", Text),
            ("http.response.status_code", Int),
        ],
        HTTP_SERVER_MAY,
    );
    drain(app(), request("GET", "/broken", "http-error")).await;
    check(
        &span("http-error", &SpanKind::Server),
        &[
            ("http.request.method", Text),
            ("url.path", Text),
            ("url.scheme", Text),
            ("http.response.status_code", Int),
            ("http.route", Text),
            ("error.type", Text),
        ],
        HTTP_SERVER_MAY,
    );
}

fn grpc(status: &'static str) -> Response<ScriptedBody> {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), status.parse().unwrap())]);
    let mut response = Response::new(ScriptedBody::new([Step::Data("\0\0\0\0\0"), Step::Trailers(trailers)]));
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response
}

fn call(uri: &str, id: &str) -> Request<Body> {
    let mut request = request("POST", uri, id);
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    request
}

#[tokio::test]
async fn rpc_server_spans_have_the_tables_attributes() {
    let serve = |status| {
        let service = service_fn(move |_: Request<Body>| async move { Ok::<_, Infallible>(grpc(status)) });
        Lab::get().stack.layer().layer(service)
    };
    drain(serve("0"), call("/shop.v1.Stock/Take", "rpc-ok")).await;
    let must: Table = &[
        ("rpc.system.name", Text),
        ("rpc.method", Text),
        ("rpc.response.status_code", Text),
        ("server.address", Text),
        ("server.port", Int),
    ];
    check(&span("rpc-ok", &SpanKind::Server), must, RPC_MAY);
    drain(serve("13"), call("/shop.v1.Stock/Take", "rpc-error")).await;
    check(
        &span("rpc-error", &SpanKind::Server),
        &[
            ("rpc.system.name", Text),
            ("rpc.method", Text),
            ("rpc.response.status_code", Text),
            ("error.type", Text),
        ],
        RPC_MAY,
    );
    drain(serve("12"), call("/made.up/Method", "rpc-other")).await;
    check(
        &span("rpc-other", &SpanKind::Server),
        &[
            ("rpc.system.name", Text),
            ("rpc.method", Text),
            ("rpc.method_original", Text),
            ("rpc.response.status_code", Text),
            ("error.type", Text),
        ],
        RPC_MAY,
    );
}

#[tokio::test]
async fn client_spans_have_the_tables_attributes() {
    let stack = Lab::get().stack.client_layer();
    let answer = |status: u16| {
        let service = service_fn(move |_: Request<Body>| async move {
            Ok::<_, Infallible>(Response::builder().status(status).body(Body::from("fine")).unwrap())
        });
        stack.layer(service)
    };
    let must: Table = &[
        ("http.request.method", Text),
        ("server.address", Text),
        ("server.port", Int),
        ("url.full", Text),
        ("http.response.status_code", Int),
    ];
    drain(answer(200), request("GET", "http://stock.example/client-ok", "c1")).await;
    check(&span("client-ok", &SpanKind::Client), must, HTTP_CLIENT_MAY);
    drain(answer(404), request("GET", "http://stock.example/client-missing", "c2")).await;
    check(
        &span("client-missing", &SpanKind::Client),
        &[
            ("http.request.method", Text),
            ("server.address", Text),
            ("server.port", Int),
            ("url.full", Text),
            ("http.response.status_code", Int),
            ("error.type", Text),
        ],
        HTTP_CLIENT_MAY,
    );
    let failing = service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>("no") });
    drain(stack.layer(failing), request("GET", "http://stock.example/client-failed", "c3")).await;
    check(
        &span("client-failed", &SpanKind::Client),
        &[
            ("http.request.method", Text),
            ("server.address", Text),
            ("server.port", Int),
            ("url.full", Text),
            ("error.type", Text),
        ],
        HTTP_CLIENT_MAY,
    );
    let rpc = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(grpc("5")) });
    drain(stack.layer(rpc), call("http://stock.example:50051/shop.v1.Client/Find", "c4")).await;
    check(
        &span("shop.v1.Client/Find", &SpanKind::Client),
        &[
            ("rpc.system.name", Text),
            ("rpc.method", Text),
            ("rpc.response.status_code", Text),
            ("server.address", Text),
            ("server.port", Int),
            ("error.type", Text),
        ],
        RPC_MAY,
    );
}

/// The label names of the one histogram of this name on the page.
fn labels(page: &str, name: &str) -> Vec<String> {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}_count{{")))
        .unwrap_or_else(|| panic!("{name}:\n{page}"));
    let labels = line.rsplit_once("} ").unwrap().0;
    labels.split("\",").map(|label| label.split('=').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn metrics_have_the_tables_attributes() {
    let store = Store::new();
    let red = RedLayer::new().recorder(store.clone()).naming(Naming::OpenTelemetry);
    let page = || String::from_utf8(store.page(&HeaderMap::new()).body.to_vec()).unwrap();
    let router = Router::new().route("/item/{id}", get(|| async { http::StatusCode::SERVICE_UNAVAILABLE }));
    drain(router.layer(red.clone()), request("GET", "/item/1", "m1")).await;
    assert_eq!(
        labels(&page(), "http_server_request_duration_seconds"),
        [
            "error_type",
            "http_request_method",
            "http_response_status_code",
            "http_route",
            "network_protocol_version",
            "url_scheme",
        ]
    );
    let service = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(grpc("13")) });
    drain(red.layer(service), call("/shop.v1.Stock/Take", "m2")).await;
    let wanted = ["error_type", "rpc_method", "rpc_response_status_code", "rpc_system_name"];
    assert_eq!(labels(&page(), "rpc_server_call_duration_seconds"), wanted);
}
