//! What a line costs in allocations, once a thread has its buffers: none.
#![allow(clippy::unwrap_used)]

mod support;

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Duration;

use allocation_counter::measure;
use bartizan_core::PeerAddress;
use bartizan_log::{Capture, CaptureWhen, LogBuilder, LogFormat, RequestLogLayer};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};
use tracing::info;
use tracing_subscriber::layer::SubscriberExt;

use support::read_lines;

fn with_log(work: impl FnOnce()) {
    let memory = support::Memory::default();
    let log = LogBuilder::new()
        .env(|_| None)
        .format(LogFormat::Json)
        .capacity(64 * 1024)
        .sink(memory.clone())
        .build()
        .unwrap();
    let (layer, guard) = log.into_layer();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        // The two buffers of the writer grow while they are filled for the first time.
        for _ in 0..2 {
            while guard.writer().write_line(&[b'x'; 1000]) {}
            assert!(guard.writer().flush(Duration::from_secs(30)));
        }
        work();
    });
    assert!(guard.shutdown(Duration::from_secs(30)));
    let text = memory.text();
    let first = text.find('{').unwrap();
    assert!(read_lines(&text[first..]).len() >= 10, "lines were written");
}

/// Allocations of the tenth call.
fn allocations(mut work: impl FnMut()) -> u64 {
    for _ in 0..9 {
        work();
    }
    measure(&mut work).count_total
}

#[derive(Debug)]
#[allow(dead_code)]
struct Order {
    id: u32,
    lines: Vec<Option<&'static str>>,
    note: &'static str,
}

#[test]
fn an_event_allocates_nothing() {
    with_log(|| {
        let shown: &dyn Display = &"shown";
        let plain = allocations(|| info!(order = 17, ok = true, rate = 0.5, "order paid"));
        assert_eq!(plain, 0);
        let texts = allocations(|| {
            info!(user = "ada", shown = %shown, debugged = ?Some(1), "url: https://example.org/?a=b&c={shown}");
        });
        assert_eq!(texts, 0);
        let by_name = allocations(|| info!(password = "hunter2", api_key = ?1, "by name"));
        assert_eq!(by_name, 0);
        let nested = Order { id: 17, lines: vec![Some("tea"), None], note: "two: of them" };
        let debugged = allocations(
            || info!(order = ?nested, list = ?[1, 2], pretty = format_args!("{nested:#?}"), "hi"),
        );
        assert_eq!(debugged, 0);
        let body = r#"{"id": 17, "lines": ["tea"], "url": "https://example.org/?a=b"}"#;
        assert_eq!(allocations(|| info!(body, "json in a string")), 0);
        let failed = std::io::Error::from(std::io::ErrorKind::NotFound);
        assert_eq!(allocations(|| info!(error = &failed as &(dyn std::error::Error + 'static), "failed")), 0);
        assert_eq!(allocations(|| info!(db.statement = "SELECT * FROM t WHERE a = 'x'", "a statement")), 0);
        let span = tracing::info_span!("s", a = 1, b = "text").entered();
        assert_eq!(allocations(|| info!(order = 17, "in a span")), 0);
        drop(span);
        let scope = bartizan_log::Scope::new().field("file", "a.csv").field("password", "hunter2");
        assert_eq!(scope.call(|| allocations(|| info!(order = 17, "in a scope"))), 0);
    });
}

fn request() -> Request<Full<Bytes>> {
    let mut request = Request::get("/users/7?page=2&token=4f").body(Full::default()).unwrap();
    let agent =
        HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)");
    request.headers_mut().insert("user-agent", agent);
    request.extensions_mut().insert(PeerAddress("192.0.2.7:4000".parse().unwrap()));
    request
}

/// Allocations of one call, without making the request.
fn of_a_request<R>(mut service: impl Service<Request<Full<Bytes>>, Response = R, Error = Infallible>) -> u64 {
    // The first copy of a URI makes it one that is counted.
    let template = request();
    let mut count = 0;
    for _ in 0..10 {
        let request = template.clone();
        count = measure(|| {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            let call = std::pin::pin!(service.call(request));
            assert!(call.poll(&mut cx).is_ready());
        })
        .count_total;
    }
    count
}

/// A body of many frames, made one at a time.
struct Endless(usize);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        static DATA: LazyLock<Bytes> = LazyLock::new(|| Bytes::from("{\"pin\":\"bcd\"}\n".repeat(700)));
        let Some(left) = self.0.checked_sub(DATA.len()) else { return std::task::Poll::Ready(None) };
        self.0 = left;
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(DATA.clone()))))
    }
}

/// The most memory that an exchange with a body of 10 MB takes.
fn most_bytes(layer: &RequestLogLayer) -> u64 {
    let handler = service_fn(|_| async {
        let answer = Response::builder().header("content-type", "application/x-ndjson");
        Ok::<_, Infallible>(answer.body(Endless(10 * 1024 * 1024)).unwrap())
    });
    let run = || {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let call = std::pin::pin!(layer.layer(handler).call(request()));
        let std::task::Poll::Ready(Ok(response)) = call.poll(&mut cx) else { panic!("it was ready") };
        let mut body = std::pin::pin!(response.into_body());
        while let std::task::Poll::Ready(Some(frame)) = http_body::Body::poll_frame(body.as_mut(), &mut cx) {
            drop(frame);
        }
    };
    run();
    measure(run).bytes_max
}

#[test]
fn capturing_a_large_body_takes_the_memory_of_its_limit() {
    with_log(|| {
        let capture = || Capture::new().when(CaptureWhen::Always);
        let off = most_bytes(&RequestLogLayer::new());
        let dropped = most_bytes(&RequestLogLayer::new().capture(Capture::new()));
        let shown = most_bytes(&RequestLogLayer::new().capture(capture()));
        println!("10 MB: {off} bytes without capture, {dropped} where it is not wanted, {shown} where it is");
        assert!(dropped < off + 32 * 1024 && shown < off + 128 * 1024, "{off} {dropped} {shown}");
        for _ in 0..10 {
            tracing::info!("a line");
        }
    });
}

#[test]
fn a_request_and_its_line_allocate_nothing() {
    with_log(|| {
        let handler = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
        assert_eq!(of_a_request(RequestLogLayer::new().layer(handler)), 0);
    });
}
