use std::convert::Infallible;
use std::future::ready;
use std::io;

use bartizan_core::Routes;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracer, SdkTracerProvider, SpanData};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{ClientTraceLayer, ResendCount};
use crate::Propagation;

type Call = Request<Full<Bytes>>;

fn tracer(sampler: Sampler) -> (SdkTracer, InMemorySpanExporter) {
    let spans = InMemorySpanExporter::default();
    let provider =
        SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(spans.clone()).build();
    (provider.tracer("test"), spans)
}

fn recording() -> (ClientTraceLayer, InMemorySpanExporter) {
    let (tracer, spans) = tracer(Sampler::AlwaysOn);
    (ClientTraceLayer::new(tracer), spans)
}

fn to(url: &str) -> Call {
    Request::get(url).body(Full::new(Bytes::new())).unwrap()
}

/// Sends the call to a service that answers with this status; returns the headers that it got.
async fn call(layer: &ClientTraceLayer, request: Call, status: u16) -> HeaderMap {
    let sent = std::sync::Mutex::new(HeaderMap::new());
    let answer = |request: Call| {
        *sent.lock().unwrap() = request.headers().clone();
        ready(Ok::<_, Infallible>(
            Response::builder().status(status).body(Full::new(Bytes::from("x"))).unwrap(),
        ))
    };
    let response = layer.layer(service_fn(answer)).oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    sent.into_inner().unwrap()
}

/// The context of a caller whose own context came with this `traceparent`.
fn caller(traceparent: &str) -> Context {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", traceparent.parse().unwrap());
    headers.insert("tracestate", "vendor=1".parse().unwrap());
    headers.insert("baggage", "tenant=acme".parse().unwrap());
    Propagation::new().extract(&headers).attach_to(&Context::new())
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";

fn sole(spans: &InMemorySpanExporter) -> SpanData {
    let spans = spans.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 1);
    spans.into_iter().next().unwrap()
}

fn text(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.to_string())
}

#[tokio::test]
async fn the_span_is_the_callers_child_and_the_callees_parent() {
    let (layer, spans) = recording();
    let attached = caller(&format!("{PARENT}03")).attach();
    let sent = call(&layer, to("http://stock/items"), 200).await;
    drop(attached);
    let span = sole(&spans);
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
    let expected = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-03", span.span_context.span_id());
    assert_eq!(sent["traceparent"], *expected, "sampled and random are passed on");
    assert_eq!(sent["tracestate"], "vendor=1");
    assert_eq!(sent["baggage"], "tenant=acme");
}

#[tokio::test]
async fn a_sampled_out_context_is_passed_on_with_its_random_flag_and_no_span() {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let (tracer, spans) = tracer(sampler.clone());
    let asking = ClientTraceLayer::new(tracer);
    let layers = [asking.clone().sampler(sampler), asking, ClientTraceLayer::propagate_only()];
    for layer in layers {
        let _attached = caller(&format!("{PARENT}02")).attach();
        let sent = call(&layer, to("http://stock/items"), 200).await;
        let traceparent = sent["traceparent"].to_str().unwrap();
        assert!(traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{traceparent}");
        assert!(traceparent.ends_with("-02"), "{traceparent}");
        assert_eq!(sent["tracestate"], "vendor=1");
    }
    assert!(spans.get_finished_spans().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_current_context_there_is_a_root_or_made_up_ids() {
    let (layer, spans) = recording();
    let sent = call(&layer, to("http://stock/"), 200).await;
    let span = sole(&spans);
    assert!(sent["traceparent"].to_str().unwrap().contains(&span.span_context.trace_id().to_string()));
    assert_eq!(span.parent_span_id, opentelemetry::trace::SpanId::INVALID);

    let sent = call(&ClientTraceLayer::propagate_only(), to("http://stock/"), 200).await;
    assert!(crate::w3c::TraceParent::parse(sent["traceparent"].as_bytes()).is_some());
}

#[tokio::test]
async fn the_span_says_what_the_conventions_ask_for_and_no_secret() {
    let (layer, spans) = recording();
    let layer = layer.templates(Routes::new().prefix("/items/{id}").unwrap());
    let mut request = to("https://ada:hunter2@stock.example/items/7?api_key=planted&page=2");
    request.extensions_mut().insert(ResendCount(2));
    call(&layer, request, 200).await;
    let span = sole(&spans);
    assert_eq!(span.name, "GET /items/{id}");
    assert_eq!(span.status, Status::Unset);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("server.address", "stock.example"),
        ("server.port", "443"),
        ("url.full", "https://REDACTED:REDACTED@stock.example/items/7?api_key=[REDACTED]&page=2"),
        ("url.template", "/items/{id}"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("http.request.resend_count", "2"),
    ] {
        assert_eq!(text(&span, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(text(&span, "error.type"), None);
    assert!(span.attributes.len() <= super::attributes::MOST);
}

#[tokio::test]
async fn for_a_client_every_4xx_and_5xx_is_an_error() {
    for (status, kind) in [(200, None), (302, None), (404, Some("404")), (503, Some("503"))] {
        let (layer, spans) = recording();
        call(&layer, to("http://stock/"), status).await;
        let span = sole(&spans);
        assert_eq!(span.status == Status::error(""), kind.is_some(), "{status}");
        assert_eq!(text(&span, "error.type").as_deref(), kind);
    }
}

#[tokio::test]
async fn a_failure_is_named_and_a_dropped_call_is_no_error() {
    let (layer, spans) = recording();
    let refused =
        |_: Call| ready(Err::<Response<Full<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionRefused)));
    layer.layer(service_fn(refused)).oneshot(to("http://stock/")).await.unwrap_err();
    let span = sole(&spans);
    assert_eq!(span.status, Status::error(""));
    assert_eq!(text(&span, "error.type").as_deref(), Some("connection_refused"));

    let (layer, spans) = recording();
    let never = |_: Call| std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>();
    let mut call = Box::pin(layer.layer(service_fn(never)).oneshot(to("http://stock/")));
    assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
    drop(call);
    let span = sole(&spans);
    assert_eq!(span.status, Status::Unset);
    assert_eq!(text(&span, "error.type").as_deref(), Some("cancelled_before_head"));
}

#[tokio::test]
async fn a_grpc_call_is_named_by_its_method_and_judged_by_its_code() {
    for (code, failed) in [("0", false), ("5", true)] {
        let (layer, spans) = recording();
        let answer = |_: Call| {
            let response = Response::builder().header("grpc-status", code).body(Full::new(Bytes::new()));
            ready(Ok::<_, Infallible>(response.unwrap()))
        };
        let mut request = to("http://stock:50051/shop.Stock/Take");
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        layer.layer(service_fn(answer)).oneshot(request).await.unwrap();
        let span = sole(&spans);
        assert_eq!(span.name, "shop.Stock/Take");
        assert_eq!(text(&span, "rpc.method").as_deref(), Some("shop.Stock/Take"));
        assert_eq!(text(&span, "rpc.system.name").as_deref(), Some("grpc"));
        assert_eq!(text(&span, "server.port").as_deref(), Some("50051"));
        assert_eq!(span.status == Status::error(""), failed, "every code but OK");
        let expected = if failed { "NOT_FOUND" } else { "OK" };
        assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some(expected));
        assert_eq!(text(&span, "error.type").is_some(), failed);
    }
}

#[tokio::test]
async fn a_grpc_call_that_is_given_up_after_its_deadline_is_an_error() {
    for (deadline, failed) in [("1n", true), ("1H", false)] {
        let (layer, spans) = recording();
        let never = |_: Call| std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>();
        let mut request = to("http://stock:50051/shop.Stock/Take");
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        request.headers_mut().insert("grpc-timeout", deadline.parse().unwrap());
        drop(layer.layer(service_fn(never)).call(request));
        let span = sole(&spans);
        assert_eq!(span.status == Status::error(""), failed, "{deadline}");
        let expected = if failed { "DEADLINE_EXCEEDED" } else { "cancelled_before_head" };
        assert_eq!(text(&span, "error.type").as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn the_span_is_current_while_the_call_is_polled() {
    let (layer, spans) = recording();
    let seen = std::sync::Mutex::new(SpanContext::NONE);
    let look = |_: Call| {
        *seen.lock().unwrap() = Context::current().span().span_context().clone();
        ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))))
    };
    layer.layer(service_fn(look)).oneshot(to("http://stock/")).await.unwrap();
    assert_eq!(seen.into_inner().unwrap().span_id(), sole(&spans).span_context.span_id());
    assert!(!Context::current().has_active_span());
}
