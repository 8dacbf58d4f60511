//! What a probe costs the service, next to the cheapest request that it can serve.
//!
//! `cargo bench -p bartizan-health --features axum`
//!
//! - The layer alone: `HealthLayer` is called in process, with a probe that it answers and with a path that it
//!   passes on. Ten checks in the background, so that no probe runs one.
//! - Over the wire: axum over HTTP/1.1 on the loopback interface, eight connections that are kept alive, on a thread
//!   of its own whose processor time is taken, kernel included. `/hello` is a handler that returns a constant;
//!   `/readyz` is answered by the layer around the router.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints")]

use std::{convert::Infallible, hint::black_box, net::SocketAddr, sync::mpsc, thread, time::Duration};

use axum::{Router, routing::get};
use bartizan_health::{CheckOptions, HealthLayer, Registry};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime;
use tower::{Layer, Service, service_fn};

const CALLS: u32 = 2_000_000;
const REQUESTS: u32 = 100_000;

fn registry() -> Registry {
    let registry = Registry::new();
    for number in 0..10 {
        let options = CheckOptions::new().interval(Duration::from_secs(10));
        registry.register_with(format!("check {number}"), || async {}, options).unwrap();
    }
    registry
}

/// Nanoseconds of processor time a call.
async fn in_process(path: &str) -> f64 {
    let host = service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let mut service = HealthLayer::new(registry()).layer(host);
    let mut call = async || {
        let request = Request::get(path).body(()).unwrap();
        black_box(service.call(request).await.unwrap());
    };
    for _ in 0..1_000 {
        call().await;
    }
    let begin = cpu();
    for _ in 0..CALLS {
        call().await;
    }
    let all = cpu().saturating_sub(begin);
    // Making the request is the host's affair.
    let begin = cpu();
    for _ in 0..CALLS {
        black_box(Request::get(path).body(()).unwrap());
    }
    all.saturating_sub(cpu().saturating_sub(begin)).as_nanos() as f64 / f64::from(CALLS)
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Nanoseconds of the server's processor time a request.
fn over_the_wire(path: &'static str) -> f64 {
    let (address, bound) = mpsc::channel::<SocketAddr>();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app =
                Router::new().route("/hello", get(|| async { "hello" })).layer(HealthLayer::new(registry()));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            let begin = cpu();
            tokio::select! {
                _ = stopped => {}
                _ = axum::serve(listener, app) => {}
            }
            cpu().saturating_sub(begin)
        })
    });
    let url: http::Uri = format!("http://{}{path}", bound.recv().unwrap()).parse().unwrap();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (client, url) =
                (Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>(), url.clone());
            clients.spawn(async move {
                for _ in 0..REQUESTS / 8 {
                    let response = client.get(url.clone()).await.unwrap();
                    assert_eq!(response.status(), 200);
                    response.into_body().collect().await.unwrap();
                }
            });
        }
        clients.join_all().await;
    });
    stop.send(()).unwrap();
    server.join().unwrap().as_nanos() as f64 / f64::from(REQUESTS)
}

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (probe, other) =
        runtime.block_on(async { (in_process("/readyz").await, in_process("/orders/1").await) });
    let begin = cpu();
    for _ in 0..CALLS {
        black_box(tokio::time::Instant::now());
    }
    let clock = cpu().saturating_sub(begin).as_nanos() as f64 / f64::from(CALLS);
    println!("of which a look at the clock   {clock:>8.0} ns");
    println!("the layer answers /readyz      {probe:>8.0} ns");
    println!("the layer passes a path on     {other:>8.0} ns");
    for _ in 0..3 {
        let (hello, ready) = (over_the_wire("/hello"), over_the_wire("/readyz"));
        println!(
            "over the wire: /hello {hello:.0} ns, /readyz {ready:.0} ns; the layer's work is {:.2} % of /hello",
            probe / hello * 100.0
        );
    }
}
