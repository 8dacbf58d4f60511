//! Health paths and interceptors on a tonic server.

use bartizan::core::CorrelationId;
use bartizan::grpc::{ClientInterceptor, ServerInterceptor};
use bartizan::health::{Drain, HealthLayer, Registry};
use bartizan_tests::Lab;
use grpc_example::Echo;
use grpc_example::pb::echo_client::EchoClient;
use grpc_example::pb::echo_server::EchoServer;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tonic::service::Interceptor;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tower::{Service, ServiceExt};

use crate::server::{ask, completed, request, turn};

#[tokio::test]
async fn health_metrics_and_config_are_answered_and_calls_passed_on() {
    let _turn = turn().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stack = &Lab::get().stack;
    let server = Server::builder()
        .layer(HealthLayer::from(stack.health_endpoints().clone()))
        .layer(stack.metrics_endpoint().clone().layer())
        .layer(stack.layer())
        .add_service(EchoServer::new(Echo));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let mut channel = Channel::from_shared(address).unwrap().connect().await.unwrap();

    let probe = http::Request::get("/health/live").header("x-correlation-id", "grpc-probe");
    let probe = probe.body(tonic::body::Body::empty()).unwrap();
    let response = channel.ready().await.unwrap().call(probe).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert!(!response.into_body().collect().await.unwrap().to_bytes().is_empty());
    assert!(Lab::get().lines_with("correlation_id", "grpc-probe").is_empty(), "a probe is no traffic");
    for (path, wanted) in [("/metrics", "process_threads"), ("/observability/config", "\"lab\"")] {
        let page = http::Request::get(path).body(tonic::body::Body::empty()).unwrap();
        let page = channel.ready().await.unwrap().call(page).await.unwrap();
        let page = page.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&page).contains(wanted), "{path}");
    }

    let (id, unary) = request(ask(Code::Ok, 0));
    EchoClient::new(channel).unary(unary).await.unwrap();
    assert_eq!(completed(&id).await["grpc_code"], "OK");
}

/// What an interceptor inside of the stack sees, sent on.
fn relay(request: Request<()>) -> Result<Request<()>, Status> {
    let request = ServerInterceptor::new().call(request)?;
    let mut outgoing = Request::new(());
    *outgoing.extensions_mut() = request.extensions().clone();
    let outgoing = ClientInterceptor::new().call(outgoing)?;
    let here = ClientInterceptor::new().call(Request::new(()))?;
    let sent = |request: &Request<()>, name: &str| {
        request.metadata().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    tracing::info!(
        id = request.extensions().get::<CorrelationId>().map(CorrelationId::as_str),
        sent = sent(&outgoing, "x-correlation-id"),
        parent = sent(&outgoing, "traceparent"),
        current = sent(&here, "x-correlation-id"),
        current_parent = sent(&here, "traceparent"),
        "relayed"
    );
    Ok(request)
}

#[tokio::test]
async fn inside_of_the_stack_interceptors_keep_its_id_and_trace() {
    let _turn = turn().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder()
        .layer(Lab::get().stack.layer())
        .add_service(EchoServer::with_interceptor(Echo, relay));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let mut client = EchoClient::connect(address).await.unwrap();
    let (id, unary) = request(ask(Code::Ok, 0));
    client.unary(unary).await.unwrap();
    let end = completed(&id).await;
    let line = crate::server::logged(&id, "relayed").await;
    for field in ["id", "sent", "current"] {
        assert_eq!(line[field], *id, "{field}");
    }
    let parent = format!("00-{}-{}-01", end["trace_id"].as_str().unwrap(), end["span_id"].as_str().unwrap());
    assert_eq!(
        (&line["parent"], &line["current_parent"]),
        (&parent.as_str().into(), &parent.as_str().into())
    );
}

#[tokio::test]
async fn served_over_hyper_a_tonic_service_knows_its_peer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let known = |request: Request<()>| match request.remote_addr() {
        Some(peer) if peer.ip().is_loopback() => Ok(request),
        peer => Err(Status::failed_precondition(format!("{peer:?}"))),
    };
    let routes = Routes::new(EchoServer::with_interceptor(Echo, known));
    tokio::spawn(async move { Drain::new(Registry::new()).serve(listener, routes).await });
    EchoClient::connect(address).await.unwrap().unary(ask(Code::Ok, 0)).await.unwrap();
}
