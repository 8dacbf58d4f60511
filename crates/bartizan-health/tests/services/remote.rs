//! Other services, over HTTP, HTTPS and gRPC.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bartizan_health::{
    Group, Registry, Status,
    checks::{GrpcCheck, HttpCheck, TcpCheck},
};
use http::{HeaderValue, header::AUTHORIZATION};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
    server::TlsStream,
};
use tonic::transport::{Endpoint, Server, server::TcpIncoming};

use crate::{follows, options};

/// A service with health paths, of which one check can be switched.
async fn other(address: SocketAddr) -> (SocketAddr, Registry, JoinHandle<()>) {
    let registry = Registry::new();
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = registry.routes();
    let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (address, registry, server)
}

fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

// R-HLT-6
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_goes_with_another_service_over_http_and_tcp() {
    let (address, its_registry, server) = other(anywhere()).await;
    let registry = Registry::new();
    let url = format!("http://{address}/readyz");
    registry.register_with("orders", HttpCheck::new(&url).unwrap(), options()).unwrap();
    registry.register_with("port", TcpCheck::new(address.to_string()), options()).unwrap();
    for name in ["orders", "port"] {
        follows(&registry, name, Status::Healthy).await;
    }
    its_registry.register("database", || async { Err::<(), _>("down") }).unwrap();
    assert_eq!(follows(&registry, "orders", Status::Unhealthy).await, "answered 503 Service Unavailable");
    its_registry.unregister("database");
    follows(&registry, "orders", Status::Healthy).await;

    server.abort();
    let _ = server.await;
    for name in ["orders", "port"] {
        let message = follows(&registry, name, Status::Unhealthy).await;
        assert!(message.contains("Connection refused"), "{message}");
    }
    let (_, _, server) = other(address).await;
    for name in ["orders", "port"] {
        follows(&registry, name, Status::Healthy).await;
    }
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_carries_its_headers_and_follows_no_redirect() {
    let routes = axum::Router::new()
        .route("/moved", axum::routing::get(|| async { axum::response::Redirect::to("/no/such/path") }))
        .route(
            "/token",
            axum::routing::get(|headers: http::HeaderMap| async move {
                match headers.get(AUTHORIZATION) {
                    Some(value) if value == "Bearer pl4nted" => http::StatusCode::NO_CONTENT,
                    _ => http::StatusCode::UNAUTHORIZED,
                }
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let get = |path: &str| HttpCheck::new(&format!("http://{address}{path}")).unwrap();
    let registry = Registry::builder()
        .answer_within(Duration::from_mins(1))
        .register("moved", get("/moved"))
        .register("token", get("/token").header(AUTHORIZATION, HeaderValue::from_static("Bearer pl4nted")))
        .register("none", get("/token"))
        .build()
        .unwrap();
    let checks = registry.report(Group::All).await.checks;
    let statuses: Vec<_> = checks.iter().map(|check| check.status).collect();
    assert_eq!(statuses, [Status::Healthy, Status::Healthy, Status::Unhealthy]);
    assert_eq!(checks[0].details.as_deref(), Some(&serde_json::json!({ "status": 303 })));
    server.abort();
}

/// Connections over TLS, for `axum::serve`.
struct Tls(TcpListener, TlsAcceptor);

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, peer)) = self.0.accept().await else { continue };
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

// R-HLT-6
#[tokio::test(flavor = "multi_thread")]
async fn https_trusts_whom_it_is_told_to_trust() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = Tls(listener, TlsAcceptor::from(Arc::new(config)));
    let server = tokio::spawn(async move { axum::serve(tls, Registry::new().routes()).await });

    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut trusting = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    trusting.alpn_protocols = vec![b"h2".to_vec()];
    let url = format!("https://localhost:{port}/readyz");
    let registry = Registry::new();
    let trusts = HttpCheck::new(&url).unwrap().tls(trusting);
    registry.register_with("trusts", trusts, options()).unwrap();
    registry.register_with("does not", HttpCheck::new(&url).unwrap(), options()).unwrap();
    follows(&registry, "trusts", Status::Healthy).await;
    let message = follows(&registry, "does not", Status::Unhealthy).await;
    assert!(message.contains("invalid peer certificate: UnknownIssuer"), "{message}");
    server.abort();
}

// R-HLT-6
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_goes_with_another_service_over_grpc() {
    let its_registry = Registry::new();
    let serve = |address: SocketAddr| {
        let incoming = TcpIncoming::bind(address).unwrap();
        let (address, health) = (incoming.local_addr().unwrap(), its_registry.grpc());
        let health = health.service("shop.v1.Payments", [""; 0]).build().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { stopped.await.unwrap_or_default() };
        let serve = Server::builder().add_service(health).serve_with_incoming_shutdown(incoming, stopped);
        (address, stop, tokio::spawn(serve))
    };
    let (address, stop, server) = serve(anywhere());
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let registry = Registry::new();
    for (name, service) in [("payments", "shop.v1.Payments"), ("whole", ""), ("unknown", "shop.v1.Other")] {
        registry.register_with(name, GrpcCheck::new(channel.clone(), service), options()).unwrap();
    }
    follows(&registry, "payments", Status::Healthy).await;
    assert_eq!(follows(&registry, "unknown", Status::Unhealthy).await, "NotFound: unknown service");
    its_registry.register("database", || async { Err::<(), _>("down") }).unwrap();
    assert_eq!(follows(&registry, "whole", Status::Unhealthy).await, "NOT_SERVING");
    its_registry.unregister("database");
    follows(&registry, "whole", Status::Healthy).await;

    drop(stop);
    server.await.unwrap().unwrap();
    let refused = async {
        loop {
            let message = follows(&registry, "payments", Status::Unhealthy).await;
            if message.contains("Connection refused") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), refused).await.expect("it says why");
    let (_, _stop, _) = serve(address);
    follows(&registry, "payments", Status::Healthy).await;
}
