//! B3 and Jaeger against OpenTelemetry's own propagators for Python, in both directions.
//!
//! Needs `python3` with the packages `opentelemetry-api`, `opentelemetry-propagator-b3` and
//! `opentelemetry-propagator-jaeger`. Without them these tests say so and pass, unless
//! `BARTIZAN_REQUIRE_SERVICES=1`.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod peers;

use std::collections::BTreeMap;

use bartizan_trace::opentelemetry::baggage::{Baggage, BaggageExt};
use bartizan_trace::opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use bartizan_trace::opentelemetry::{Context, KeyValue};
use bartizan_trace::{Extracted, Format, Propagation};
use http::{HeaderMap, HeaderName, HeaderValue};
use peers::{Peer, Seen};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const FORMATS: [(&str, Format); 3] =
    [("b3", Format::B3Single), ("b3multi", Format::B3Multi), ("jaeger", Format::Jaeger)];

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: 1000, failure_persistence: None, ..Config::default() })
}

fn chosen(format: Format) -> Propagation {
    Propagation::of([format])
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn seen(extracted: Extracted) -> Seen {
    let span = extracted.span_context;
    let baggage = extracted.baggage.unwrap_or_default();
    Seen {
        ids: span.as_ref().map(|span| (span.trace_id().to_string(), span.span_id().to_string())),
        sampled: span.as_ref().is_some_and(SpanContext::is_sampled),
        baggage: baggage.iter().map(|(key, (value, _))| (key.to_string(), value.to_string())).collect(),
    }
}

/// Ids, the decision, and baggage that both can carry: the peer trims values, and Jaeger's names are in lower case.
fn any_context() -> impl Strategy<Value = Seen> {
    let text = "([!-~é€😀]([ -~é€😀\r\n]{0,18}[!-~é€😀])?)?";
    let baggage = prop::collection::btree_map("[a-z0-9_.-]{1,8}", text, 0..5);
    (1u128.., 1u64.., any::<bool>(), baggage).prop_map(|(trace, span, sampled, baggage)| Seen {
        ids: Some((format!("{trace:032x}"), format!("{span:016x}"))),
        sampled,
        baggage,
    })
}

/// Jaeger has baggage of its own, B3 has not.
fn carried(name: &str, context: &Seen) -> Seen {
    let baggage = if name == "jaeger" { context.baggage.clone() } else { BTreeMap::new() };
    Seen { baggage, ..context.clone() }
}

// R-TRC-1
#[test]
fn what_is_written_here_is_read_there() {
    let Some(peer) = Peer::start() else { return };
    for (name, format) in FORMATS {
        let written_is_read = |context: Seen| {
            let (trace, span) = context.ids.clone().unwrap();
            let ids = (u128::from_str_radix(&trace, 16).unwrap(), u64::from_str_radix(&span, 16).unwrap());
            let flags = TraceFlags::default().with_sampled(context.sampled);
            let span = SpanContext::new(ids.0.into(), ids.1.into(), flags, false, TraceState::NONE);
            let pairs = context.baggage.clone().into_iter();
            let baggage: Baggage = pairs.map(|(key, value)| KeyValue::new(key, value)).collect();
            let mut out = HeaderMap::new();
            let own = Context::new().with_remote_span_context(span).with_baggage(baggage);
            chosen(format).inject(&own, &mut out);
            prop_assert_eq!(peer.extract(name, &out), carried(name, &context), "{:?}", out);
            Ok(())
        };
        runner().run(&any_context(), written_is_read).unwrap();
    }
}

#[test]
fn what_is_written_there_is_read_here() {
    let Some(peer) = Peer::start() else { return };
    for (name, format) in FORMATS {
        let written_is_read = |context: Seen| {
            let out = peer.inject(name, &context);
            prop_assert_eq!(seen(chosen(format).extract(&out)), carried(name, &context), "{:?}", out);
            Ok(())
        };
        runner().run(&any_context(), written_is_read).unwrap();
    }
}

#[test]
fn every_state_of_b3_arrives_in_every_format() {
    let Some(peer) = Peer::start() else { return };
    let incoming = Propagation::of([Format::B3Single]);
    for (name, format) in FORMATS {
        for (state, sampled) in [("-0", false), ("-1", true), ("-d", true), ("", true)] {
            let header = headers(&[("b3", &format!("{TRACE}-{SPAN}{state}"))]);
            let mut out = HeaderMap::new();
            chosen(format).inject(&incoming.extract(&header).attach_to(&Context::new()), &mut out);
            let there = peer.extract(name, &out);
            assert_eq!(there.ids, Some((TRACE.to_owned(), SPAN.to_owned())), "{out:?}");
            // Of several headers, the peer takes the absence of a decision for a denial.
            let denied = name == "b3multi" && state.is_empty();
            assert_eq!(there.sampled, sampled && !denied, "{out:?}");
        }
    }
}

/// Valid headers with a few of their characters replaced, left out or doubled.
fn any_mutated(name: &'static str) -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let hex = |digits: usize| format!("[0-9a-fA-F]{{{digits}}}");
    let (trace, span) = (format!("({}|{})", hex(16), hex(32)), hex(16));
    let valid: Vec<(&str, String)> = match name {
        "b3" => vec![("b3", format!("{trace}-{span}(-[01d](-{span})?)?"))],
        "b3multi" => vec![
            ("x-b3-traceid", trace),
            ("x-b3-spanid", span.clone()),
            ("x-b3-parentspanid", span),
            ("x-b3-sampled", "1|0|true".to_owned()),
        ],
        _ => vec![("uber-trace-id", "[0-9a-f]{1,32}:[0-9a-f]{1,16}:[0-9a-f]{1,16}:0?[013]".to_owned())],
    };
    // Not the escapes and the upper case state that only this side reads, see below.
    let change = (any::<prop::sample::Index>(), 0..3u8, "[0-9a-cefA-CEFgx_:+ -]");
    let changes = prop::collection::vec(change, 0..2);
    let mutated = valid.into_iter().map(|(name, pattern)| {
        let pattern = prop::string::string_regex(&pattern).unwrap();
        (pattern, changes.clone()).prop_map(move |(mut value, changes)| {
            for (at, kind, other) in changes.into_iter().filter(|_| name != "x-b3-sampled") {
                let at = at.index(value.len().max(1)).min(value.len());
                let end = (at + usize::from(kind != 2)).min(value.len());
                value.replace_range(at..end, if kind == 1 { "" } else { &other });
            }
            (name, value)
        })
    });
    mutated.collect::<Vec<_>>()
}

#[test]
fn no_context_is_taken_over_here_that_the_peer_does_not_see() {
    let Some(peer) = Peer::start() else { return };
    for (name, format) in FORMATS {
        let (taken, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        let both_see = |values: Vec<(&'static str, String)>| {
            let pairs: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let incoming = headers(&pairs);
            let here = seen(chosen(format).extract(&incoming));
            let count = if here.ids.is_some() { &taken } else { &refused };
            count.set(count.get() + 1);
            if here.ids.is_some() {
                let there = peer.extract(name, &incoming);
                prop_assert_eq!(&here.ids, &there.ids, "{:?}", incoming);
                // For the peer, debug alone does not imply sampled in Jaeger.
                prop_assert!(here.sampled == there.sampled || name == "jaeger", "{:?}", incoming);
            }
            Ok(())
        };
        runner().run(&any_mutated(name), both_see).unwrap();
        assert!(taken.get() > 20 && refused.get() > 20, "{name}: {taken:?} {refused:?}");
    }
}

/// Headers of one format, what is made of the context here and there (sampled or not), and why.
type Difference = (&'static str, &'static str, Option<bool>, Option<bool>, &'static str);

const SAMPLED: Option<bool> = Some(true);
const DENIED: Option<bool> = Some(false);

const DIFFERENCES: [Difference; 14] = [
    ("b3", "b3: {t}-{s}-D", SAMPLED, DENIED, "here every hex digit may be in upper case"),
    ("b3", "b3: {t}-{s}-2", None, DENIED, "there an unknown state is a denial"),
    ("b3", "b3: {t}-{s}-1-x", None, SAMPLED, "there the parent's parent is not looked at"),
    ("b3", "b3: {t}-{s}-1|b3: {t}-{s}-0", None, SAMPLED, "there the first of several counts"),
    ("b3", "b3: x|x-b3-traceid: {t}|x-b3-spanid: {s}", SAMPLED, None, "there a bad single header wins too"),
    ("b3multi", "x-b3-traceid: {t}|x-b3-spanid: {s}", SAMPLED, DENIED, "there no decision is a denial"),
    (
        "b3multi",
        "x-b3-traceid: {t}|x-b3-spanid: {s}|x-b3-sampled: d",
        None,
        SAMPLED,
        "debug is for x-b3-flags",
    ),
    (
        "b3multi",
        "x-b3-traceid: {t}|x-b3-spanid: {s}|x-b3-sampled: no",
        None,
        DENIED,
        "as for an unknown state",
    ),
    (
        "b3multi",
        "x-b3-traceid: {t}|x-b3-spanid: {s}|x-b3-sampled: TRUE",
        SAMPLED,
        DENIED,
        "case does not matter",
    ),
    ("jaeger", "uber-trace-id: a%3Ab%3A0%3A1", SAMPLED, None, "there escapes stay"),
    ("jaeger", "uber-trace-id: {t}:{s}:0:2", SAMPLED, DENIED, "debug implies sampled"),
    ("jaeger", "uber-trace-id: {t}:{s}::1", None, SAMPLED, "there the parent's parent is not looked at"),
    ("jaeger", "uber-trace-id: {t}:{s}:0:0x01", None, SAMPLED, "there it may be any number of Python's"),
    ("jaeger", "uber-trace-id: 1_0:2:0:1", None, SAMPLED, "there it may be any number of Python's"),
];

#[test]
fn the_differences_are_those_that_are_listed() {
    let Some(peer) = Peer::start() else { return };
    for (name, lines, expected_here, expected_there, reason) in DIFFERENCES {
        let lines = lines.replace("{t}", TRACE).replace("{s}", SPAN);
        let pairs: Vec<_> = lines.split('|').filter_map(|line| line.split_once(": ")).collect();
        let incoming = headers(&pairs);
        let format = FORMATS.iter().find(|(known, _)| *known == name).unwrap().1;
        let here = seen(chosen(format).extract(&incoming)).decision();
        let there = peer.extract(name, &incoming).decision();
        assert_eq!((here, there), (expected_here, expected_there), "{reason}: {lines}");
    }
}

#[test]
fn decisions_without_ids_are_known_here_only() {
    let Some(peer) = Peer::start() else { return };
    let chosen = chosen(Format::B3Single);
    for (name, value, decision) in [("b3", "0", false), ("b3", "d", true), ("x-b3-sampled", "1", true)] {
        let incoming = headers(&[(name, value)]);
        assert_eq!(chosen.extract(&incoming).decision, Some(decision));
        assert_eq!(peer.extract("b3", &incoming).decision(), None);
    }
}

#[test]
fn the_differences_in_baggage_are_those_that_are_listed() {
    let Some(peer) = Peer::start() else { return };
    let uber = ("uber-trace-id", "1:2:0:1");
    for (pairs, here, there, reason) in [
        (vec![("uberctx-k", "v")], "v", "", "there baggage is read beside ids only"),
        (vec![uber, ("jaeger-baggage", "k=v")], "v", "", "there the list is not read"),
        (
            vec![uber, ("uberctx-k", "a+b")],
            "a b",
            "a+b",
            "here a plus is a space, as the first clients wrote it",
        ),
        (vec![uber, ("uberctx-k", "%20v")], " v", "v", "there values are trimmed"),
    ] {
        let incoming = headers(&pairs);
        let value = |seen: Seen| seen.baggage.get("k").cloned().unwrap_or_default();
        assert_eq!(value(seen(chosen(Format::Jaeger).extract(&incoming))), here, "{reason}");
        assert_eq!(value(peer.extract("jaeger", &incoming)), there, "{reason}");
    }
}
