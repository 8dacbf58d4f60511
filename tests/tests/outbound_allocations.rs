//! What the client layer allocates over a bare client: a layer that gets dearer fails here.

use std::convert::Infallible;
use std::future::ready;

use bartizan::ClientLayer;
use bartizan::trace::Propagation;
use bartizan::trace::opentelemetry::Context;
use bartizan_tests::budget;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

type Call = Request<Full<Bytes>>;

fn client(_: Call) -> std::future::Ready<Result<Response<Full<Bytes>>, Infallible>> {
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"{}")))))
}

/// Allocations of one call in the steady state, inside a request whose trace has these flags.
fn count<S, R>(mut service: S, flags: &str) -> u64
where
    S: Service<Call, Response = Response<R>, Error = Infallible>,
    R: http_body::Body<Error = Infallible>,
{
    let mut headers = HeaderMap::new();
    let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
    headers.insert("traceparent", parent.parse().unwrap());
    let _current = Propagation::new().extract(&headers).attach_to(&Context::new()).attach();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let head = Request::get("http://stock:8080/items/7?page=2")
        .header("accept", "application/json")
        .header("x-correlation-id", "order-17")
        .body(())
        .unwrap()
        .into_parts()
        .0;
    drop(head.clone());
    budget::steady(|| {
        let request = Request::from_parts(head.clone(), Full::new(Bytes::new()));
        runtime.block_on(async {
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            response.into_body().collect().await.unwrap();
        });
    })
}

#[test]
fn the_client_layer_allocates_no_more_than_its_budget() {
    let stack = budget::stack();
    let layer: ClientLayer = stack.client_layer();
    let bare = count(service_fn(client), "01");
    let measured = [
        ("the client layer, sampled", count(layer.layer(service_fn(client)), "01") - bare, 8),
        ("the client layer, sampled out", count(layer.layer(service_fn(client)), "00") - bare, 2),
    ];
    budget::hold(&measured);
}
