//! What propagation costs in allocations.

use allocation_counter::measure;
use bartizan_trace::opentelemetry::Context;
use bartizan_trace::opentelemetry::trace::TraceContextExt;
use bartizan_trace::w3c::TraceParent;
use bartizan_trace::{Extracted, Format, Propagation};
use http::{HeaderMap, HeaderValue};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const W3C: Propagation = Propagation::new();
const ALL: Propagation = Propagation::new().with_b3_single().with_b3_multi().with_jaeger();

fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn allocations(run: impl FnOnce()) -> u64 {
    measure(run).count_total
}

fn extracting(pairs: &[(&'static str, &'static str)]) -> (u64, Extracted) {
    extracting_with(W3C, pairs)
}

fn extracting_with(chosen: Propagation, pairs: &[(&'static str, &'static str)]) -> (u64, Extracted) {
    let headers = request(pairs);
    let mut extracted = Extracted::default();
    (allocations(|| extracted = chosen.extract(&headers)), extracted)
}

#[test]
fn a_request_without_context_allocates_nothing() {
    let (count, extracted) = extracting(&[]);
    assert_eq!(count, 0);
    assert_eq!(allocations(|| drop(extracted.attach_to(&Context::new()))), 0);
    let (count, extracted) = extracting_with(ALL, &[]);
    assert_eq!(count, 0);
    assert_eq!(allocations(|| drop(extracted.attach_to(&Context::new()))), 0);
}

#[test]
fn b3_and_jaeger_are_read_without_an_allocation_whether_they_are_valid_or_not() {
    for context in [
        &[("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d")] as &[_],
        &[("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1")],
        &[("x-b3-traceid", "64fe8b2a57d3eff7"), ("x-b3-spanid", "e457b5a2e4d86bd1")],
        &[("uber-trace-id", "abcdef%3A123%3A0%3A1")],
    ] {
        let (count, extracted) = extracting_with(ALL, context);
        assert!(extracted.span_context.is_some(), "{context:?}");
        assert_eq!(count, 0, "{context:?}");
    }
    let (count, extracted) = extracting_with(ALL, &[("b3", "0")]);
    assert_eq!((count, extracted.decision), (0, Some(false)));
    let (count, extracted) = extracting_with(ALL, &[("b3", "x"), ("uber-trace-id", "x")]);
    assert_eq!((count, extracted.rejected), (0, true));
}

#[test]
fn each_further_format_takes_its_header_values() {
    let (_, extracted) = extracting(&[("traceparent", PARENT)]);
    let context = extracted.attach_to(&Context::new());
    for (formats, expected) in [
        (Propagation::of([Format::B3Single]), 1),
        (Propagation::of([Format::B3Multi]), 2),
        (Propagation::of([Format::Jaeger]), 1),
    ] {
        let mut headers = HeaderMap::with_capacity(8);
        assert_eq!(allocations(|| formats.inject(&context, &mut headers)), expected, "{formats:?}");
    }
}

#[test]
fn a_traceparent_is_read_without_an_allocation_whether_it_is_valid_or_not() {
    let (count, extracted) = extracting(&[("traceparent", PARENT)]);
    assert!(extracted.span_context.is_some());
    assert_eq!(count, 0);
    let (count, extracted) = extracting(&[("traceparent", "00-nonsense"), ("tracestate", "a=1")]);
    assert!(extracted.rejected);
    assert_eq!(count, 0);
}

#[test]
fn a_traceparent_is_written_to_bytes_without_an_allocation() {
    let parent = TraceParent::parse(PARENT.as_bytes()).unwrap();
    assert_eq!(allocations(|| assert_eq!(parent.to_bytes(), PARENT.as_bytes())), 0);
}

#[test]
fn an_outgoing_request_takes_one_allocation_for_the_header_value() {
    let (_, extracted) = extracting(&[("traceparent", PARENT)]);
    let context = extracted.attach_to(&Context::new());
    assert!(context.span().span_context().is_valid());
    let mut headers = HeaderMap::with_capacity(8);
    assert_eq!(allocations(|| W3C.inject(&context, &mut headers)), 1);
}

#[test]
fn a_malformed_state_allocates_nothing_however_long_it_is() {
    let (count, _) = extracting(&[("traceparent", PARENT), ("tracestate", "a=1,b=2,c=3,d=4,e=5,BAD=6")]);
    assert_eq!(count, 0);
}

#[test]
fn a_state_allocates_what_the_api_keeps_of_it() {
    let (count, _) = extracting(&[("traceparent", PARENT), ("tracestate", "vendor=opaque,other=value")]);
    assert_eq!(count, 5, "the list, two keys, two values");
}
