mod decisions;

use std::convert::Infallible;
use std::future::{pending, ready};

use bartizan_core::{PeerAddress, Record, Route, Routes, Settings, Trust};
use bartizan_mask::Masker;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use opentelemetry::trace::{SpanId, SpanKind, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{TraceHeader, TraceLayer, current_ids};
use crate::Propagation;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

type Answer = Response<Full<Bytes>>;
type Body = Full<Bytes>;

struct Bench {
    spans: InMemorySpanExporter,
    provider: SdkTracerProvider,
}

impl Bench {
    fn new(sampler: Sampler) -> Self {
        let spans = InMemorySpanExporter::default();
        let provider =
            SdkTracerProvider::builder().with_simple_exporter(spans.clone()).with_sampler(sampler).build();
        Self { spans, provider }
    }

    fn layer(&self) -> TraceLayer {
        let routes = Routes::new()
            .function(|parts| parts.uri.path().starts_with("/reset/").then(|| Route::from("/reset/{token}")));
        TraceLayer::new(self.provider.tracer("test")).settings(Settings { routes, ..Settings::default() })
    }

    fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    fn span(&self) -> SpanData {
        let spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.into_iter().next().unwrap()
    }
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.to_string())
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::default()).unwrap()
}

async fn send(layer: TraceLayer, request: Request<Body>, status: u16) -> Answer {
    let service = layer.layer(service_fn(|_| {
        ready(Ok::<_, Infallible>(Response::builder().status(status).body(Body::from("hi")).unwrap()))
    }));
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    Response::from_parts(head, Full::new(body.collect().await.unwrap().to_bytes()))
}

#[tokio::test]
async fn a_span_continues_the_callers_trace_and_says_what_the_conventions_ask() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let mut request = get("/reset/hunter2?next=1&password=hunter2");
    request.headers_mut().insert("traceparent", PARENT.parse().unwrap());
    request.headers_mut().insert("host", "shop.example:8443".parse().unwrap());
    request.headers_mut().insert("user-agent", "curl/8".parse().unwrap());
    let response = send(bench.layer(), request, 200).await;
    assert_eq!(response.headers()["x-trace-id"], TRACE_ID);
    let span = bench.span();
    assert_eq!(span.name, "GET /reset/{token}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.parent_span_id, SpanId::from_hex("00f067aa0ba902b7").unwrap());
    assert_eq!(span.status, Status::Unset);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/reset/{token}"),
        ("url.path", "/reset/[REDACTED]"),
        ("url.query", "next=1&password=[REDACTED]"),
        ("url.scheme", "http"),
        ("http.response.status_code", "200"),
        ("server.address", "shop.example"),
        ("server.port", "8443"),
        ("user_agent.original", "curl/8"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(attribute(&span, "error.type"), None);
    assert!(!format!("{span:?}").contains("hunter2"));
}

#[tokio::test]
async fn the_path_of_a_route_that_is_found_further_in_is_masked_by_its_parameters() {
    for (sampler, prefix) in [
        (Sampler::AlwaysOn, "/other"),
        (Sampler::TraceIdRatioBased(1.0), "/other"),
        (Sampler::AlwaysOn, "/reset/{*rest}"),
    ] {
        let bench = Bench::new(sampler);
        let routes = Routes::new().prefix(prefix).unwrap();
        let layer = bench.layer().settings(Settings { routes, ..Settings::default() });
        let service = layer.layer(service_fn(|request| {
            Record::of(&request).unwrap().set_route(Route::from("/reset/{token}"));
            ready(Ok::<_, Infallible>(Response::new(Body::default())))
        }));
        service.oneshot(get("/reset/hunter2?next=1")).await.unwrap();
        let span = bench.span();
        for (key, value) in
            [("http.route", "/reset/{token}"), ("url.path", "/reset/[REDACTED]"), ("url.query", "next=1")]
        {
            assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
        }
        assert_eq!(span.name, "GET /reset/{token}");
        let shown = format!("{span:?}");
        assert!(!shown.contains("hunter2") && shown.matches("\"http.route\"").count() == 1, "{shown}");
    }
}

#[tokio::test]
async fn a_route_that_has_rules_of_its_own_is_masked_by_them() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let policy = Masker::builder().route("/reset/{token}", |policy| policy.show_only(["amount"]));
    let layer = bench.layer().masker(policy.build().unwrap());
    send(layer, get("/reset/1?amount=5&note=hunter2"), 200).await;
    assert_eq!(attribute(&bench.span(), "url.query").as_deref(), Some("amount=5&note=[REDACTED]"));
}

#[tokio::test]
async fn a_long_user_agent_is_masked_before_it_is_cut() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let mut request = get("/");
    let agent = format!("{} http://ada:4711secret@host", "x".repeat(2026));
    request.headers_mut().insert("user-agent", agent.parse().unwrap());
    send(bench.layer(), request, 200).await;
    let agent = attribute(&bench.span(), "user_agent.original").unwrap();
    assert!(!agent.contains("4711") && agent.len() <= 2048, "{agent}");
}

#[tokio::test]
async fn the_client_is_the_peer_unless_a_trusted_proxy_tells_of_another() {
    for (hops, client) in [(0, "198.51.100.7"), (1, "203.0.113.9")] {
        let bench = Bench::new(Sampler::AlwaysOn);
        let mut request = get("/");
        request.headers_mut().insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        request.extensions_mut().insert(PeerAddress("198.51.100.7:4000".parse().unwrap()));
        let trust = Trust::hops(hops);
        send(bench.layer().settings(Settings { trust, ..Settings::default() }), request, 200).await;
        let span = bench.span();
        assert_eq!(attribute(&span, "client.address").as_deref(), Some(client));
        assert_eq!(attribute(&span, "network.peer.address").as_deref(), Some("198.51.100.7"));
        assert_eq!(attribute(&span, "network.peer.port").as_deref(), Some("4000"));
    }
}

#[tokio::test]
async fn the_status_of_the_span_follows_the_outcome() {
    for (status, expected, error) in [(404, Status::Unset, None), (503, Status::error(""), Some("503"))] {
        let bench = Bench::new(Sampler::AlwaysOn);
        send(bench.layer(), get("/"), status).await;
        assert_eq!(bench.span().status, expected);
        assert_eq!(attribute(&bench.span(), "error.type").as_deref(), error);
    }
    let bench = Bench::new(Sampler::AlwaysOn);
    let mut service = bench.layer().layer(service_fn(|_| pending::<Result<Answer, Infallible>>()));
    drop(service.call(get("/")));
    assert_eq!(bench.span().status, Status::Unset);
    assert_eq!(attribute(&bench.span(), "error.type").as_deref(), Some("cancelled_before_head"));
    assert_eq!(attribute(&bench.span(), "http.response.status_code"), None);
}

#[tokio::test]
async fn a_made_up_method_is_other_and_its_span_begins_with_http() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let mut request = get("/");
    *request.method_mut() = Method::from_bytes(b"BREW").unwrap();
    send(bench.layer(), request, 200).await;
    let span = bench.span();
    assert_eq!(span.name, "HTTP");
    assert_eq!(attribute(&span, "http.request.method").as_deref(), Some("_OTHER"));
    assert_eq!(attribute(&span, "http.request.method_original").as_deref(), Some("BREW"));
    assert_eq!(attribute(&span, "http.route"), None);
}

#[tokio::test]
async fn sampled_out_still_has_ids_and_passes_the_decision_on() {
    let bench = Bench::new(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    let layer = bench.layer();
    let service = layer.layer(service_fn(|_| async {
        let ids = current_ids().expect("the context is current");
        let recorded = bartizan_core::Context::with_current(|current| current.record()?.trace()).flatten();
        assert_eq!(recorded, Some(ids));
        assert!(!ids.sampled && ids.trace_id != [0; 16]);
        let mut outbound = http::HeaderMap::new();
        Propagation::new().inject(&opentelemetry::Context::current(), &mut outbound);
        Ok::<_, Infallible>(
            Response::builder().header("sent-on", &outbound["traceparent"]).body(Body::default()).unwrap(),
        )
    }));
    let response = service.oneshot(get("/")).await.unwrap();
    let trace_id = response.headers()["x-trace-id"].to_str().unwrap().to_owned();
    let sent_on = response.headers()["sent-on"].to_str().unwrap();
    assert!(sent_on.contains(&trace_id) && sent_on.ends_with("-00"), "{sent_on}");
    assert!(bench.spans().is_empty());
}

#[tokio::test]
async fn the_random_flag_of_a_trace_that_is_not_sampled_is_passed_on() {
    let bench = Bench::new(Sampler::AlwaysOff);
    let layer = bench.layer();
    let service = layer.layer(service_fn(|_| async {
        let mut outbound = http::HeaderMap::new();
        Propagation::new().inject(&opentelemetry::Context::current(), &mut outbound);
        let answer = Response::builder().header("sent-on", &outbound["traceparent"]);
        Ok::<_, Infallible>(answer.body(Body::default()).unwrap())
    }));
    let mut request = get("/");
    request.headers_mut().insert("traceparent", PARENT.replace("-01", "-03").parse().unwrap());
    let response = service.oneshot(request).await.unwrap();
    assert!(response.headers()["sent-on"].to_str().unwrap().ends_with("-02"));
}

#[tokio::test]
async fn without_a_tracer_context_passes_on_as_it_came() {
    for incoming in [Some(PARENT), None] {
        let service = TraceLayer::propagate_only().layer(service_fn(|_| async {
            let mut outbound = http::HeaderMap::new();
            Propagation::new().inject(&opentelemetry::Context::current(), &mut outbound);
            let mut answer = Response::new(Body::default());
            answer.headers_mut().extend(outbound);
            Ok::<_, Infallible>(answer)
        }));
        let mut request = get("/");
        if let Some(incoming) = incoming {
            request.headers_mut().insert("traceparent", incoming.parse().unwrap());
        }
        let response = service.oneshot(request).await.unwrap();
        // Ids that are made for the logs alone would keep callees from recording a trace of their own.
        assert_eq!(response.headers().get("traceparent").map(|sent| sent.to_str().unwrap()), incoming);
        assert_eq!(response.headers()["x-trace-id"].len(), 32);
    }
}

#[tokio::test]
async fn at_the_edge_a_new_trace_links_to_the_strangers() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let mut request = get("/");
    request.headers_mut().insert("traceparent", PARENT.parse().unwrap());
    let layer = bench.layer().propagation(Propagation::new().untrusted());
    let response = send(layer, request, 200).await;
    assert_ne!(response.headers()["x-trace-id"], TRACE_ID);
    assert_eq!(bench.span().links.iter().next().unwrap().span_context.trace_id().to_string(), TRACE_ID);
}

#[tokio::test]
async fn at_the_edge_a_proxy_passes_no_baggage_of_strangers_on() {
    for (edge, passed) in
        [(Propagation::new().with_jaeger(), true), (Propagation::new().with_jaeger().untrusted(), false)]
    {
        let layer = Bench::new(Sampler::AlwaysOn).layer().propagation(edge);
        let next = layer.client().layer(service_fn(move |request: Request<Body>| {
            for name in ["baggage", "uberctx-role"] {
                assert_eq!(request.headers().contains_key(name), passed, "{name}");
            }
            ready(Ok::<_, Infallible>(Answer::default()))
        }));
        let proxy = layer.layer(service_fn(move |request| next.clone().oneshot(request)));
        let mut request = get("/");
        request.headers_mut().insert("baggage", "role=admin".parse().unwrap());
        request.headers_mut().insert("uberctx-role", "admin".parse().unwrap());
        proxy.oneshot(request).await.unwrap();
    }
}

#[tokio::test]
async fn the_caller_can_be_told_in_other_headers() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let response = send(bench.layer().response_header(TraceHeader::TraceResponse), get("/"), 200).await;
    assert!(response.headers()["traceresponse"].to_str().unwrap().starts_with("00-"));
    let response = send(bench.layer().response_header(TraceHeader::ServerTiming), get("/"), 200).await;
    assert!(response.headers()["server-timing"].to_str().unwrap().starts_with("trace;desc=00-"));
    let response = send(bench.layer().response_header(TraceHeader::None), get("/"), 200).await;
    assert!(!response.headers().contains_key("x-trace-id"));
}

#[tokio::test]
async fn the_applications_own_timings_stay_beside_the_trace() {
    let layer = Bench::new(Sampler::AlwaysOn).layer().response_header(TraceHeader::ServerTiming);
    let service = layer.layer(service_fn(|_: Request<Body>| {
        let answer = Response::builder().header("server-timing", "db;dur=53").body(Body::default());
        ready(Ok::<_, Infallible>(answer.unwrap()))
    }));
    let response = service.oneshot(get("/")).await.unwrap();
    let timings: Vec<_> = response.headers().get_all("server-timing").iter().collect();
    assert!(timings.len() == 2 && timings[0] == "db;dur=53", "the service's own stay: {timings:?}");
}

#[tokio::test]
async fn malformed_context_starts_a_new_trace() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let mut request = get("/");
    request.headers_mut().insert("traceparent", "00-zz".parse().unwrap());
    send(bench.layer(), request, 200).await;
    assert_eq!(bench.span().parent_span_id, SpanId::INVALID);
}

#[tokio::test(start_paused = true)]
async fn the_spans_duration_is_the_exchanges() {
    use std::time::Duration;

    use bartizan_core::Clock;

    let bench = Bench::new(Sampler::AlwaysOn);
    let clock = Clock::new(|| tokio::time::Instant::now().into_std());
    let layer = bench.layer().settings(Settings { clock, ..Settings::default() });
    let service = layer.layer(service_fn(|_| async {
        tokio::time::sleep(Duration::from_millis(70)).await;
        Ok::<_, Infallible>(Response::new(Body::from("hi")))
    }));
    let body = service.oneshot(get("/")).await.unwrap().into_body();
    tokio::time::advance(Duration::from_millis(30)).await;
    body.collect().await.unwrap();
    let span = bench.span();
    assert_eq!(span.end_time.duration_since(span.start_time).unwrap(), Duration::from_millis(100));
}

/// Calls a method that answers with this code in its head.
async fn call(bench: &Bench, path: &str, code: &'static str) -> SpanData {
    let service = bench.layer().layer(service_fn(move |_| {
        let response = Response::builder().header("grpc-status", code).body(Body::default());
        ready(Ok::<_, Infallible>(response.unwrap()))
    }));
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("user-agent", "grpc-go")
        .header("host", "shop.example:8443")
        .body(Body::default());
    service.oneshot(request.unwrap()).await.unwrap().into_body().collect().await.unwrap();
    bench.spans().pop().unwrap()
}

#[tokio::test]
async fn the_span_of_a_grpc_call_has_the_rpc_attributes_and_no_others() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let span = call(&bench, "/shop.v1.Orders/Get?password=hunter2", "5").await;
    assert_eq!((span.name.as_ref(), &span.status), ("shop.v1.Orders/Get", &Status::Unset));
    let mut keys: Vec<_> = span.attributes.iter().map(|pair| pair.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "network.protocol.version",
            "outcome",
            "rpc.method",
            "rpc.response.status_code",
            "rpc.system.name",
            "server.address",
            "server.port"
        ]
    );
    assert_eq!(attribute(&span, "rpc.response.status_code").as_deref(), Some("NOT_FOUND"));

    let span = call(&bench, "/made.up/Method?password=hunter2", "12").await;
    assert_eq!(span.name, "grpc");
    assert_eq!(attribute(&span, "rpc.method").as_deref(), Some("_OTHER"));
    assert_eq!(attribute(&span, "rpc.method_original").as_deref(), Some("made.up/Method"));
    assert!(!format!("{span:?}").contains("hunter2"));
}

#[tokio::test]
async fn only_the_six_server_codes_fail_the_span_of_a_call() {
    for (code, fails) in
        [("0", false), ("1", false), ("2", true), ("3", false), ("4", true), ("12", true), ("16", false)]
    {
        let span = call(&Bench::new(Sampler::AlwaysOn), "/shop.v1.Orders/Get", code).await;
        assert_eq!(span.status != Status::Unset, fails, "{code}");
        assert_eq!(attribute(&span, "error.type").is_some(), fails, "{code}");
    }
}
