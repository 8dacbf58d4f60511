//! Calls that do not end by a status of the service's own: cancelled, late, panicked, broken, or without a status.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::routing::post;
use bartizan_core::{Clock, ObserveLayer, Settings};
use bartizan_tests::{Lab, ScriptedBody, Step, Witness};
use futures_util::stream;
use grpc_example::pb::EchoRequest;
use grpc_example::pb::echo_client::EchoClient;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tonic::Code;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tower::{Layer, ServiceExt, service_fn};

use crate::server::{Told, ask, client, hang, logged, request, turn};

const UNARY: &str = "/demo.v1.Echo/Unary";
const SERVER_STREAM: &str = "/demo.v1.Echo/ServerStream";

/// A client whose two methods are known already.
async fn known() -> EchoClient<Channel> {
    let mut client = client().await;
    client.unary(ask(Code::Ok, 0)).await.unwrap();
    let mut replies = client.server_stream(ask(Code::Ok, 1)).await.unwrap().into_inner();
    while replies.message().await.unwrap().is_some() {}
    client
}

fn in_flight(method: &str) -> f64 {
    let labels = [("grpc_service", "demo.v1.Echo"), ("grpc_method", method)];
    Lab::get().sample("grpc_server_in_flight", &labels).unwrap_or_default()
}

#[tokio::test]
async fn a_client_that_goes_away_is_a_cancel() {
    let _turn = turn().await;
    let mut client = known().await;

    let told = Told {
        outcome: "cancelled_before_head",
        error_type: Some("cancelled_before_head"),
        ..Told::status(UNARY, "CANCELLED", 1, 0)
    };
    let before = told.handled();
    let (id, unary) = request(hang(0));
    let call = tokio::spawn({
        let mut client = client.clone();
        async move { client.unary(unary).await }
    });
    logged(&id, "hanging, as asked").await;
    assert_eq!(in_flight("Unary"), 1.0);
    call.abort();
    told.check(&id, before).await;

    let told = Told {
        outcome: "cancelled_mid_body",
        error_type: Some("cancelled_mid_body"),
        ..Told::status(SERVER_STREAM, "CANCELLED", 1, 2)
    };
    let before = told.handled();
    let (id, streaming) = request(hang(2));
    let mut replies = client.server_stream(streaming).await.unwrap().into_inner();
    for _ in 0..2 {
        replies.message().await.unwrap().unwrap();
    }
    assert_eq!(in_flight("ServerStream"), 1.0);
    drop(replies);
    told.check(&id, before).await;
}

#[tokio::test]
async fn a_call_past_its_deadline_is_told_from_a_cancel() {
    let _turn = turn().await;
    let mut client = known().await;
    let told = Told {
        outcome: "cancelled_before_head",
        span_fails: true,
        ..Told::status(UNARY, "DEADLINE_EXCEEDED", 1, 0)
    };
    let before = told.handled();
    let (id, mut unary) = request(hang(0));
    // Long enough for the message to arrive.
    unary.set_timeout(Duration::from_millis(600));
    // Tonic calls it so on both sides.
    assert_eq!(client.unary(unary).await.unwrap_err().message(), "Timeout expired");
    told.check(&id, before).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_cancelled_at_its_deadline_is_told_from_one_that_is_before() {
    for (waited, code) in [(500, "DEADLINE_EXCEEDED"), (100, "CANCELLED")] {
        let witness = Witness::default();
        let clock = Clock::new(|| tokio::time::Instant::now().into_std());
        let layer = ObserveLayer::with_settings(witness.clone(), Settings { clock, ..Settings::default() });
        let service = layer.layer(service_fn(|_| async {
            let body = ScriptedBody::new([Step::Data("\0\0\0\0\x01m"), Step::Hang]);
            Ok::<_, std::convert::Infallible>(http::Response::new(body))
        }));
        let request = http::Request::post("/a.B/C")
            .header("content-type", "application/grpc")
            .header("grpc-timeout", "500m")
            .body(ScriptedBody::default().that_tells_its_end());
        let mut body = service.oneshot(request.unwrap()).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        tokio::time::advance(Duration::from_millis(waited)).await;
        drop(body);
        let seen = witness.sole();
        assert_eq!(seen.ending.grpc_code.unwrap().as_str(), code);
        assert_eq!(seen.ending.outcome.as_str(), "cancelled_mid_body");
        assert_eq!(seen.ending.is_error(), code == "DEADLINE_EXCEEDED");
        assert_eq!((seen.ending.request_messages, seen.ending.response_messages), (Some(0), Some(1)));
        assert_eq!(seen.route, "_OTHER");
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_internal_and_the_id() {
    let _turn = turn().await;
    let mut client = known().await;
    let told =
        Told { outcome: "panicked", error_type: Some("panicked"), ..Told::status(UNARY, "INTERNAL", 1, 0) };
    let before = told.handled();
    let (id, panicking) = request(EchoRequest { panic: true, ..EchoRequest::default() });
    let status = client.unary(panicking).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "internal server error"));
    assert_eq!(status.metadata().get("x-correlation-id").unwrap().to_str().unwrap(), id);
    told.check(&id, before).await;
}

/// A server that says it talks gRPC, and knows little of it.
async fn raw() -> EchoClient<Channel> {
    async fn without_status() -> http::Response<Body> {
        grpc(Body::from(Bytes::from_static(b"\0\0\0\0\0")))
    }
    async fn broken() -> http::Response<Body> {
        let frames = [Ok(Bytes::from_static(b"\0\0\0\0\0")), Err(io::Error::other("planted"))];
        grpc(Body::from_stream(stream::iter(frames)))
    }
    fn grpc(body: Body) -> http::Response<Body> {
        http::Response::builder().header("content-type", "application/grpc").body(body).unwrap()
    }
    let router = axum::Router::new().route(UNARY, post(without_status)).route(SERVER_STREAM, post(broken));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(Lab::get().stack.layer()).add_routes(Routes::from(router));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    EchoClient::connect(format!("http://{address}")).await.unwrap()
}

#[tokio::test]
async fn a_response_without_a_status_is_unknown_and_a_broken_one_internal() {
    let _turn = turn().await;
    known().await;
    let mut client = raw().await;

    let told = Told::status(UNARY, "UNKNOWN", 0, 1);
    let before = told.handled();
    let (id, unary) = request(ask(Code::Ok, 0));
    let _ = client.unary(unary).await;
    told.check(&id, before).await;

    let told = Told {
        outcome: "body_error",
        error_type: Some("body_error"),
        ..Told::status(SERVER_STREAM, "INTERNAL", 0, 1)
    };
    let before = told.handled();
    let (id, streaming) = request(ask(Code::Ok, 0));
    let status = match client.server_stream(streaming).await {
        Ok(response) => {
            let mut replies = response.into_inner();
            loop {
                match replies.message().await {
                    Ok(message) => assert!(message.is_some(), "the stream broke"),
                    Err(status) => break status,
                }
            }
        }
        Err(status) => status,
    };
    assert_eq!(status.code(), Code::Internal, "{status:?}");
    told.check(&id, before).await;
}
