//! Captured bodies over the wire: what is planted shows nowhere, and the live body is neither held up nor changed.

use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bartizan::log::{Capture, CaptureWhen};
use bartizan_tests::{Lab, ScriptedBody, Step};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt};

const SECRET: &str = "hunter2";

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let vars = |name: &str| (name == "LOG_BODIES").then(|| "always".to_owned());
        Lab::start(|builder| builder.vars(vars).capture(Capture::new().when(CaptureWhen::Slow).limit(1024)))
    })
}

/// The only line of this route, which the calling test has for itself.
fn line(route: &str) -> Map<String, Value> {
    let mut lines = lab().lines_with("route", route);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

fn text<'a>(line: &'a Map<String, Value>, name: &str) -> &'a str {
    line.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {line:?}"))
}

/// Sends back what it got, as what it was.
async fn echo(request: Request) -> Response {
    let media_type = request.headers().get("content-type").cloned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut response = (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
    if let Some(media_type) = media_type {
        response.headers_mut().insert("content-type", media_type);
    }
    response
}

async fn serve(app: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app.layer(lab().stack.layer())).await });
    address
}

/// Reads an answer with a `content-length`, and gives its body.
async fn answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "{}", String::from_utf8_lossy(&read));
        let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
        let (_, length) = head.split_once("content-length: ").unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        if read.len() == end + 4 + length {
            return read.split_off(end + 4);
        }
    }
}

/// Posts these chunks, each in a packet of its own, and gives the answer.
async fn post_chunks(stream: &mut TcpStream, path: &str, headers: &[u8], chunks: &[&[u8]]) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n").into_bytes();
    head.extend_from_slice(headers);
    head.extend_from_slice(b"\r\n");
    stream.write_all(&head).await.unwrap();
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        let mut packet = format!("{:x}\r\n", chunk.len()).into_bytes();
        packet.extend_from_slice(chunk);
        packet.extend_from_slice(b"\r\n");
        stream.write_all(&packet).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    answer(stream).await
}

#[tokio::test]
async fn no_planted_secret_shows_however_the_body_is_split() {
    let address = serve(Router::new().route("/split/{kind}", post(echo))).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let kinds: [(&str, &str, &str); 5] = [
        (
            "json",
            "application/json",
            r#"{"user":"ada","pass\u0077ord":"hunter2","cards":[{"cvv":"hunter2","pin":null}],"n":1}"#,
        ),
        (
            "problem",
            "application/problem+json; charset=utf-8",
            r#"[{"api_key":["hunter2",{"a":"hunter2"}]},"token=hunter2","ä"]"#,
        ),
        ("lines", "application/x-ndjson", "{\"a\":1}\n{\"secret\":\"hunter2\"}\n"),
        ("form", "application/x-www-form-urlencoded", "user=ada&pass%77ord=hunter2&x=1"),
        (
            "parts",
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nada\r\n\
             --b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n\
             --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nhunter2\r\n--b--\r\n",
        ),
    ];
    for (kind, media_type, body) in kinds {
        let (body, path) = (body.as_bytes(), format!("/split/{kind}"));
        let headers = format!("content-type: {media_type}\r\n");
        for at in 0..body.len() {
            let (first, second) = body.split_at(at);
            let echoed = post_chunks(&mut stream, &path, headers.as_bytes(), &[first, second]).await;
            assert_eq!(echoed, body, "the live body is as it was");
        }
    }
    let log = lab().log_text();
    assert!(!log.contains(SECRET), "{}", log.lines().find(|line| line.contains(SECRET)).unwrap());
    for (kind, _, body) in kinds {
        let lines = lab().lines_with("path", &format!("/split/{kind}"));
        assert_eq!(lines.len(), body.len());
        let shown = text(&lines[0], "request_body");
        assert!(
            shown.contains("[REDACTED]") && (shown.contains("ada") || !body.contains("ada")),
            "{kind}: {shown}"
        );
        for line in &lines {
            assert_eq!((text(line, "request_body"), text(line, "response_body")), (shown, shown), "{kind}");
            assert_eq!(
                (&line["request_bytes"], &line["response_bytes"]),
                (&body.len().into(), &body.len().into())
            );
            assert!(
                !line.contains_key("request_body_truncated") && !line.contains_key("response_body_truncated")
            );
        }
    }
}

#[tokio::test]
async fn no_planted_secret_shows_whatever_the_headers_say() {
    let address = serve(Router::new().route("/hostile", post(echo))).await;
    let bodies: [&[u8]; 6] = [
        br#"{"password":"hunter2"}"#,
        b"{\"password\":\"hunter2",
        b"\xef\xbb\xbf{\"password\":\"hunter2\"}",
        b"{\0\"\0p\0a\0s\0s\0w\0o\0r\0d\0\"\0:\0\"\0hunter2\"\0}\0",
        b"password=hunter2",
        b"\x1f\x8b\x08password=hunter2",
    ];
    let headers: [&[u8]; 16] = [
        b"content-type: application/json\r\n",
        b"content-type: application/json; charset=utf-16\r\n",
        b"content-type: APPLICATION/JSON;charset=\"utf-8\"; x=\"hunter2\"\r\n",
        b"content-type: application/json, text/plain\r\n",
        b"content-type: application/json\r\ncontent-type: text/plain\r\n",
        b"content-type: text/plain; charset=utf-7\r\n",
        b"content-type: hunter2/hunter2 x\r\n",
        b"content-type: \xff\xfe\r\n",
        b"content-type:\r\n",
        b"content-type: multipart/form-data; boundary=\"\"\r\n",
        b"content-type: multipart/form-data; boundary=\"\\\"hunter2\r\n",
        b"content-type: application/x-www-form-urlencoded\r\n",
        b"content-type: application/json\r\ncontent-encoding: gzip\r\n",
        b"content-type: application/json\r\ncontent-encoding: gzip, br\r\n",
        b"content-type: application/json\r\ncontent-encoding: \xff\r\ncontent-encoding: identity\r\n",
        b"content-type: application/grpc+proto\r\n",
    ];
    for headers in headers {
        for body in bodies {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let echoed = post_chunks(&mut stream, "/hostile", headers, &[body]).await;
            assert_eq!(echoed, body, "{}", String::from_utf8_lossy(headers));
        }
    }
    let lines = lab().lines_with("path", "/hostile");
    assert_eq!(lines.len(), headers.len() * bodies.len());
    for line in lines {
        assert!(!format!("{line:?}").contains(SECRET), "{line:?}");
        assert!(line.contains_key("request_body"), "something stands for it: {line:?}");
    }
}

#[tokio::test]
async fn a_stream_is_not_held_up() {
    for media_type in ["text/event-stream", "application/x-ndjson"] {
        let go = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&go);
        let stream = move || {
            let gate = Arc::clone(&gate);
            let body = Body::from_stream(futures_util::stream::unfold(0, move |sent| {
                let gate = Arc::clone(&gate);
                async move {
                    // Each one waits until the client has read the one before.
                    gate.acquire().await.unwrap().forget();
                    (sent < 5)
                        .then(|| (Ok::<_, std::convert::Infallible>(format!("{{\"n\":{sent}}}\n")), sent + 1))
                }
            }));
            async move { ([("content-type", media_type)], body) }
        };
        let address = serve(Router::new().route("/stream", get(stream))).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut read = Vec::new();
        for n in 0..5 {
            go.add_permits(1);
            let wanted = format!("{{\"n\":{n}}}\n");
            while !String::from_utf8_lossy(&read).contains(&wanted) {
                let more = tokio::time::timeout(Duration::from_secs(20), client.read_buf(&mut read)).await;
                assert!(more.unwrap().unwrap() > 0);
            }
        }
        go.add_permits(1);
        while !read.ends_with(b"0\r\n\r\n") {
            client.read_buf(&mut read).await.unwrap();
        }
    }
    let lines = lab().lines_with("route", "/stream");
    assert_eq!(text(&lines[0], "response_body"), "[text/event-stream, 40 bytes]");
    assert_eq!(text(&lines[1], "response_body"), "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}");
}

/// A request whose body follows a script, in axum's body type.
fn scripted(path: &str, steps: &[Step]) -> Request {
    let body = Body::new(ScriptedBody::new(steps.to_vec()));
    Request::post(path).header("content-type", "application/json").body(body).unwrap()
}

const WHOLE: [Step; 3] =
    [Step::Data("{\"a\":1,"), Step::Data("\"pin\":\"hunter2\","), Step::Data("\"b\":2}")];

#[tokio::test]
async fn each_frame_of_a_request_is_handed_on_in_the_poll_that_brought_it() {
    let service = lab().stack.layer().layer(tower::service_fn(|request: Request| async {
        let mut body = pin!(request.into_body());
        let mut cx = Context::from_waker(Waker::noop());
        for step in WHOLE {
            let Step::Data(data) = step else { unreachable!() };
            let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) else {
                panic!("it was ready")
            };
            let frame = frame.into_data().unwrap();
            assert_eq!((frame.as_ptr(), frame.len()), (data.as_ptr(), data.len()), "the very same bytes");
        }
        assert!(matches!(body.as_mut().poll_frame(&mut cx), Poll::Ready(None)));
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    }));
    service.oneshot(scripted("/files/frames", &WHOLE)).await.unwrap().into_body().collect().await.unwrap();
    let lines = lab().lines_with("path", "/files/frames");
    assert_eq!(text(&lines[0], "request_body"), r#"{"a":1,"pin":"[REDACTED]","b":2}"#);
    assert!(!lines[0].contains_key("request_body_truncated") && !lines[0].contains_key("response_body"));
}

#[tokio::test]
async fn what_a_service_did_not_read_to_the_end_is_marked() {
    let app = Router::new()
        .route("/unread", post(|| async { "no" }))
        .route(
            "/half",
            post(|request: Request| async move {
                let mut body = request.into_body();
                body.frame().await.unwrap().unwrap();
                body.frame().await.unwrap().unwrap();
                "half"
            }),
        )
        .route("/refused", post(|Json(_): Json<Value>| async { "read" }));
    let app = app.layer(lab().stack.layer());
    let broken = [Step::Data("{\"a\":1,\"pin\":\"hunt"), Step::Error];
    for (path, steps) in [("/unread", &WHOLE[..]), ("/half", &WHOLE[..]), ("/refused", &broken[..])] {
        let response = app.clone().oneshot(scripted(path, steps)).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    assert!(!line("/unread").contains_key("request_body"));
    for (route, shown) in
        [("/half", r#"{"a":1,"pin":"[REDACTED]"}"#), ("/refused", r#"{"a":1,"pin":"[REDACTED]"}"#)]
    {
        assert_eq!(text(&line(route), "request_body"), shown);
        assert_eq!(line(route)["request_body_truncated"], true);
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_at_any_await_ends_once_and_shows_no_secret() {
    let steps =
        [&[Step::Yield][..], &WHOLE[..1], &[Step::Yield], &WHOLE[1..2], &[Step::Yield], &WHOLE[2..]].concat();
    let app = Router::new().route("/dropped", post(echo)).layer(lab().stack.layer());
    let mut dropped = 0;
    for polls in 0.. {
        let exchange = async {
            let mut body = app.clone().oneshot(scripted("/dropped", &steps)).await.unwrap().into_body();
            while let Some(frame) = body.frame().await {
                frame.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let mut exchange: Pin<Box<dyn Future<Output = ()>>> = Box::pin(exchange);
        let mut cx = Context::from_waker(Waker::noop());
        let done = (0..polls).any(|_| exchange.as_mut().poll(&mut cx).is_ready());
        drop(exchange);
        dropped = polls;
        if done {
            break;
        }
    }
    assert!(dropped > 3, "{dropped}");
    let lines = lab().lines_with("route", "/dropped");
    assert_eq!(lines.len(), dropped, "each one that began has ended");
    for line in &lines {
        assert!(!format!("{line:?}").contains(SECRET), "{line:?}");
        let cut = line["outcome"] == "cancelled_before_head";
        assert_eq!(
            line.contains_key("request_body_truncated"),
            cut && line["request_bytes"] != 0,
            "{line:?}"
        );
    }
}

#[tokio::test]
async fn bounds_that_are_hit_are_counters() {
    let long = Bytes::from(format!("[{}1]", "1,".repeat(5000)));
    let app = Router::new().route("/long", post(echo)).layer(lab().stack.layer());
    let request =
        Request::post("/long").header("content-type", "application/json").body(Body::from(long.clone()));
    let echoed = app.oneshot(request.unwrap()).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(echoed, long);
    let line = line("/long");
    let shown: Value = serde_json::from_str(text(&line, "request_body")).unwrap();
    assert_eq!(shown.as_array().unwrap().len(), 511, "1 KiB of it");
    assert_eq!((&line["request_body_truncated"], &line["request_bytes"]), (&true.into(), &long.len().into()));
    assert!(lab().sample("bartizan_bodies_truncated_total", &[]).unwrap() >= 2.0);
    for name in
        ["bartizan_bodies_refused_total", "bartizan_captured_bytes", "bartizan_body_placeholders_total"]
    {
        assert!(lab().sample(name, &[]).is_some(), "{name}");
    }
}
