//! `grpc.health.v1` over real connections.
#![cfg(feature = "tonic")]

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bartizan_health::{
    CheckOptions, Group, Registry,
    grpc::proto::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest,
        health_check_response::ServingStatus::{self, NotServing, ServiceUnknown, Serving},
        health_client::HealthClient,
    },
};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use tonic::{
    Code, Streaming,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

/// A server on a free port, and what ends it.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Running {
    fn start(registry: &Registry, max_watchers: usize) -> Self {
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = incoming.local_addr().expect("it is bound");
        let health = registry
            .grpc()
            .service("shop.v1.Orders", ["database"])
            .max_watchers(max_watchers)
            .check_names(true);
        let server = Server::builder().add_service(health.build().expect("the check is registered"));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let server = tokio::spawn(server.serve_with_incoming_shutdown(incoming, stopped));
        Self { address, stop, server }
    }

    async fn client(&self) -> HealthClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).expect("an address");
        HealthClient::new(endpoint.connect().await.expect("a server"))
    }
}

/// A registry whose `database` can be switched off, and is asked again at once if somebody wants to know.
fn switched() -> (Registry, Arc<AtomicBool>) {
    let down = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&down);
    let check = move || std::future::ready(if flag.load(Ordering::SeqCst) { Err("s3cret") } else { Ok(()) });
    let registry = Registry::new();
    registry.register_with("database", check, CheckOptions::new().ttl(Duration::ZERO)).expect("a new name");
    (registry, down)
}

fn named(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

async fn told(stream: &mut Streaming<HealthCheckResponse>) -> Option<ServingStatus> {
    soon(stream.message()).await.expect("no error").map(|response| response.status())
}

/// Fails a test that would hang.
async fn soon<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(30), future).await.expect("it takes far too long")
}

// R-HLT-7
#[tokio::test]
async fn check_list_and_watch_answer_over_the_wire() {
    let (registry, down) = switched();
    let running = Running::start(&registry, 10);
    let mut client = running.client().await;
    for service in ["", "readiness", "liveness", "database", "shop.v1.Orders"] {
        assert_eq!(client.check(named(service)).await.unwrap().into_inner().status(), Serving, "{service}");
    }
    let error = client.check(named("other")).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "unknown service"));

    let mut orders = client.watch(named("shop.v1.Orders")).await.unwrap().into_inner();
    let mut late = client.watch(named("late")).await.unwrap().into_inner();
    assert_eq!((told(&mut orders).await, told(&mut late).await), (Some(Serving), Some(ServiceUnknown)));
    down.store(true, Ordering::SeqCst);
    registry.report(Group::All).await;
    registry.register("late", || async {}).unwrap();
    assert_eq!((told(&mut orders).await, told(&mut late).await), (Some(NotServing), Some(Serving)));

    let list = client.list(HealthListRequest {}).await.unwrap().into_inner();
    let list: Vec<_> = list.statuses.iter().map(|(name, response)| (&**name, response.status())).collect();
    let expected = [
        ("", NotServing),
        ("database", NotServing),
        ("late", Serving),
        ("liveness", Serving),
        ("readiness", NotServing),
        ("shop.v1.Orders", NotServing),
    ];
    assert_eq!(list, expected);
}

// R-HLT-9
#[tokio::test]
async fn a_drain_ends_the_watches_so_that_the_server_can_stop() {
    let (registry, _) = switched();
    let running = Running::start(&registry, 10);
    let mut client = running.client().await;
    let mut whole = client.watch(named("")).await.unwrap().into_inner();
    let mut unknown = client.watch(named("other")).await.unwrap().into_inner();
    assert_eq!((told(&mut whole).await, told(&mut unknown).await), (Some(Serving), Some(ServiceUnknown)));
    registry.drain();
    assert_eq!((told(&mut whole).await, told(&mut whole).await), (Some(NotServing), None));
    assert_eq!(told(&mut unknown).await, None);
    assert_eq!(client.check(named("")).await.unwrap().into_inner().status(), NotServing);
    running.stop.send(()).unwrap();
    soon(running.server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_place() {
    let (registry, _) = switched();
    let running = Running::start(&registry, 1);
    let mut client = running.client().await;
    let mut stream = client.watch(named("")).await.unwrap().into_inner();
    assert_eq!(told(&mut stream).await, Some(Serving));
    let refused = running.client().await.watch(named("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    drop((stream, client));
    soon(async {
        // The server has to hear of it first.
        while running.client().await.watch(named("")).await.is_err() {}
    })
    .await;
}
