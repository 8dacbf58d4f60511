//! Two instances are restarted in turn, again and again, while tonic's clients never stop calling: no call may fail.
//!
//! A call that waits in the client while its connection ends is never sent. gRPC's other clients call again then, without a word
//! (gRFC A6, "transparent retries"); tonic's channel says `Cancelled` and leaves it to the caller, who does so here.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use bartizan_tests::restart::{Client, Fleet, Load, service, was_not_processed};
use futures_util::stream;
use grpc_example::pb::EchoRequest;
use grpc_example::pb::echo_client::EchoClient;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::Status;
use tonic::transport::{Channel, Endpoint, Uri};

const ROUNDS: usize = 20;

/// Calls over one channel: connected anew when the server says GOAWAY, and nothing is called twice.
struct Caller {
    echo: EchoClient<Channel>,
    turn: usize,
}

impl Caller {
    /// Connects to what `pick` says, each time that it connects.
    fn new(pick: impl Fn() -> SocketAddr + Clone + Send + Sync + 'static) -> Self {
        let connector = tower::service_fn(move |_: Uri| {
            let address = pick();
            async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok::<_, std::io::Error>(TokioIo::new(stream))
            }
        });
        let channel = Endpoint::from_static("http://service").connect_with_connector_lazy(connector);
        Self { echo: EchoClient::new(channel), turn: 0 }
    }

    async fn unary(&self) -> Result<u64, Status> {
        self.echo.clone().unary(request()).await.map(|_| 1)
    }

    async fn stream(&self) -> Result<u64, Status> {
        let requests = stream::unfold(0, |sent| async move {
            tokio::time::sleep(Duration::from_millis(15)).await;
            (sent < 4).then(|| (request(), sent + 1))
        });
        let mut replies = self.echo.clone().bidi(requests).await?.into_inner();
        let mut received = 0;
        while replies.message().await?.is_some() {
            received += 1;
        }
        if received == 4 { Ok(1) } else { Err(Status::data_loss(format!("{received} of 4 replies"))) }
    }
}

fn request() -> EchoRequest {
    EchoRequest { text: "hello".into(), ..EchoRequest::default() }
}

/// Calls again as long as no server has worked on the call.
async fn sent<F: Future<Output = Result<u64, Status>>>(call: impl Fn() -> F) -> Result<u64, Status> {
    loop {
        match call().await {
            Err(status) if status.source().is_some_and(was_not_processed) => {}
            ended => return ended,
        }
    }
}

impl Client for Caller {
    async fn request(&mut self) -> Result<u64, String> {
        self.turn += 1;
        let called = if self.turn.is_multiple_of(10) {
            sent(|| self.stream()).await
        } else {
            let calls = (0..3).map(|_| sent(|| self.unary()));
            futures_util::future::try_join_all(calls).await.map(|replies| replies.iter().sum())
        };
        called.map_err(|status| format!("{status:?}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_rolling_restarts_under_load_lose_no_call() {
    let vars = [("DRAIN_DELAY", "1s"), ("DRAIN_DEADLINE", "10s")];
    let mut fleet = Fleet::start(env!("CARGO_BIN_EXE_grpc"), &vars).await;
    let instances = fleet.instances.clone();
    let service = service(instances.clone()).await;

    let mut load = Load::default();
    load.add("gRPC through a Service", 6, || Caller::new(move || service));
    load.add("gRPC direct", 6, || {
        let instances = instances.clone();
        Caller::new(move || instances.pick())
    });
    for _ in 0..ROUNDS {
        fleet.rolling_restart().await;
    }
    load.finish().await;
}
