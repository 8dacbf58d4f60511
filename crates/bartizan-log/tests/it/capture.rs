//! Captured bodies of responses, on any host. Those of requests need axum's or tonic's bodies.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_log::{Capture, CaptureWhen, CapturedExchange, bodies_truncated_total, captured_bytes};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::{Layer, ServiceExt, service_fn};

use crate::service::{Body, Service, get, layer};
use crate::support::{Object, Trial};

fn answer(status: u16, media_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let answer = Response::builder().status(status).header("content-type", media_type);
    answer.body(Body::new(body.into())).unwrap()
}

/// The line of a service that gives this answer.
fn line(capture: Capture, answer: &Response<Body>) -> Object {
    let answer = answer.clone();
    let service = Service::new(move || {
        let answer = answer.clone();
        async move { answer }
    });
    let service = service.layered(|layer| layer.capture(capture));
    let mut lines = Trial::new().lines_of(async move { service.call(get("/users/7?token=hunter2")).await });
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

fn always() -> Capture {
    Capture::new().when(CaptureWhen::Always)
}

#[test]
fn nothing_is_captured_unless_it_is_switched_on() {
    let service = Service::new(|| async { answer(500, "application/json", "{}") });
    let lines = Trial::new().lines_of(service.call(get("/")));
    assert!(!lines[0].keys().any(|name| name.contains("body")), "{lines:?}");
}

#[test]
fn a_body_is_masked_json_in_a_string() {
    let body = r#"{"user": "ada", "password": "hunter2", "cards": [{"cvv": 123}], "note": "pin=hunter2"}"#;
    let line = line(Capture::new(), &answer(500, "application/json", body));
    let shown: Value = serde_json::from_str(line["response_body"].as_str().unwrap()).unwrap();
    let expected = json!({"user": "ada", "password": "[REDACTED]", "cards": [{"cvv": "[REDACTED]"}], "note": "pin=[REDACTED]"});
    assert_eq!(shown, expected);
    assert!(!line.contains_key("response_body_truncated") && !line.contains_key("request_body"));
    assert_eq!(line["response_bytes"], body.len());
}

#[test]
fn whether_a_body_is_shown_is_decided_when_all_is_over() {
    let fast = |status| move || async move { answer(status, "text/plain", "text") };
    let slow = || async {
        sleep(Duration::from_secs(2)).await;
        answer(200, "text/plain", "text")
    };
    let wanted = |when: &CaptureWhen| {
        let mut wanted = Vec::new();
        for service in
            [Service::new(fast(200)), Service::new(fast(404)), Service::new(fast(503)), Service::new(slow)]
        {
            let service = service.layered(|layer| layer.capture(Capture::new().when(when.clone())));
            let lines = Trial::new().lines_of(service.call(get("/")));
            wanted.push(lines[0].contains_key("response_body"));
        }
        wanted
    };
    for (when, expected) in [
        (CaptureWhen::Always, [true, true, true, true]),
        (CaptureWhen::Error, [false, false, true, false]),
        (CaptureWhen::Failure, [false, true, true, false]),
        (CaptureWhen::Slow, [false, false, false, true]),
        (CaptureWhen::ErrorOrSlow, [false, false, true, true]),
        (
            CaptureWhen::If(Arc::new(|ending, _| ending.status.is_some_and(|status| status == 404))),
            [false, true, false, false],
        ),
    ] {
        assert_eq!(wanted(&when), expected, "{when:?}");
    }
}

#[test]
fn json_that_is_cut_stays_json_and_tells_its_true_length() {
    let body =
        json!({"items": vec![json!({"name": "ä\"\\", "token": "hunter2", "n": 1.5e3}); 20]}).to_string();
    let before = bodies_truncated_total();
    for limit in 0..body.len() {
        let line = line(always().limit(limit), &answer(200, "application/json", body.clone()));
        let shown = line["response_body"].as_str().unwrap();
        assert!(!json!(line).to_string().contains("hunter"), "{limit}: {line:?}");
        assert_eq!(line["response_bytes"], body.len());
        if limit == 0 {
            assert_eq!(shown, format!("[application/json, {} bytes]", body.len()));
        } else {
            assert!(serde_json::from_str::<Value>(shown).is_ok(), "{limit}: {shown}");
            assert_eq!(line["response_body_truncated"], true);
        }
    }
    assert!(bodies_truncated_total() >= before + body.len() as u64 - 1);
}

#[test]
fn what_cannot_be_read_is_replaced_as_a_whole() {
    for (media_type, body, shown) in [
        ("application/json", &b"{\"password\": hunter2}"[..], "[application/json, 21 bytes]"),
        ("application/json", b"\xff\xfe{\"a\":\"hunter2\"}", "[application/json, 17 bytes]"),
        ("image/png", b"hunter2", "[image/png, 7 bytes]"),
        ("application/grpc", b"\0\0\0\0\x07hunter2", "[application/grpc, 12 bytes]"),
        ("text/event-stream", b"data: hunter2\n\n", "[text/event-stream, 15 bytes]"),
        ("hunter2 hunter2", b"hunter2", "[unknown type, 7 bytes]"),
        ("multipart/form-data", b"hunter2", "[multipart/form-data, 7 bytes]"),
    ] {
        let line = line(always(), &answer(200, media_type, body));
        assert_eq!(line["response_body"], shown);
        assert!(!line.contains_key("response_body_truncated"), "{line:?}");
    }
    let mut compressed = answer(200, "application/json", "{\"a\":\"hunter2\"}");
    compressed.headers_mut().insert("content-encoding", HeaderValue::from_static("br"));
    assert_eq!(line(always(), &compressed)["response_body"], "[application/json, 15 bytes]");
    let mut twice = answer(200, "text/plain", "hunter2");
    twice.headers_mut().append("content-type", HeaderValue::from_static("application/json"));
    assert_eq!(line(always(), &twice)["response_body"], "[unknown type, 7 bytes]");
    let empty = line(always(), &answer(200, "application/json", ""));
    assert!(!empty.contains_key("response_body"), "{empty:?}");
}

#[test]
fn a_body_that_is_too_long_for_a_line_is_shortened_and_stays_json() {
    let quotes = json!(vec!["\"\"\""; 8000]).to_string();
    let line = line(always().limit(1 << 20), &answer(200, "application/json", quotes));
    let shown = line["response_body"].as_str().unwrap();
    assert!(shown.len() > 4000);
    assert!(serde_json::from_str::<Value>(shown).unwrap().is_array());
    assert_eq!(line["response_body_truncated"], true);
}

#[test]
fn every_frame_goes_by_as_it_is_in_the_poll_that_brought_it() {
    let frames: Vec<Bytes> =
        (0..50).map(|n| Bytes::from(format!("{{\"n\":{n},\"password\":\"hunter2\"}}\n"))).collect();
    let sent = frames.clone();
    let lines = Trial::new().lines_of(async move {
        let answer = service_fn(move |_: Request<Body>| {
            let frames = sent.clone().into_iter().map(|data| Ok::<_, Infallible>(Frame::data(data)));
            let body = StreamBody::new(futures_util::stream::iter(frames));
            async move {
                Ok::<_, Infallible>(
                    Response::builder().header("content-type", "application/x-ndjson").body(body).unwrap(),
                )
            }
        });
        let service = layer().capture(always().limit(100)).layer(answer);
        let mut body = Box::pin(service.oneshot(get("/")).await.unwrap().into_body());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        for frame in &frames {
            let std::task::Poll::Ready(Some(Ok(polled))) = body.as_mut().poll_frame(&mut cx) else {
                panic!("it was ready");
            };
            let data = polled.into_data().unwrap();
            assert_eq!((data.as_ptr(), data.len()), (frame.as_ptr(), frame.len()), "the very same bytes");
        }
        assert!(matches!(body.as_mut().poll_frame(&mut cx), std::task::Poll::Ready(None)));
    });
    let shown = lines[0]["response_body"].as_str().unwrap();
    assert!(shown.starts_with("{\"n\":0,\"password\":\"[REDACTED]\"}\n"), "{shown}");
    assert_eq!(lines[0]["response_body_truncated"], true);
}

#[test]
fn an_exchange_that_is_dropped_anywhere_shows_what_had_gone_by_and_keeps_nothing() {
    for polls in 0..6 {
        let lines = Trial::new().lines_of(async move {
            let answer = service_fn(|_: Request<Body>| async {
                tokio::task::yield_now().await;
                let frames = ["{\"a\":1,", "\"pin\":\"hunter2\",", "\"b\":2}"]
                    .map(|data| Ok::<_, Infallible>(Frame::data(Bytes::from(data))));
                let body = StreamBody::new(futures_util::stream::iter(frames));
                Ok::<_, Infallible>(
                    Response::builder().header("content-type", "application/json").body(body).unwrap(),
                )
            });
            let service = layer().capture(always()).layer(answer);
            let exchange = async {
                let mut body = service.oneshot(get("/")).await.unwrap().into_body();
                while let Some(frame) = body.frame().await {
                    drop(frame);
                    tokio::task::yield_now().await;
                }
            };
            let mut exchange = Box::pin(exchange);
            for _ in 0..polls {
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                let _ = exchange.as_mut().poll(&mut cx);
            }
        });
        assert!(!format!("{lines:?}").contains("hunter2"));
        if let Some(shown) = lines.first().and_then(|line| line.get("response_body")) {
            let shown: Value = serde_json::from_str(shown.as_str().unwrap()).unwrap();
            assert_eq!(shown["a"], 1);
            assert_eq!(lines[0].contains_key("response_body_truncated"), lines[0]["outcome"] != "ok");
        }
    }
}

#[test]
fn a_sink_is_given_masked_exchanges_also_without_a_subscriber() {
    let seen: Arc<Mutex<Vec<CapturedExchange>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let capture = Capture::new().sink(move |exchange| kept.lock().unwrap().push(exchange));
    let service = Service::new(|| async {
        let mut answer = answer(503, "application/json", r#"{"error":"x","secret":"hunter2"}"#);
        answer.headers_mut().insert("set-cookie", HeaderValue::from_static("session=hunter2"));
        answer
    })
    .layered(|layer| layer.capture(capture));
    let mut request = get("/reset/hunter2?token=hunter2&page=2");
    for (name, value) in
        [("host", "shop.example:8080"), ("authorization", "Bearer hunter2"), ("x-it's", "$(id)")]
    {
        request.headers_mut().append(name, HeaderValue::from_static(value));
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(service.call(request));

    let seen = seen.lock().unwrap();
    let exchange = &seen[0];
    assert_eq!(exchange.url, "http://shop.example:8080/reset/[REDACTED]?token=[REDACTED]&page=2");
    assert_eq!(
        (exchange.method, &*exchange.route, exchange.http_version),
        ("GET", "/reset/{token}", "HTTP/1.1")
    );
    let body = exchange.response_body.as_ref().unwrap();
    assert_eq!((&*body.text, body.bytes), (r#"{"error":"x","secret":"[REDACTED]"}"#, 32));
    let expected = "curl --globoff -X 'GET' -H 'authorization: [REDACTED]' -H 'x-it'\\''s: $(id)' \
                    'http://shop.example:8080/reset/[REDACTED]?token=[REDACTED]&page=2'";
    assert_eq!(exchange.to_curl(), expected);
    assert!(!format!("{exchange:?}").contains("hunter2"));
    assert!(!CapturedExchange::to_har(&seen).contains("hunter2"));
}

#[test]
fn what_was_held_is_given_back() {
    for n in 0..20 {
        let capture = always().when(if n % 2 == 0 { CaptureWhen::Always } else { CaptureWhen::Error });
        line(capture, &answer(200, "text/plain", "x".repeat(10_000)));
    }
    // Other tests capture at the same time; none of them holds more than this.
    assert!(captured_bytes() < 4 << 20);
}
