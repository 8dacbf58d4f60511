use super::*;
use crate::{Format, Propagation};
use opentelemetry::trace::{TraceContextExt, TraceFlags, TraceState};
use proptest::prelude::*;

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";
const PARENT: &str = "05e3ac9a4f6e3b90";

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn read_single(value: &str) -> Found<Extracted> {
    read(&headers([("b3", value)]))
}

/// Trace, span, decision and debug.
type Seen = (Option<(String, String)>, Option<bool>, bool);

fn seen(found: Found<Extracted>) -> Found<Seen> {
    let ids = |span: SpanContext| (span.trace_id().to_string(), span.span_id().to_string());
    found.map(|found| found.map(|found| (found.span_context.map(ids), found.decision, found.debug)))
}

/// What is seen of a context with ids; the span is that of all tests.
fn full(trace: &str, decision: Option<bool>, debug: bool) -> Seen {
    (Some((trace.to_owned(), SPAN.to_owned())), decision, debug)
}

fn sent(format: Format, incoming: &HeaderMap) -> HeaderMap {
    let b3 = Propagation::of([format]);
    let mut out = HeaderMap::new();
    b3.inject(&b3.extract(incoming).attach_to(&Context::new()), &mut out);
    out
}

#[test]
fn the_single_header_is_read_with_every_optional_part_left_out() {
    for (value, decision, debug) in [
        (format!("{TRACE}-{SPAN}"), None, false),
        (format!("{TRACE}-{SPAN}-0"), Some(false), false),
        (format!("{TRACE}-{SPAN}-1"), Some(true), false),
        (format!("{TRACE}-{SPAN}-d"), Some(true), true),
        (format!("{TRACE}-{SPAN}-1-{PARENT}"), Some(true), false),
        (format!("{TRACE}-{SPAN}-d-0000000000000000"), Some(true), true),
    ] {
        assert_eq!(seen(read_single(&value)), Ok(Some(full(TRACE, decision, debug))), "{value}");
    }
}

#[test]
fn a_decision_alone_is_read() {
    for (value, decision, debug) in [("0", false, false), ("1", true, false), ("d", true, true)] {
        assert_eq!(seen(read_single(value)), Ok(Some((None, Some(decision), debug))), "b3: {value}");
    }
    for (name, value, decision, debug) in [
        ("x-b3-sampled", "0", false, false),
        ("x-b3-sampled", "1", true, false),
        ("x-b3-flags", "1", true, true),
    ] {
        let found = seen(read(&headers([(name, value)])));
        assert_eq!(found, Ok(Some((None, Some(decision), debug))), "{name}: {value}");
    }
}

#[test]
fn short_trace_ids_are_padded_on_the_left_and_upper_case_is_read() {
    let short = Ok(Some(full("000000000000000064fe8b2a57d3eff7", Some(true), false)));
    assert_eq!(seen(read_single(&format!("64fe8b2a57d3eff7-{SPAN}-1"))), short);
    let upper = format!("{TRACE}-{SPAN}-d-{PARENT}").to_uppercase();
    assert_eq!(seen(read_single(&upper)), Ok(Some(full(TRACE, Some(true), true))));
    assert_eq!(sent(Format::B3Single, &headers([("b3", &*upper)]))["b3"], format!("{TRACE}-{SPAN}-d"));
}

#[test]
fn anything_else_in_the_single_header_is_malformed() {
    let zeros = "0".repeat(32);
    let long = "1".repeat(100_000);
    for bad in [
        "",
        "-",
        "2",
        "true",
        TRACE,
        &format!("{TRACE}-"),
        &format!("-{SPAN}"),
        &format!("{TRACE}-{SPAN}-"),
        &format!("{TRACE}-{SPAN}-2"),
        &format!("{TRACE}-{SPAN}-01"),
        &format!("{TRACE}-{SPAN}-{PARENT}"),
        &format!("{TRACE}-{SPAN}--{PARENT}"),
        &format!("{TRACE}-{SPAN}-1-"),
        &format!("{TRACE}-{SPAN}-1--"),
        &format!("{TRACE}-{SPAN}-1-{PARENT}-"),
        &format!("{}-{SPAN}-1-{PARENT}-1", &TRACE[16..]),
        &format!("{TRACE}-{SPAN}-1-{}", &PARENT[1..]),
        &format!("{zeros}-{SPAN}-1"),
        &format!("{}-{SPAN}-1", &zeros[16..]),
        &format!("{TRACE}-{}-1", &zeros[16..]),
        &format!("{}-{SPAN}-1", &TRACE[1..]),
        &format!("0{TRACE}-{SPAN}-1"),
        &format!("{TRACE}-{}-1", &SPAN[1..]),
        &format!("g{}-{SPAN}-1", &TRACE[1..]),
        &long,
    ] {
        assert_eq!(seen(read_single(bad)), Err(Malformed), "{bad:.80}");
    }
}

#[test]
fn every_single_changed_byte_that_is_no_digit_or_dash_is_refused() {
    let valid = format!("{TRACE}-{SPAN}-1-{PARENT}");
    for at in 0..valid.len() {
        let mut bytes = valid.clone().into_bytes();
        bytes[at] = b'G';
        assert_eq!(parse_single(&bytes).map(|_| ()), None, "byte {at}");
    }
}

#[test]
fn several_headers_are_read_whatever_the_sender_calls_the_decision() {
    let with = |extra: &[(&'static str, &'static str)]| {
        let named = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN)].into_iter();
        seen(read(&headers(named.chain(extra.iter().copied()))))
    };
    for (extra, decision, debug) in [
        (&[] as &[_], None, false),
        (&[("X-B3-ParentSpanId", PARENT)], None, false),
        (&[("X-B3-Sampled", "1")], Some(true), false),
        (&[("X-B3-Sampled", "true")], Some(true), false),
        (&[("X-B3-Sampled", "True")], Some(true), false),
        (&[("X-B3-Sampled", "0")], Some(false), false),
        (&[("X-B3-Sampled", "false")], Some(false), false),
        (&[("X-B3-Flags", "1")], Some(true), true),
        (&[("X-B3-Flags", "1"), ("X-B3-Sampled", "0")], Some(true), true),
        (&[("X-B3-Flags", "0")], None, false),
        (&[("X-B3-Flags", "nonsense"), ("X-B3-Sampled", "0")], Some(false), false),
    ] {
        assert_eq!(with(extra), Ok(Some(full(TRACE, decision, debug))), "{extra:?}");
    }
    for extra in [
        ("X-B3-Sampled", ""),
        ("X-B3-Sampled", "2"),
        ("X-B3-Sampled", "d"),
        ("X-B3-ParentSpanId", "-"),
        ("X-B3-TraceId", TRACE),
        ("X-B3-SpanId", SPAN),
    ] {
        assert_eq!(with(&[extra]), Err(Malformed), "{extra:?}");
    }
    assert_eq!(with(&[("X-B3-Sampled", "1"), ("X-B3-Sampled", "1")]), Err(Malformed));
    assert_eq!(with(&[("X-B3-Flags", "1"), ("X-B3-Flags", "1")]), Err(Malformed));
}

#[test]
fn half_of_the_ids_is_malformed() {
    for half in [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-parentspanid", PARENT)] {
        assert_eq!(seen(read(&headers([half, ("x-b3-sampled", "1")]))), Err(Malformed), "{half:?}");
    }
    assert_eq!(seen(read(&headers([("x-b3-traceid", TRACE), ("x-b3-spanid", "")]))), Err(Malformed));
}

#[test]
fn the_single_header_wins_unless_it_is_malformed() {
    let multi = [("x-b3-traceid", PARENT), ("x-b3-spanid", SPAN), ("x-b3-sampled", "1")];
    let with = |single: &str| seen(read(&headers([("b3", single)].into_iter().chain(multi))));
    assert_eq!(with(&format!("{TRACE}-{SPAN}-0")), Ok(Some(full(TRACE, Some(false), false))));
    assert_eq!(with("0"), Ok(Some((None, Some(false), false))));
    assert_eq!(with("nonsense"), Ok(Some(full(&format!("{PARENT:0>32}"), Some(true), false))));
    let twice = headers([("b3", "0"), ("b3", "0")]);
    assert_eq!(seen(read(&twice)), Err(Malformed));
}

#[test]
fn no_header_of_b3_is_nothing() {
    assert_eq!(seen(read(&HeaderMap::new())), Ok(None));
    assert_eq!(seen(read(&headers([("x-b3-flags", "0")]))), Ok(None), "any flag but 1 is to be ignored");
}

#[test]
fn what_came_in_goes_out_in_both_forms() {
    for (state, multi) in
        [("-0", ("x-b3-sampled", "0")), ("-1", ("x-b3-sampled", "1")), ("-d", ("x-b3-flags", "1"))]
    {
        let single = headers([("b3", &*format!("{TRACE}-{SPAN}{state}"))]);
        let multi = headers([("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), multi]);
        for incoming in [&single, &multi] {
            assert_eq!(sent(Format::B3Single, incoming), single);
            assert_eq!(sent(Format::B3Multi, incoming), multi);
        }
    }
}

#[test]
fn a_decision_that_was_left_open_stays_open() {
    let single = headers([("b3", &*format!("{TRACE}-{SPAN}"))]);
    let multi = headers([("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)]);
    assert_eq!(sent(Format::B3Single, &multi), single);
    assert_eq!(sent(Format::B3Multi, &single), multi);
}

#[test]
fn the_decision_on_a_span_of_our_own_is_sent_and_debug_stays_debug() {
    for (incoming, expected) in [("", "1"), ("-0", "1"), ("-d", "d")] {
        let b3 = Propagation::of([Format::B3Single]);
        let context =
            b3.extract(&headers([("b3", &*format!("{TRACE}-{SPAN}{incoming}"))])).attach_to(&Context::new());
        let trace_id = context.span().span_context().trace_id();
        let own = SpanContext::new(trace_id, SpanId::from(7), TraceFlags::SAMPLED, false, TraceState::NONE);
        let mut out = HeaderMap::new();
        b3.inject(&context.with_remote_span_context(own), &mut out);
        assert_eq!(out["b3"], format!("{TRACE}-0000000000000007-{expected}"));
    }
}

#[test]
fn old_headers_of_either_form_are_replaced() {
    let b3 = Propagation::of([Format::B3Multi]);
    let context = b3.extract(&headers([("b3", &*format!("{TRACE}-{SPAN}-d"))])).attach_to(&Context::new());
    let mut out = headers([
        ("b3", "0"),
        ("x-b3-traceid", PARENT),
        ("x-b3-traceid", PARENT),
        ("x-b3-parentspanid", PARENT),
        ("x-b3-sampled", "0"),
        ("other", "stays"),
    ]);
    b3.inject(&context, &mut out);
    let expected = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-flags", "1"), ("other", "stays")];
    assert_eq!(out, headers(expected));
}

fn any_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>().prop_filter("visible", |byte| *byte >= 32 && *byte != 127), 0..80),
        "[0-9a-fA-F]{15,33}-[0-9a-fA-F]{15,17}(-[01dD2]?(-[0-9a-f]{15,17})?)?".prop_map(String::into_bytes),
        "[0-9a-f]{16}|[0-9a-f]{32}|0|1|d|true|false|-".prop_map(String::into_bytes),
    ];
    bytes.prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

proptest! {
    #[test]
    fn any_headers_are_read_without_a_panic_and_never_give_a_zero_id(
        values in prop::collection::vec((0..6usize, any_value()), 0..8)
    ) {
        let mut incoming = HeaderMap::new();
        for (name, value) in values {
            incoming.append([&B3, &TRACE_ID, &SPAN_ID, &PARENT_ID, &SAMPLED, &FLAGS][name], value);
        }
        if let Ok(Some(found)) = read(&incoming) {
            prop_assert!(found.span_context.as_ref().is_none_or(SpanContext::is_valid));
            prop_assert!(found.span_context.is_some() || found.decision.is_some());
            prop_assert!(!found.debug || found.decision == Some(true));
        }
    }

    #[test]
    fn what_is_written_is_read_back(trace in 1u128.., span in 1u64.., sampled: bool, debug: bool, single: bool) {
        let flags = TraceFlags::default().with_sampled(sampled);
        let own = SpanContext::new(trace.into(), span.into(), flags, false, TraceState::NONE);
        let mut context = Context::new().with_remote_span_context(own);
        if debug {
            context = context.with_value(DebugTrace);
        }
        let mut out = HeaderMap::new();
        Propagation::of([if single { Format::B3Single } else { Format::B3Multi }]).inject(&context, &mut out);
        let ids = (format!("{trace:032x}"), format!("{span:016x}"));
        prop_assert_eq!(seen(read(&out)), Ok(Some((Some(ids), Some(sampled || debug), debug))));
    }
}
