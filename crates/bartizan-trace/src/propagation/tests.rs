use super::*;
use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use serde_json::Value;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn forwarded(incoming: &HeaderMap) -> HeaderMap {
    let w3c = Propagation::new();
    let mut out = HeaderMap::new();
    w3c.inject(&w3c.extract(incoming).attach_to(&Context::new()), &mut out);
    out
}

/// The vectors are the record of the W3C suite's own reference server. `is_traceparent_valid` says
/// whether it took the context over; `is_tracestate_valid`, there only if it found a state to look
/// at, whether the state could be parsed. It then sends on at most 32 members.
#[test]
fn every_vector_of_the_w3c_suite_is_judged_as_its_reference_server_does() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/data/w3c-trace-context-vectors.json")).unwrap();
    assert!(vectors.len() > 80);
    for vector in &vectors {
        let pairs: Vec<(&str, &str)> = vector["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let incoming = headers(pairs.iter().copied());
        let extracted = Propagation::new().extract(&incoming);
        let valid = vector["is_traceparent_valid"].as_bool().unwrap();
        assert_eq!(extracted.span_context.is_some(), valid, "{vector}");

        let keys: Vec<&str> = pairs
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("tracestate"))
            .flat_map(|(_, value)| value.split(','))
            .filter_map(|member| member.trim().split_once('='))
            .map(|(key, _)| key)
            .collect();
        let out = forwarded(&incoming);
        let sent = out.get("tracestate").map(|state| state.to_str().unwrap());
        match vector["is_tracestate_valid"].as_bool() {
            Some(true) if keys.len() <= 32 => {
                let sent = sent.unwrap_or_else(|| panic!("state lost: {vector}"));
                let sent: Vec<&str> =
                    sent.split(',').filter_map(|member| member.split_once('=')).map(|m| m.0).collect();
                let mut unique = keys.clone();
                unique.dedup();
                assert_eq!(sent, unique, "{vector}");
            }
            _ => assert_eq!(sent, None, "{vector}"),
        }

        let hints: Vec<String> = (0..40).map(|n| format!("x-hint-{n}")).collect();
        let others = hints.iter().map(|name| (name.as_str(), "x")).chain([("baggage", "tenant=acme")]);
        let mut among_many = forwarded(&headers(pairs.iter().copied().chain(others)));
        assert_eq!(among_many.remove("baggage").unwrap(), "tenant=acme");
        assert_eq!(among_many, out, "{vector}");
    }
}

#[test]
fn no_header_gives_nothing() {
    let extracted = Propagation::new().extract(&HeaderMap::new());
    assert!(extracted.span_context.is_none() && extracted.baggage.is_none() && !extracted.rejected);
    assert!(forwarded(&HeaderMap::new()).is_empty());
}

#[test]
fn white_space_around_a_traceparent_is_no_fault() {
    let incoming = headers([("traceparent", &*format!("\t {PARENT} \t"))]);
    assert_eq!(forwarded(&incoming)["traceparent"], PARENT);
}

#[test]
fn a_repeated_traceparent_is_rejected_and_counted() {
    let before = counts();
    let extracted = Propagation::new().extract(&headers([("traceparent", PARENT), ("traceparent", PARENT)]));
    assert!(extracted.rejected);
    assert!(extracted.span_context.is_none());
    assert!(counts().rejected_contexts > before.rejected_contexts);
}

#[test]
fn a_bad_state_does_not_spoil_the_parent() {
    let before = counts();
    let incoming = headers([("traceparent", PARENT), ("tracestate", "BAD=1")]);
    let out = forwarded(&incoming);
    assert_eq!(out["traceparent"], PARENT);
    assert!(!out.contains_key("tracestate"));
    assert!(counts().rejected_states > before.rejected_states);
}

#[test]
fn a_bad_parent_discards_the_state_but_not_the_baggage() {
    let incoming = headers([("traceparent", "00-x"), ("tracestate", "a=1"), ("baggage", "k=v")]);
    let out = forwarded(&incoming);
    assert!(!out.contains_key("traceparent") && !out.contains_key("tracestate"));
    assert_eq!(out["baggage"], "k=v");
}

#[test]
fn at_the_edge_the_context_becomes_a_link_and_baggage_is_not_read() {
    let incoming = headers([("traceparent", PARENT), ("tracestate", "a=1"), ("baggage", "k=v")]);
    let extracted = Propagation::new().untrusted().extract(&incoming);
    assert!(extracted.span_context.is_none() && extracted.baggage.is_none());
    let link = extracted.link.as_ref().unwrap();
    assert_eq!(link.trace_state().get("a"), Some("1"));
    let context = extracted.attach_to(&Context::new());
    assert!(!context.has_active_span());
}

#[test]
fn without_baggage_it_is_neither_read_nor_written() {
    let quiet = Propagation::new().without_baggage();
    assert!(quiet.extract(&headers([("baggage", "k=v")])).baggage.is_none());
    let context = Propagation::new().extract(&headers([("baggage", "k=v")])).attach_to(&Context::new());
    let mut out = HeaderMap::new();
    quiet.inject(&context, &mut out);
    assert!(out.is_empty());
}

#[test]
fn old_headers_on_the_outgoing_request_are_replaced() {
    let context = Propagation::new().extract(&headers([("traceparent", PARENT)])).attach_to(&Context::new());
    let mut out = headers([("traceparent", "old"), ("traceparent", "older"), ("tracestate", "old=1")]);
    Propagation::new().inject(&context, &mut out);
    assert_eq!(out.get_all("traceparent").iter().collect::<Vec<_>>(), [PARENT]);
    assert!(!out.contains_key("tracestate"), "a state of another trace must not travel on");
}

#[test]
fn a_context_without_span_or_baggage_leaves_the_headers_alone() {
    let mut out = headers([("traceparent", PARENT), ("baggage", "k=v")]);
    Propagation::new().inject(&Context::new(), &mut out);
    assert_eq!(out, headers([("traceparent", PARENT), ("baggage", "k=v")]));
}

#[test]
fn a_state_kept_verbatim_is_sent_only_for_its_own_trace_and_unchanged() {
    let incoming = headers([("traceparent", PARENT), ("tracestate", "foo@@bar=1,bar=2")]);
    assert_eq!(forwarded(&incoming)["tracestate"], "foo@@bar=1,bar=2");

    let context = Propagation::new().extract(&incoming).attach_to(&Context::new());
    let parent = context.span().span_context().clone();
    let changed = parent.trace_state().insert("own", "1").unwrap();
    let send = |context: Context| {
        let mut out = HeaderMap::new();
        Propagation::new().inject(&context, &mut out);
        out.get("tracestate").map(|state| state.to_str().unwrap().to_owned())
    };
    let with = |trace_id, state| {
        context.with_remote_span_context(SpanContext::new(
            trace_id,
            SpanId::from(1),
            TraceFlags::SAMPLED,
            false,
            state,
        ))
    };
    assert_eq!(send(with(parent.trace_id(), changed)).unwrap(), "own=1,bar=2");
    assert_eq!(send(with(TraceId::from(5), TraceState::NONE)), None);
}

#[test]
fn the_values_alone_leave_room_for_a_local_span() {
    let incoming = headers([("traceparent", PARENT), ("baggage", "k=v")]);
    let context = Propagation::new().extract(&incoming).attach_values_to(&Context::new());
    assert!(!context.has_active_span());
    assert_eq!(context.baggage().len(), 1);
}

const B3: &str = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1";
const JAEGER: &str = "abcdef:123:0:1";

fn trace_id(chosen: Propagation, headers: &HeaderMap) -> Option<String> {
    chosen.extract(headers).span_context.map(|span| span.trace_id().to_string())
}

#[test]
fn other_formats_than_w3c_are_not_read_or_written_unless_they_are_chosen() {
    let others = headers([("b3", B3), ("uber-trace-id", JAEGER), ("uberctx-k", "v")]);
    let extracted = Propagation::new().extract(&others);
    assert!(extracted.span_context.is_none() && extracted.baggage.is_none() && !extracted.rejected);
    let names = forwarded(&headers([("traceparent", PARENT), ("baggage", "k=v")]));
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn the_first_valid_format_counts_in_the_order_that_was_chosen() {
    let all = headers([("traceparent", PARENT), ("b3", B3), ("uber-trace-id", JAEGER)]);
    let (w3c, b3, jaeger) = (&PARENT[3..35], &B3[..32], &*format!("{:0>32}", "abcdef"));
    let orders = [
        (Propagation::new().with_b3_multi().with_jaeger(), w3c),
        (Propagation::of([Format::B3Single, Format::W3c]), b3),
        (Propagation::of([Format::Jaeger, Format::B3Multi, Format::W3c]), jaeger),
        (Propagation::new().with_jaeger().with_b3_single().without_w3c(), jaeger),
    ];
    for (chosen, expected) in orders {
        assert_eq!(trace_id(chosen, &all).as_deref(), Some(expected), "{chosen:?}");
    }
}

#[test]
fn both_forms_of_b3_are_read_as_one() {
    let single = Propagation::of([Format::B3Single]);
    assert_eq!(Propagation::of([Format::B3Multi, Format::B3Single]).writing([Format::B3Single]), single);
    let multi = headers([("x-b3-traceid", &B3[..32]), ("x-b3-spanid", &B3[33..49])]);
    assert_eq!(trace_id(single, &multi).as_deref(), Some(&B3[..32]));
}

#[test]
fn a_malformed_format_is_passed_over_and_counted_only_if_there_is_no_other() {
    let chosen = Propagation::new().with_b3_single().with_jaeger();
    let bad = [("traceparent", "00-x"), ("tracestate", "a=1"), ("b3", "x")];
    let rescued = chosen.extract(&headers(bad.into_iter().chain([("uber-trace-id", JAEGER)])));
    assert!(!rescued.rejected);
    let parent = rescued.span_context.unwrap();
    assert!(parent.trace_state().header().is_empty(), "the state belongs to the other parent");
    let before = counts();
    assert!(chosen.extract(&headers(bad)).rejected);
    assert!(counts().rejected_contexts > before.rejected_contexts);
}

#[test]
fn all_chosen_formats_are_written_or_those_that_were_named() {
    let incoming = headers([("uber-trace-id", "abcdef:123:0:3"), ("uberctx-k", "v")]);
    let chosen = Propagation::new().with_jaeger().with_b3_single().with_b3_multi();
    let (trace, span) = (format!("{:0>32}", "abcdef"), format!("{:0>16}", "123"));
    let send = |chosen: Propagation| {
        let mut out = HeaderMap::new();
        chosen.inject(&chosen.extract(&incoming).attach_to(&Context::new()), &mut out);
        out
    };
    let w3c = format!("00-{trace}-{span}-01");
    let expected = [
        ("traceparent", &*w3c),
        ("uber-trace-id", &*format!("{trace}:{span}:0:3")),
        ("b3", &*format!("{trace}-{span}-d")),
        ("x-b3-traceid", &*trace),
        ("x-b3-spanid", &*span),
        ("x-b3-flags", "1"),
        ("baggage", "k=v"),
        ("uberctx-k", "v"),
    ];
    assert_eq!(send(chosen), headers(expected));
    assert_eq!(send(chosen.writing([Format::W3c])), headers([("traceparent", &*w3c), ("baggage", "k=v")]));
}

// R-TRC-7
#[test]
fn a_stranger_can_neither_switch_tracing_off_nor_on() {
    let edge = Propagation::new().with_b3_single().with_jaeger().untrusted();
    let debug = format!("{}-d", &B3[..49]);
    for (name, value, linked) in [
        ("b3", "0", false),
        ("b3", "d", false),
        ("b3", &*debug, true),
        ("uber-trace-id", "abcdef:123:0:3", true),
    ] {
        let extracted = edge.extract(&headers([(name, value), ("uberctx-k", "v")]));
        assert_eq!(extracted.link.is_some(), linked, "{name}: {value}");
        assert!(extracted.span_context.is_none() && extracted.baggage.is_none());
        assert_eq!(extracted.decision, None, "{name}: {value}");
        assert!(!extracted.is_denied());
        let values = extracted.attach_values_to(&Context::new());
        let own = SpanContext::new(
            TraceId::from(5),
            SpanId::from(7),
            TraceFlags::default(),
            false,
            TraceState::NONE,
        );
        let mut out = HeaderMap::new();
        edge.inject(&values.with_remote_span_context(own), &mut out);
        assert!(out["b3"].to_str().unwrap().ends_with("-0"), "{name}: {value}: {out:?}");
    }
}
