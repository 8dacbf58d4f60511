//! Spans arrive at a real collector, by both protocols and from every kind of runtime.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail, too")]

mod support;

use std::time::Duration;

use bartizan_trace::opentelemetry_sdk::trace::Sampler;
use bartizan_trace::setup::{Protocol, SpanCounts};
use bartizan_trace::{TraceSettings, Tracing};
use support::{Answer, Collector, end_spans, settings};

const PATIENCE: Duration = Duration::from_secs(10);
const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

fn start(protocol: Protocol, change: impl FnOnce(TraceSettings) -> TraceSettings) -> (Collector, Tracing) {
    let collector = Collector::start(Answer::ok(protocol));
    let tracing = change(settings(collector.url()).protocol(protocol)).build().unwrap();
    (collector, tracing)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("span {n}")).collect()
}

#[test]
fn spans_arrive_with_the_resource_and_the_headers() {
    for protocol in PROTOCOLS {
        let (collector, tracing) = start(protocol, |settings| {
            settings.header("api-key", "hunter2").environment("production").service_version("1.2.3")
        });
        end_spans(&tracing, 3);
        tracing.shutdown(PATIENCE).unwrap();

        let received = collector.received();
        assert_eq!(received[0].span_names(), names(3), "{protocol}");
        assert_eq!(received[0].headers["api-key"], "hunter2");
        for (name, value) in [
            ("service.name", "test"),
            ("service.version", "1.2.3"),
            ("deployment.environment.name", "production"),
            ("telemetry.sdk.language", "rust"),
        ] {
            assert!(received[0].resource(name).unwrap().contains(value), "{name} by {protocol}");
        }
        for name in ["service.instance.id", "process.pid"] {
            assert!(received[0].resource(name).is_some(), "{name} by {protocol}");
        }
        let counts = tracing.counts();
        assert_eq!((counts.exported, counts.failed, counts.dropped, counts.waiting), (3, 0, 0, 0));
    }
}

#[test]
fn http_posts_to_the_path_of_the_signal() {
    let (collector, tracing) = start(Protocol::HttpProtobuf, |settings| settings);
    end_spans(&tracing, 1);
    tracing.shutdown(PATIENCE).unwrap();
    assert_eq!(collector.received()[0].path, "/v1/traces");
}

#[test]
fn compressed_spans_arrive() {
    for protocol in PROTOCOLS {
        let (collector, tracing) = start(protocol, |settings| settings.gzip(true));
        end_spans(&tracing, 3);
        tracing.shutdown(PATIENCE).unwrap();
        assert_eq!(collector.span_names(), names(3), "{protocol}");
        let headers = &collector.received()[0].headers;
        let encoding = headers.get("content-encoding").or_else(|| headers.get("grpc-encoding"));
        assert_eq!(encoding.unwrap(), "gzip", "{protocol}");
    }
}

#[test]
fn variables_alone_are_enough() {
    let collector = Collector::start(Answer::ok(Protocol::HttpProtobuf));
    let endpoint = format!("{}/somewhere", collector.url());
    let tracing = TraceSettings::new()
        .read_vars(|name| match name {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => Some(endpoint.clone()),
            "OTEL_EXPORTER_OTLP_HEADERS" => Some("api-key=hunter%322".to_owned()),
            "OTEL_SERVICE_NAME" => Some("orders".to_owned()),
            _ => None,
        })
        .unwrap()
        .build()
        .unwrap();
    end_spans(&tracing, 1);
    tracing.force_flush().unwrap();
    let received = collector.received();
    assert_eq!(received[0].path, "/somewhere");
    assert_eq!(received[0].headers["api-key"], "hunter22");
    assert!(received[0].resource("service.name").unwrap().contains("orders"));
}

#[test]
fn several_batches_go_over_one_queue_in_order() {
    for protocol in PROTOCOLS {
        let (collector, tracing) = start(protocol, |settings| settings.max_batch_size(10));
        end_spans(&tracing, 95);
        tracing.shutdown(PATIENCE).unwrap();
        assert_eq!(collector.span_names(), names(95), "{protocol}");
        assert!(collector.received().iter().all(|batch| batch.span_names().len() <= 10));
    }
}

#[test]
fn unsampled_spans_are_not_sent() {
    let (collector, tracing) = start(Protocol::Grpc, |settings| settings.sampler(Sampler::AlwaysOff));
    end_spans(&tracing, 3);
    tracing.shutdown(PATIENCE).unwrap();
    assert!(collector.received().is_empty());
    assert_eq!(tracing.counts(), SpanCounts::default());
}

/// The calling thread drives a runtime and blocks in the shutdown: it must not be needed.
fn spans_arrive_although_the_caller_blocks() {
    for protocol in PROTOCOLS {
        let (collector, tracing) = start(protocol, |settings| settings);
        end_spans(&tracing, 3);
        tracing.force_flush().unwrap();
        end_spans(&tracing, 3);
        tracing.shutdown(PATIENCE).unwrap();
        assert_eq!(collector.span_names(), [names(3), names(3)].concat(), "{protocol}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn shutdown_on_a_current_thread_runtime_does_not_wait_for_itself() {
    spans_arrive_although_the_caller_blocks();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn shutdown_on_the_only_worker_of_a_runtime_does_not_wait_for_itself() {
    tokio::spawn(async { spans_arrive_although_the_caller_blocks() }).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn dropping_everything_inside_a_runtime_flushes_and_does_not_panic() {
    for protocol in PROTOCOLS {
        let (collector, tracing) = start(protocol, |settings| settings);
        end_spans(&tracing, 3);
        drop(tracing);
        assert_eq!(collector.span_names(), names(3), "{protocol}");
    }
}

#[test]
fn spans_that_end_after_the_shutdown_are_ignored_and_a_second_shutdown_does_nothing() {
    use bartizan_trace::opentelemetry::trace::{Span, Tracer};
    let (collector, tracing) = start(Protocol::Grpc, |settings| settings);
    let mut late = tracing.tracer().unwrap().start("late");
    tracing.shutdown(PATIENCE).unwrap();
    late.end();
    tracing.shutdown(PATIENCE).unwrap();
    assert!(collector.received().is_empty());
    assert_eq!(tracing.counts(), SpanCounts::default());
}
