use super::*;
use opentelemetry::trace::{SpanId, TraceFlags};
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
