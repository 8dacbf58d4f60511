//! What needs the whole process: the panic hook, and events inside of events.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bartizan_core::{CatchLayer, CorrelationId, Record};
use bartizan_log::{LogBuilder, LogFormat, PanicHook, RequestLogLayer, panics_total};
use bartizan_mask::Masker;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tower::util::MapRequestLayer;
use tower::{Layer, ServiceExt, service_fn};
use tracing::info;
use tracing_subscriber::layer::SubscriberExt;

use support::{Memory, Object, read_lines};

/// Logs while it is shown, so many times deep, and then panics or does not.
struct Chatty(u32, bool);

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.checked_sub(1) {
            Some(less) => info!(value = ?Chatty(less, self.1), "inside"),
            None => assert!(!self.1, "deep inside, password=hunter2"),
        }
        f.write_str("chatty")
    }
}

/// One test, because there is one hook and one global subscriber.
#[test]
fn panics_and_events_inside_of_events_are_lines_of_their_own() {
    let memory = Memory::default();
    let log = LogBuilder::new().env(|_| None).format(LogFormat::Json).sink(memory.clone()).build().unwrap();
    let (layer, guard) = log.into_layer();

    PanicHook::new(Masker::default()).install();
    // Nobody takes this one: it goes to standard error, masked.
    assert!(catch_unwind(|| panic!("unheard, token=hunter2")).is_err());

    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    PanicHook::new(Masker::default()).flush(guard.writer().clone()).install();

    request_that_panics();
    // A value that logs a value that logs a value.
    info!(value = ?Chatty(2, false), "outer");
    assert!(catch_unwind(|| info!(value = ?Chatty(2, true), "never seen")).is_err());
    // A span's value that panics leaves the span usable.
    let span = tracing::info_span!("s", fine = 1, later = tracing::field::Empty);
    let _entered = span.enter();
    let record = AssertUnwindSafe(|| {
        span.record("later", tracing::field::debug(Chatty(0, true)));
    });
    assert!(catch_unwind(record).is_err());
    info!("after");

    assert!(guard.shutdown(Duration::from_secs(30)));
    let text = memory.text();
    assert!(!text.contains("hunter2"), "{text}");
    let lines = read_lines(&text);
    let messages: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    let expected = ["panic", "request completed", "inside", "inside", "outer", "panic", "panic", "after"];
    assert_eq!(messages, expected);
    assert!(lines[2..5].iter().all(|line| line["value"] == "chatty"), "{lines:#?}");
    panic_line(&lines[0]);
    assert_eq!((&lines[1]["outcome"], &lines[1]["status"]), (&json!("panicked"), &json!(500)));
    assert_eq!(lines[1]["correlation_id"], "order-17");
    assert_eq!(lines[7]["fine"], 1);
    assert_eq!(panics_total(), 4);
}

fn request_that_panics() {
    let identify = MapRequestLayer::new(|request: Request<_>| {
        let id = CorrelationId::new(HeaderValue::from_static("order-17")).unwrap();
        Record::of(&request).unwrap().set_correlation_id(id);
        request
    });
    let handler = service_fn(|_| async {
        let stock = std::hint::black_box(0);
        assert!(stock > 0, "no stock, api_key=hunter2");
        Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = RequestLogLayer::new().layer(identify.layer(CatchLayer::new().layer(handler)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let response = service.oneshot(Request::new(Full::<Bytes>::default())).await.unwrap();
        assert_eq!(response.status(), 500);
        response.into_body().collect().await.unwrap();
    });
}

fn panic_line(line: &Object) {
    assert_eq!((&line["level"], &line["target"]), (&json!("ERROR"), &json!("bartizan::panic")));
    assert_eq!(line["panic.message"], "no stock, api_key=[REDACTED]");
    assert!(line["panic.location"].as_str().unwrap().contains("global.rs:"), "{line:?}");
    assert!(line["panic.thread"].as_str().unwrap().contains("panics_and_events"), "{line:?}");
    assert!(line["backtrace"].as_str().unwrap().contains("request_that_panics"), "{line:?}");
    assert_eq!(line["correlation_id"], "order-17");
}
