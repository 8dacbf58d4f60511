//! What the whole stack allocates over a bare tonic service, exactly, and that a message allocates nothing.

use std::convert::Infallible;
use std::io;

use bartizan::Observability;
use bartizan::trace::TraceSettings;
use bartizan::trace::opentelemetry_sdk::error::OTelSdkResult;
use bartizan::trace::opentelemetry_sdk::trace::{SpanData, SpanExporter};
use bytes::Bytes;
use futures_util::stream;
use grpc_example::Echo;
use grpc_example::pb::echo_server::EchoServer;
use http::request::Parts;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt};

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const SAMPLED_OUT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// `EchoRequest { text: "hi" }`, with its prefix.
const MESSAGE: &[u8] = b"\0\0\0\0\x04\x0a\x02hi";

#[derive(Debug)]
struct Dropping;

impl SpanExporter for Dropping {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// The head of a call, with bytes that are shared, as hyper makes them.
fn head(method: &str, traceparent: &'static str) -> Parts {
    let request = Request::post(format!("http://shop.example/demo.v1.Echo/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "grpc-go/1.70")
        .header("grpc-accept-encoding", "identity,gzip")
        .header("authorization", "Bearer 0123456789")
        .header("traceparent", traceparent)
        .body(())
        .unwrap();
    let head = request.into_parts().0;
    // Bytes that were never cloned allocate once when they are.
    drop(head.clone());
    head
}

/// Allocations of one call in the steady state, building it and reading the answer included.
fn count<S, R>(mut service: S, head: &Parts, body: impl Fn() -> Body) -> u64
where
    S: Service<Request<Body>, Response = Response<R>, Error = Infallible>,
    R: http_body::Body<Data = Bytes> + Unpin,
    R::Error: std::fmt::Debug,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut call = || {
        runtime.block_on(async {
            let request = Request::from_parts(head.clone(), body());
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(response.headers().get("grpc-status"), None, "it is no error");
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                if let Ok(trailers) = frame.unwrap().into_trailers() {
                    assert_eq!(trailers["grpc-status"], "0");
                }
            }
        });
    };
    // Handles, caches and buffers are made once.
    for _ in 0..32 {
        call();
    }
    // The least of several: the batch processor's queue grows now and then.
    (0..16).map(|_| allocation_counter::measure(&mut call).count_total).min().unwrap()
}

fn one() -> Body {
    Body::new(Full::new(Bytes::from_static(MESSAGE)))
}

fn many(messages: u64) -> Body {
    let frame = |_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(MESSAGE)));
    Body::new(StreamBody::new(stream::iter((0..messages).map(frame))))
}

#[test]
fn a_call_and_its_messages_stay_within_their_budgets() {
    let stack = Observability::builder("budget")
        .vars(|_| None)
        .metrics(true)
        .log_sink(io::sink())
        .trace(TraceSettings::new().customize(|provider| provider.with_batch_exporter(Dropping)))
        .init()
        .unwrap();
    let echo = || EchoServer::new(Echo);
    let layered = || stack.layer().layer(echo());

    let mut measured = Vec::new();
    for (what, traceparent, budget) in [("sampled", SAMPLED, 24), ("sampled out", SAMPLED_OUT, 12)] {
        let head = head("Unary", traceparent);
        let over = count(layered(), &head, one) - count(echo(), &head, one);
        measured.push((what, over, budget));
    }

    // Both ways at once: every message that comes in goes out again.
    let head = head("Bidi", SAMPLED);
    let over =
        |messages| count(layered(), &head, || many(messages)) - count(echo(), &head, || many(messages));
    let (few, plenty) = (over(10), over(10_000));
    println!("over the bare service: 10 messages {few}, 10 000 messages {plenty}");
    for (what, allocations, budget) in &measured {
        println!("{what:32} {allocations:3} of {budget}");
    }
    assert_eq!(few, plenty, "a message allocates");
    for (what, allocations, budget) in measured {
        assert!(allocations <= budget, "{what}: {allocations} allocations, {budget} are its budget");
    }
}
