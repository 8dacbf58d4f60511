//! Calls that go out, over loopback: one trace, one correlation id, and every end told alike by span and metric.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bartizan::trace::opentelemetry::trace::{SpanId, SpanKind, Status};
use bartizan::trace::opentelemetry_sdk::trace::SpanData;
use bartizan_tests::{Lab, ScriptedBody, Step};
use futures_util::FutureExt;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::timeout::Timeout;
use tower::{Layer, Service, ServiceExt, service_fn};

type Plain = Client<HttpConnector, Body>;

fn plain() -> Plain {
    Client::builder(TokioExecutor::new()).build_http()
}

/// The address of a server with the fused stack, on an own task.
async fn server() -> String {
    let app = Router::new()
        .route("/echo/{id}", get(|| async { "fine" }).post(|body: String| async { body }))
        .route("/missing", get(|| async { http::StatusCode::NOT_FOUND }))
        .route("/hang", get(std::future::pending::<&str>))
        .route("/broken", get(broken))
        .route("/shop.Stock/Take", post(take))
        .route("/shop.Stock/Miss", post(miss))
        .route("/shop.Stock/Hang", post(std::future::pending::<&str>))
        .route("/front/{address}", get(front))
        .route("/spawned/{address}", get(spawned))
        .layer(Lab::get().stack.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

async fn broken() -> Body {
    Body::new(ScriptedBody::new([Step::Data("first"), Step::Yield, Step::Error]))
}

async fn take() -> impl IntoResponse {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
    let body = ScriptedBody::new([Step::Data("\0\0\0\0\0"), Step::Yield, Step::Trailers(trailers)]);
    ([("content-type", "application/grpc")], Body::new(body))
}

async fn miss() -> impl IntoResponse {
    ([("content-type", "application/grpc"), ("grpc-status", "5")], Body::empty())
}

/// Calls the server at this address, and passes its answer on.
async fn front(axum::extract::Path(address): axum::extract::Path<String>) -> String {
    let client = Lab::get().stack.client_layer().layer(plain());
    let request = Request::get(format!("http://{address}/echo/7?token=planted")).body(Body::empty()).unwrap();
    let body = client.oneshot(request).await.unwrap().into_body();
    String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// The same from a task of its own.
async fn spawned(address: axum::extract::Path<String>) -> String {
    bartizan::spawn(front(address)).await.unwrap()
}

fn call(address: &str, path: &str, id: &str) -> Request<Body> {
    let request = Request::get(format!("http://{address}{path}")).header("x-correlation-id", id);
    request.body(Body::empty()).unwrap()
}

fn text(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.to_string())
}

/// The spans of this kind with this correlation id, as soon as there are so many; the other side may be a little later.
async fn spans(kind: &SpanKind, id: &str, count: usize) -> Vec<SpanData> {
    let wanted =
        |span: &SpanData| span.span_kind == *kind && text(span, "correlation_id").as_deref() == Some(id);
    let found = async {
        loop {
            let found: Vec<_> = Lab::get().spans().into_iter().filter(wanted).collect();
            if found.len() >= count {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(10), found).await.expect("the spans end");
    assert_eq!(found.len(), count, "{id}");
    found
}

/// The client span with this correlation id, and the counter at this address, must say this.
async fn told(id: &str, address: &str, status: &str, outcome: &str, error: Option<&str>) -> SpanData {
    let span = spans(&SpanKind::Client, id, 1).await.remove(0);
    assert_eq!(text(&span, "outcome").as_deref(), Some(outcome), "{id}");
    assert_eq!(text(&span, "error.type").as_deref(), error, "{id}");
    let failed = error.is_some() && !outcome.starts_with("cancelled");
    assert_eq!(span.status == Status::error(""), failed, "{id}");
    let mut labels = vec![("server_address", address), ("status", status), ("outcome", outcome)];
    labels.extend(error.map(|error| ("error_type", error)));
    assert_eq!(Lab::get().sample("http_client_requests_total", &labels), Some(1.0), "{id}");
    span
}

#[tokio::test]
async fn a_call_inside_a_request_or_a_task_of_it_is_one_trace_and_one_correlation_id() {
    let address = server().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    for (route, id) in [("front", "one-trace"), ("spawned", "one-trace-spawned")] {
        let mut request = call(&address, &format!("/{route}/{address}"), id);
        request.headers_mut().insert("traceparent", parent.parse().unwrap());
        let response = plain().request(request).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "fine");

        let client = spans(&SpanKind::Client, id, 1).await.remove(0);
        let servers = spans(&SpanKind::Server, id, 2).await;
        let find = |name: &str| servers.iter().find(|span| span.name == name).unwrap();
        let (outer, inner) = (find(&format!("GET /{route}/{{address}}")), find("GET /echo/{id}"));
        assert_eq!(outer.parent_span_id, SpanId::from(0x00f0_67aa_0ba9_02b7));
        assert_eq!(client.parent_span_id, outer.span_context.span_id());
        assert_eq!(inner.parent_span_id, client.span_context.span_id());
        for span in [outer, &client, inner] {
            assert_eq!(span.span_context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
            assert_eq!(span.span_context.trace_flags().to_u8(), 3, "sampled and random");
        }
        let url = format!("http://{address}/echo/7?token=[REDACTED]");
        assert_eq!(text(&client, "url.full"), Some(url));
        let lines = Lab::get().lines_with("correlation_id", id);
        assert_eq!(lines.iter().filter(|line| line["message"] == "request completed").count(), 2);
    }
}

#[tokio::test]
async fn what_the_connection_logs_belongs_to_the_request_that_calls() {
    let connection = service_fn(|_: Request<Body>| async {
        tracing::info!("connecting");
        Ok::<_, std::io::Error>(Response::new(Body::empty()))
    });
    let handler = service_fn(move |_: Request<Body>| async move {
        let client = Lab::get().stack.client_layer().layer(connection);
        client.oneshot(Request::get("http://stock/").body(Body::empty()).unwrap()).await.unwrap();
        tracing::info!("called");
        Ok::<_, std::io::Error>(Response::new(Body::empty()))
    });
    let request = call("front", "/", "log-lines");
    Lab::get().stack.layer().layer(handler).oneshot(request).await.unwrap();
    let lines = Lab::get().lines_with("correlation_id", "log-lines");
    let find = |message: &str| lines.iter().find(|line| line["message"] == message).unwrap();
    let trace = &find("request completed")["trace_id"];
    assert_eq!(&find("connecting")["trace_id"], trace);
    assert_ne!(find("connecting")["span_id"], find("called")["span_id"], "the client span is current");
    assert_eq!(find("called")["span_id"], find("request completed")["span_id"]);
}

#[tokio::test]
async fn a_status_is_an_error_from_400_on() {
    let address = server().await;
    let client = Lab::get().stack.client_layer().layer(plain());
    for (path, id) in [("/echo/1", "status-200"), ("/missing", "status-404")] {
        let response = client.clone().oneshot(call(&address, path, id)).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    told("status-200", &address, "200", "ok", None).await;
    let span = told("status-404", &address, "404", "client_error", Some("404")).await;
    let (host, port) = address.split_once(':').unwrap();
    assert_eq!(text(&span, "server.address").as_deref(), Some(host));
    assert_eq!(text(&span, "server.port").as_deref(), Some(port));
    assert_eq!(text(&span, "network.protocol.version").as_deref(), Some("1.1"));
}

#[tokio::test]
async fn a_call_without_a_response_says_why() {
    let client = Lab::get().stack.client_layer().layer(plain());
    // Nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    client.clone().oneshot(call(&address, "/", "refused")).await.unwrap_err();
    told("refused", &address, "none", "service_error", Some("connection_refused")).await;

    // Someone hangs up, roughly.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 16]).await.unwrap();
        stream.set_zero_linger().unwrap();
    });
    client.oneshot(call(&address, "/", "reset")).await.unwrap_err();
    told("reset", &address, "none", "service_error", Some("connection_reset")).await;

    // Someone takes too long.
    let address = server().await;
    let impatient = Timeout::new(plain(), Duration::from_millis(50));
    let client = Lab::get().stack.client_layer().layer(impatient);
    client.oneshot(call(&address, "/hang", "timeout")).await.unwrap_err();
    told("timeout", &address, "none", "service_error", Some("timeout")).await;
}

#[tokio::test]
async fn a_handshake_that_fails_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let config = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_only();
    let client: Client<_, Body> =
        Client::builder(TokioExecutor::new()).build(connector.enable_http1().build());
    let mut request = call(&address, "/", "tls");
    *request.uri_mut() = format!("https://{address}/").parse().unwrap();
    Lab::get().stack.client_layer().layer(client).oneshot(request).await.unwrap_err();
    told("tls", &address, "none", "service_error", Some("tls")).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_and_a_body_that_breaks_end_once() {
    let address = server().await;
    let mut client = Lab::get().stack.client_layer().layer(plain());
    let dropped = client.ready().await.unwrap().call(call(&address, "/hang", "dropped"));
    assert!(dropped.now_or_never().is_none());
    told("dropped", &address, "none", "cancelled_before_head", Some("cancelled_before_head")).await;

    let response = client.ready().await.unwrap().call(call(&address, "/broken", "broken")).await.unwrap();
    response.into_body().collect().await.unwrap_err();
    told("broken", &address, "200", "body_error", Some("body_error")).await;
}

#[tokio::test]
async fn a_tonic_channel_is_judged_by_the_code_in_the_trailers() {
    let address = server().await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = Lab::get().stack.client_layer().layer(endpoint.connect_lazy());
    let mut client = tonic::client::Grpc::with_origin(channel, endpoint.uri().clone());
    for (method, id, code) in [("Take", "grpc-ok", "OK"), ("Miss", "grpc-miss", "NOT_FOUND")] {
        client.ready().await.unwrap();
        let mut request = tonic::Request::new(());
        request.metadata_mut().insert("x-correlation-id", id.parse().unwrap());
        let path = http::uri::PathAndQuery::try_from(format!("/shop.Stock/{method}")).unwrap();
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        let answer = client.unary(request, path, codec).await;
        assert_eq!(answer.is_ok(), code == "OK");

        let span = spans(&SpanKind::Client, id, 1).await.remove(0);
        assert_eq!(span.name, format!("shop.Stock/{method}"));
        assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some(code));
        assert_eq!(span.status == Status::error(""), code != "OK");
        let server = spans(&SpanKind::Server, id, 1).await.remove(0);
        assert_eq!(server.parent_span_id, span.span_context.span_id());
        let labels = [
            ("grpc_service", "shop.Stock"),
            ("grpc_method", method),
            ("grpc_code", code),
            ("server_address", &address),
        ];
        assert_eq!(Lab::get().sample("grpc_client_handled_total", &labels), Some(1.0));
    }
}

#[tokio::test]
async fn a_tonic_call_without_an_answer_has_the_code_that_grpc_has_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap().to_string();
    drop(listener);
    let cases = [
        (nobody, "grpc-refused", "UNAVAILABLE", "connection_refused"),
        (server().await, "grpc-late", "DEADLINE_EXCEEDED", "timeout"),
    ];
    for (address, id, code, error) in cases {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = Lab::get().stack.client_layer().layer(endpoint.connect_lazy());
        let mut client = tonic::client::Grpc::with_origin(channel, endpoint.uri().clone());
        client.ready().await.unwrap();
        let mut request = tonic::Request::new(());
        request.metadata_mut().insert("x-correlation-id", id.parse().unwrap());
        request.set_timeout(Duration::from_millis(200));
        let path = http::uri::PathAndQuery::from_static("/shop.Stock/Hang");
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        client.unary(request, path, codec).await.unwrap_err();

        let span = spans(&SpanKind::Client, id, 1).await.remove(0);
        assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some(code), "{id}");
        assert_eq!(text(&span, "error.type").as_deref(), Some(error), "{id}");
        assert_eq!(span.status, Status::error(""), "{id}");
        let labels = [("grpc_code", code), ("error_type", error), ("server_address", &address)];
        assert_eq!(Lab::get().sample("grpc_client_handled_total", &labels), Some(1.0), "{id}");
    }
}

/// Sends every request twice.
struct Twice;

#[async_trait::async_trait]
impl reqwest_middleware::Middleware for Twice {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: reqwest_middleware::Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let again = request.try_clone().unwrap();
        let first = next.clone().run(request, extensions).await?;
        first.bytes().await?;
        next.run(again, extensions).await
    }
}

#[tokio::test]
async fn reqwest_is_watched_attempt_by_attempt() {
    let address = server().await;
    let url = format!("http://{address}/echo/1");
    let layer = Lab::get().stack.client_layer();
    let plain = reqwest::Client::new();
    let client =
        reqwest_middleware::ClientBuilder::new(plain.clone()).with(Twice).with(layer.clone()).build();
    let sent = client.post(&url).header("x-correlation-id", "reqwest").body("seven").send().await.unwrap();
    assert_eq!(sent.url().as_str(), url);
    assert_eq!(sent.text().await.unwrap(), "seven");
    let attempts = spans(&SpanKind::Client, "reqwest", 2).await;
    assert_eq!(text(&attempts[0], "http.request.resend_count"), None);
    assert_eq!(text(&attempts[1], "http.request.resend_count").as_deref(), Some("1"));
    let servers = spans(&SpanKind::Server, "reqwest", 2).await;
    for attempt in &attempts {
        assert!(servers.iter().any(|span| span.parent_span_id == attempt.span_context.span_id()));
    }

    let client = reqwest_middleware::ClientBuilder::new(plain).with(layer).build();
    let hang = format!("http://{address}/hang");
    let hang = client.get(hang).header("x-correlation-id", "reqwest-timeout");
    let error = hang.timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout(), "the request's own timeout and error are kept: {error}");
    told("reqwest-timeout", &address, "none", "service_error", Some("timeout")).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let refused = client.get(format!("http://{address}/")).header("x-correlation-id", "reqwest-refused");
    assert!(refused.send().await.unwrap_err().is_connect());
    told("reqwest-refused", &address, "none", "service_error", Some("connection_refused")).await;
}

#[tokio::test]
async fn bytes_of_the_answer_are_the_callees() {
    let address = server().await;
    let mut client = Lab::get().stack.client_layer().layer(plain());
    let mut request = call(&address, "/echo/1", "whole");
    *request.method_mut() = http::Method::POST;
    *request.body_mut() = Body::from("x".repeat(100_000));
    let response = client.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(100_000));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), Bytes::from("x".repeat(100_000)));
}
