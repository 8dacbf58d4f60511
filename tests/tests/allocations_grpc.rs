//! What the whole stack allocates over a bare tonic service, exactly, and that a message allocates nothing.

use std::convert::Infallible;

use bartizan_tests::budget;
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
    budget::steady(|| {
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
    })
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
    let stack = budget::stack();
    let echo = || EchoServer::new(Echo);
    let layered = || stack.layer().layer(echo());

    let mut measured = Vec::new();
    for (what, traceparent, budget) in [("sampled", SAMPLED, 10), ("sampled out", SAMPLED_OUT, 5)] {
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
    assert_eq!(few, plenty, "a message allocates");
    budget::hold(&measured);
}
