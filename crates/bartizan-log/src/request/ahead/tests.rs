use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, UNIX_EPOCH};

use bartizan_core::PeerAddress;
use bartizan_mask::Masker;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Service, service_fn};
use tower_layer::Layer as _;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{self, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::{WRITTEN, take};
use crate::{Capture, CaptureWhen, LogLayer, LogWriter, RequestLogLayer};

/// Writes each line from what was written ahead, twice, and once more by visiting the fields.
struct Twice {
    layer: LogLayer,
    lines: Arc<AtomicUsize>,
    ahead: Arc<AtomicUsize>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Twice {
    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let line = || {
            let mut text = String::new();
            self.layer.with_line(event, &context, |line| text.push_str(str::from_utf8(line).unwrap()));
            text
        };
        let first = line();
        assert_eq!(line(), first, "for the next layer");
        let hidden = WRITTEN.take();
        let second = line();
        self.ahead.fetch_add(usize::from(hidden.is_some()), Ordering::Relaxed);
        self.lines.fetch_add(1, Ordering::Relaxed);
        WRITTEN.set(hidden);
        assert_eq!(first, second);
        serde_json::from_str::<serde_json::Value>(&first).unwrap();
    }
}

/// How many lines there were, and how many of them were written ahead.
fn lines(work: impl FnOnce()) -> (usize, usize) {
    let now = || UNIX_EPOCH + Duration::from_hours(490_000);
    let layer = LogLayer::json(LogWriter::new(std::io::sink()).unwrap(), Masker::default()).now(now);
    let twice = Twice { layer, lines: Arc::default(), ahead: Arc::default() };
    let (lines, ahead) = (Arc::clone(&twice.lines), Arc::clone(&twice.ahead));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(twice), work);
    assert!(take().is_none(), "nothing is left");
    (lines.load(Ordering::Relaxed), ahead.load(Ordering::Relaxed))
}

fn send(layer: &RequestLogLayer, request: http::request::Builder, status: u16, body: &'static str) {
    let handler = service_fn(move |_: Request<Full<Bytes>>| async move {
        let answer =
            Response::builder().status(StatusCode::from_u16(status).unwrap()).header("etag", "\"x\"");
        Ok::<_, Infallible>(
            answer.header("content-type", "text/plain").body(Full::new(Bytes::from(body))).unwrap(),
        )
    });
    let mut request = request.body(Full::new(Bytes::from_static(b"{\"pin\": 1}"))).unwrap();
    request.extensions_mut().insert(PeerAddress("192.0.2.7:4000".parse().unwrap()));
    let mut cx = Context::from_waker(Waker::noop());
    let call = pin!(layer.layer(handler).call(request));
    let std::task::Poll::Ready(Ok(response)) = call.poll(&mut cx) else { panic!("it was ready") };
    let mut body = pin!(response.into_body());
    while let std::task::Poll::Ready(Some(frame)) = http_body::Body::poll_frame(body.as_mut(), &mut cx) {
        drop(frame);
    }
}

#[test]
fn a_line_says_the_same_whether_it_was_written_ahead_or_not() {
    let capture = Capture::new().when(CaptureWhen::Always);
    let layer = RequestLogLayer::new().request_headers(true).response_headers(true);
    let slow = layer.clone().slow(Duration::ZERO);
    let layers = [layer.start_event(true), slow.clone(), slow.capture(capture)];
    let (lines, ahead) = lines(|| {
        for layer in &layers {
            for status in [200, 404, 503] {
                let plain = Request::get("/users/7?page=2&token=4f").header("user-agent", "curl/8");
                send(layer, plain, status, "hello");
                let odd = Request::post("/\"x\"/%22?a=\\b").header("user-agent", "J\u{f6}rg: \"x\"\t");
                send(layer, odd.header("x-token", "secret").version(http::Version::HTTP_2), status, "a\nb");
                send(layer, Request::builder().method("BREW").uri("*"), status, "");
            }
        }
    });
    // Not where there is something to escape, or a body.
    assert_eq!((lines, ahead), (36, 21));
}

#[test]
fn a_long_line_is_not_written_ahead() {
    let long = "0123456789".repeat(500);
    let request = || Request::get(format!("/{long}?{long}")).header("user-agent", &long);
    let with_headers = (0..20).fold(request(), |request, n| request.header(format!("x-{n}"), &long));
    let layer = RequestLogLayer::new().request_headers(true);
    assert_eq!(lines(|| send(&layer, request(), 200, "")), (1, 1));
    assert_eq!(lines(|| send(&layer, with_headers, 200, "")), (1, 0));
}

#[test]
fn an_event_within_the_dispatch_of_another_hides_what_was_written_for_that_one_and_no_longer() {
    super::expect();
    let write = |text: &'static str| {
        super::Ahead::write(move |line| {
            line.clear();
            line.extend_from_slice(text.as_bytes());
            (!text.is_empty()).then_some(text.len())
        })
    };
    let read = || {
        let written = take()?;
        let line = written.line.clone();
        super::give_back(written);
        Some(line)
    };
    let outer = write("outer");
    let inner = write("inner");
    assert_eq!(read().unwrap(), b"inner");
    drop(inner);
    let empty = write("");
    assert!(read().is_none());
    drop(empty);
    assert_eq!(read().unwrap(), b"outer");
    drop(outer);
    assert!(read().is_none());
}
