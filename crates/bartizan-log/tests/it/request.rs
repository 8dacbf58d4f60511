//! The request event.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bartizan_core::{
    Context, CorrelationId, ObserveLayer, PeerAddress, Record, Routes, Settings, TraceIds, Trust,
};
use bartizan_log::RequestLogLayer;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::sleep;
use tower::{Layer, ServiceExt, service_fn};

use crate::service::{Body, Service, get, layer};
use crate::support::{Object, Trial};

fn one(service: &Service, request: Request<Body>) -> Object {
    let mut lines = Trial::new().lines_of(service.call(request));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

#[test]
fn the_line_has_the_fields_of_the_contract_and_no_others() {
    let service = Service::new(|| async {
        let record = Context::current().record().cloned().unwrap();
        record.set_correlation_id(CorrelationId::new(HeaderValue::from_static("order-17")).unwrap());
        record.set_trace(TraceIds { trace_id: [1; 16], span_id: [2; 8], sampled: true });
        sleep(Duration::from_micros(12_345)).await;
        "hello"
    });
    let mut request = Request::post("/users/7?page=2&token=4f")
        .header("user-agent", "curl/8")
        .body(Body::from("{}"))
        .unwrap();
    request.extensions_mut().insert(PeerAddress(SocketAddr::from(([192, 0, 2, 7], 4000))));
    let mut line = one(&service, request);
    assert!(line.remove("timestamp").is_some());
    // A paused clock moves in milliseconds.
    let expected = json!({
        "level": "INFO",
        "target": "bartizan::request",
        "message": "request completed",
        "method": "POST",
        "route": "/users/{id}",
        "path": "/users/7",
        "query": "page=2&token=[REDACTED]",
        "status": 200,
        "outcome": "ok",
        "duration_ms": 13.0,
        "first_byte_ms": 13.0,
        "client_address": "192.0.2.7",
        "request_bytes": 2,
        "response_bytes": 5,
        "http_version": "1.1",
        "user_agent": "curl/8",
        "correlation_id": "order-17",
        "trace_id": "01010101010101010101010101010101",
        "span_id": "0202020202020202",
    });
    assert_eq!(json!(line), expected);
}

#[test]
fn what_is_not_there_has_no_field() {
    let line = one(&Service::new(|| async {}), get("/"));
    let names: Vec<&str> = line.keys().map(String::as_str).collect();
    let expected = [
        "duration_ms",
        "http_version",
        "level",
        "message",
        "method",
        "outcome",
        "path",
        "request_bytes",
        "response_bytes",
        "route",
        "status",
        "target",
        "timestamp",
    ];
    assert_eq!(names, expected);
    assert_eq!((&line["route"], &line["path"]), (&json!("unmatched"), &json!("/")));
}

#[test]
fn versions_and_addresses_are_written_as_people_write_them() {
    for (version, expected) in [
        (http::Version::HTTP_10, "1.0"),
        (http::Version::HTTP_11, "1.1"),
        (http::Version::HTTP_2, "2"),
        (http::Version::HTTP_3, "3"),
    ] {
        let mut request = get("/");
        *request.version_mut() = version;
        let address: SocketAddr = "[2001:db8::1]:1".parse().unwrap();
        request.extensions_mut().insert(PeerAddress(address));
        let line = one(&Service::new(|| async {}), request);
        assert_eq!(line["http_version"], expected);
        assert_eq!(line["client_address"], "2001:db8::1");
    }
    let mut request = get("/");
    request.extensions_mut().insert(PeerAddress("10.0.0.1:1".parse().unwrap()));
    request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("203.0.113.250"));
    let service = Service::new(|| async {})
        .layered(|layer| layer.settings(Settings { trust: Trust::hops(1), ..Settings::default() }));
    assert_eq!(one(&service, request)["client_address"], "203.0.113.250");
}

#[test]
fn secrets_in_path_and_query_and_user_agent_are_masked() {
    let service = Service::new(|| async {});
    let mut request = get("/reset/hunter2?a=1&pass%77ord=hunter2&next=%2Fx%3Ftoken%3Dhunter2");
    request.headers_mut().insert("user-agent", HeaderValue::from_static("bot api_key=hunter2"));
    request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer hunter2"));
    request.headers_mut().insert("cookie", HeaderValue::from_static("session=hunter2"));
    let line = one(&service, request);
    assert!(!json!(line).to_string().contains("hunter2"), "{line:?}");
    assert_eq!(line["path"], "/reset/[REDACTED]");
    assert!(line["query"].as_str().unwrap().starts_with("a=1&pass%77ord=[REDACTED]"));
}

#[test]
fn a_slow_request_warns() {
    let service = Service::new(|| sleep(Duration::from_secs(2)));
    let line = one(&service, get("/"));
    assert_eq!((&line["level"], &line["slow"]), (&json!("WARN"), &json!(true)));
    assert_eq!(line["duration_ms"], 2000.0);
    let patient = Service::new(|| sleep(Duration::from_secs(2))).layered(|layer| layer.slow(None));
    assert!(!one(&patient, get("/")).contains_key("slow"));
    let strict = Service::new(|| async {
        sleep(Duration::from_millis(10)).await;
        500
    })
    .layered(|layer| layer.slow(Duration::from_millis(10)));
    let line = one(&strict, get("/"));
    assert_eq!((&line["level"], &line["slow"]), (&json!("ERROR"), &json!(true)));
}

#[test]
fn probes_are_skipped_unless_they_fail_or_are_slow() {
    let lines = Trial::new().lines_of(async {
        let healthy = Service::new(|| async {});
        for path in ["/health", "/health/live", "/livez", "/readyz", "/metrics"] {
            healthy.call(get(path)).await;
        }
        Service::new(|| async { 404 }).call(get("/health/none")).await;
        Service::new(|| async { 503 }).call(get("/health/ready")).await;
        Service::new(|| sleep(Duration::from_secs(5))).call(get("/metrics")).await;
        healthy.call(get("/healthcare")).await;
        Service::new(|| async {})
            .layered(|layer| layer.skip_routes(["/users/{id}"]))
            .call(get("/users/7"))
            .await;
        Service::new(|| async {}).layered(RequestLogLayer::skip_no_routes).call(get("/livez")).await;
    });
    let paths: Vec<_> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/health/ready", "/metrics", "/healthcare", "/livez"]);
}

#[test]
fn one_in_three_successes_is_logged_and_everything_else() {
    let lines = Trial::new().lines_of(async {
        let layer = layer().sample_successes(3);
        for (n, status) in [200, 200, 404, 200, 500, 200, 200, 200, 200].into_iter().enumerate() {
            let answer = move |_| async move {
                Ok::<_, Infallible>(Response::builder().status(status).body(Body::default()).unwrap())
            };
            // As a router does it: a copy of the layer for each request.
            let service = layer.clone().layer(service_fn(answer));
            service.oneshot(get(&format!("/{n}"))).await.unwrap();
        }
        let service = layer.layer(service_fn(|_| async {
            sleep(Duration::from_secs(3)).await;
            Ok::<_, Infallible>(Response::new(Body::default()))
        }));
        service.clone().oneshot(get("/picked")).await.unwrap();
        service.oneshot(get("/slow")).await.unwrap();
    });
    let paths: Vec<_> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/0", "/2", "/3", "/4", "/6", "/picked", "/slow"]);
    let none = Service::new(|| async {}).layered(|layer| layer.sample_successes(0));
    assert_eq!(Trial::new().lines_of(none.call(get("/"))).len(), 0);
}

#[test]
fn a_start_event_comes_first_and_once_with_the_requests_ids() {
    let lines = Trial::new().lines_of(async {
        let service = Service::new(|| async {
            tracing::info!("working");
            sleep(Duration::from_millis(1)).await;
        })
        .layered(|layer| layer.start_event(true));
        service.call(get("/users/7?token=hunter2")).await;
        service.call(get("/health")).await;
    });
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["request started", "working", "request completed", "working"]);
    assert_eq!((&lines[0]["level"], &lines[0]["route"]), (&json!("INFO"), &json!("/users/{id}")));
    assert_eq!(lines[0]["query"], "token=[REDACTED]");
    assert!(!lines[0].contains_key("status"));
}

#[test]
fn headers_are_objects_and_masked() {
    let service = Service::new(|| async {
        Response::builder()
            .header("set-cookie", "session=hunter2")
            .header("location", "/x?token=hunter2")
            .body(Body::default())
            .unwrap()
    })
    .layered(|layer| layer.request_headers(true).response_headers(true).start_event(true));
    let mut request = get("/");
    request.headers_mut().insert("authorization", HeaderValue::from_static("Basic aHVudGVyMg=="));
    request.headers_mut().insert("accept", HeaderValue::from_static("text/html"));
    let lines = Trial::new().lines_of(service.call(request));
    let expected = json!({"authorization": "[REDACTED]", "accept": "text/html"});
    assert_eq!((&lines[0]["request_headers"], &lines[1]["request_headers"]), (&expected, &expected));
    let expected = json!({"set-cookie": "[REDACTED]", "location": "/x?token=[REDACTED]"});
    assert_eq!(lines[1]["response_headers"], expected);
}

#[test]
fn the_innermost_span_known_to_the_hook_goes_before_the_requests_own_ids() {
    const INNER: TraceIds = TraceIds { trace_id: [1; 16], span_id: [9; 8], sampled: true };
    let service = || {
        Service::new(|| async {
            let record = Context::current().record().cloned().unwrap();
            record.set_trace(TraceIds { trace_id: [1; 16], span_id: [2; 8], sampled: true });
            tracing::info!("inside");
        })
    };
    let known = Trial::new().trace_ids(|| Some(INNER)).lines_of(service().call(get("/")));
    assert!(known.iter().all(|line| line["span_id"] == "09".repeat(8)), "{known:#?}");
    let unknown = Trial::new().trace_ids(|| None).lines_of(service().call(get("/")));
    assert!(unknown.iter().all(|line| line["span_id"] == "02".repeat(8)), "{unknown:#?}");
}

#[test]
fn another_layer_further_out_shares_its_record() {
    let lines = Trial::new().lines_of(async {
        let inner = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::from("x"))) });
        let observer = RequestLogLayer::new().observer();
        let routes = Routes::new().prefix("/files/{*path}").unwrap();
        let outer =
            ObserveLayer::with_settings((Some(observer),), Settings { routes, ..Settings::default() });
        let bind = tower::util::MapRequestLayer::new(|request: Request<_>| {
            Record::of(&request).unwrap().bind("tenant", "acme");
            request
        });
        let service = outer.layer(bind.layer(inner));
        service.oneshot(get("/files/a/b")).await.unwrap().into_body().collect().await.unwrap();
    });
    assert_eq!((&lines[0]["route"], &lines[0]["tenant"]), (&json!("/files/{*path}"), &json!("acme")));
}
