//! A collector that is down, silent or unwilling slows nothing, fills nothing, and is seen.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail, too")]

mod support;

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bartizan_trace::setup::{Protocol, SpanCounts};
use bartizan_trace::{TraceSettings, Tracing};
use http::StatusCode;
use support::{Answer, Collector, closed_port, end_spans, settings, silent};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

/// Far more than spans cost, also on a machine that is busy, and less than the exporter's ten seconds of patience with a network.
const FAST: Duration = Duration::from_secs(5);

fn start(addr: SocketAddr, protocol: Protocol) -> Tracing {
    build(settings(format!("http://{addr}")).protocol(protocol).max_queue_size(1024).max_batch_size(1024))
}

fn build(settings: TraceSettings) -> Tracing {
    settings.build().unwrap()
}

/// Ends many spans and shuts down; neither may take longer than it was given.
fn survive(tracing: &Tracing, deadline: Duration) -> SpanCounts {
    let started = Instant::now();
    end_spans(tracing, 5000);
    assert!(started.elapsed() < FAST, "5000 spans took {:?}", started.elapsed());

    let started = Instant::now();
    let lost = tracing.shutdown(deadline).unwrap_err().spans;
    assert!(started.elapsed() < deadline + FAST, "the shutdown took {:?}", started.elapsed());

    let counts = tracing.counts();
    assert_eq!(counts.exported, 0);
    assert_eq!(
        counts.failed + counts.dropped + counts.waiting,
        5000,
        "every span is accounted for: {counts:?}"
    );
    assert!(counts.dropped > 0, "the queue has a bound: {counts:?}");
    assert!(lost <= 5000 - counts.dropped);
    counts
}

#[test]
fn a_closed_port_slows_nothing_and_loses_what_it_must() {
    for protocol in PROTOCOLS {
        let counts = survive(&start(closed_port(), protocol), Duration::from_secs(10));
        assert!(counts.failed >= 1024 && counts.waiting == 0, "all of the queue was tried: {counts:?}");
    }
}

#[test]
fn a_silent_collector_slows_nothing_and_the_shutdown_keeps_its_deadline() {
    for protocol in PROTOCOLS {
        let counts = survive(&start(silent(), protocol), Duration::from_millis(700));
        assert!(counts.waiting >= 1024, "the first batch is still on its way: {counts:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_silent_collector_does_not_hold_a_current_thread_runtime_past_the_deadline() {
    for protocol in PROTOCOLS {
        survive(&start(silent(), protocol), Duration::from_millis(300));
    }
}

#[test]
fn a_batch_to_a_silent_collector_is_given_up_after_the_timeout() {
    for protocol in PROTOCOLS {
        let url = format!("http://{}", silent());
        let tracing = build(settings(url).protocol(protocol).timeout(Duration::from_millis(200)));
        end_spans(&tracing, 3);
        let started = Instant::now();
        assert_eq!(tracing.force_flush().unwrap_err().spans, 3);
        assert!(started.elapsed() < FAST, "{protocol}: {:?}", started.elapsed());
        assert_eq!(tracing.counts().failed, 3);
    }
}

#[test]
fn the_limit_of_a_batch_holds_even_if_the_transport_is_more_patient() {
    let url = format!("http://{}", silent());
    let settings =
        settings(url).read_vars(|name| (name == "OTEL_BSP_EXPORT_TIMEOUT").then(|| "200".to_owned()));
    let tracing = build(settings.unwrap());
    end_spans(&tracing, 3);
    let started = Instant::now();
    assert_eq!(tracing.force_flush().unwrap_err().spans, 3);
    assert!(started.elapsed() < FAST, "{:?}", started.elapsed());
}

#[test]
fn refused_spans_are_counted_as_failed() {
    let refusing = [
        (Protocol::Grpc, Collector::start(Answer::Grpc(tonic::Code::Unauthenticated))),
        (Protocol::HttpProtobuf, Collector::start(Answer::Http(StatusCode::UNAUTHORIZED))),
    ];
    for (protocol, collector) in refusing {
        let tracing = start(collector.addr, protocol);
        end_spans(&tracing, 3);
        let error = tracing.shutdown(Duration::from_secs(5)).unwrap_err();
        assert_eq!((error.spans, tracing.counts().failed), (3, 3), "{protocol}");
        assert_eq!(collector.received().len(), 1, "a refusal is not tried again");
    }
}

#[test]
fn a_full_queue_drops_the_newest_spans_and_counts_them() {
    let collector = Collector::start(Answer::ok(Protocol::Grpc));
    let tracing =
        build(settings(collector.url()).protocol(Protocol::Grpc).max_queue_size(10).max_batch_size(100));
    // No export is due before the queue is full, but the SDK sends once it is.
    end_spans(&tracing, 9);
    assert_eq!(tracing.counts().waiting, 9);
    tracing.force_flush().unwrap();
    assert_eq!(tracing.counts().exported, 9);

    let blocked = build(settings(format!("http://{}", silent())).max_queue_size(10));
    end_spans(&blocked, 1000);
    let counts = blocked.counts();
    assert!(counts.waiting <= 20, "at most a queue and a batch: {counts:?}");
    assert_eq!(counts.waiting + counts.dropped, 1000);
}

#[test]
fn spans_arrive_again_once_the_collector_is_back() {
    for protocol in PROTOCOLS {
        let addr = closed_port();
        let tracing = start(addr, protocol);
        end_spans(&tracing, 2);
        tracing.force_flush().unwrap_err();

        let collector = Collector::start_at(addr, Answer::ok(protocol), None);
        end_spans(&tracing, 3);
        tracing.force_flush().unwrap();
        assert_eq!(collector.span_names().len(), 3, "{protocol}");
        tracing.shutdown(Duration::from_secs(5)).unwrap();
    }
}

/// Keeps the warnings of this process, whose exports run on threads of their own.
struct Warnings;

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::WARN
    }
    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            let _ = write!(line, "{field}={value:?} ");
        });
        WARNINGS.lock().unwrap().push(line);
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_warning_says_where_the_spans_did_not_go() {
    // The only test that sets one.
    tracing::subscriber::set_global_default(Warnings).unwrap();
    for protocol in PROTOCOLS {
        let addr = closed_port();
        let tracing = start(addr, protocol);
        end_spans(&tracing, 3);
        tracing.force_flush().unwrap_err();
        let endpoint = format!("endpoint=\"http://{addr}\"");
        let warnings = WARNINGS.lock().unwrap();
        assert!(warnings.iter().any(|line| line.contains(&endpoint)), "{warnings:?}");
    }
}
