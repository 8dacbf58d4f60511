use super::*;
use crate::{Format, Propagation};
use opentelemetry::trace::{TraceContextExt, TraceFlags, TraceState};
use proptest::prelude::*;

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";
const JAEGER: Propagation = Propagation::of([Format::Jaeger]);

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

/// Trace, span, decision and debug.
type Parsed = (String, String, Option<bool>, bool);

fn parsed(value: &str) -> Option<Parsed> {
    parse(value.as_bytes()).map(|found| {
        let span = found.span_context.unwrap();
        (span.trace_id().to_string(), span.span_id().to_string(), found.decision, found.debug)
    })
}

fn is(trace: &str, span: &str, sampled: bool, debug: bool) -> Parsed {
    (trace.to_owned(), span.to_owned(), Some(sampled), debug)
}

/// Sorted members, and how many were dropped.
fn members(headers: &HeaderMap) -> (Vec<(String, String)>, usize) {
    let mut members = Members::default();
    read_baggage(headers, &mut members);
    let (baggage, dropped) = members.finish();
    (sorted(&baggage), dropped)
}

fn sorted(baggage: &Baggage) -> Vec<(String, String)> {
    let pairs = baggage.iter().map(|(key, (value, _))| (key.as_str().to_owned(), value.as_str().to_owned()));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    pairs
}

fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[test]
fn the_flags_say_sampled_and_debug() {
    for (flags, sampled, debug) in
        [("0", false, false), ("1", true, false), ("3", true, true), ("2", true, true), ("01", true, false)]
    {
        let value = format!("{TRACE}:{SPAN}:0:{flags}");
        assert_eq!(parsed(&value), Some(is(TRACE, SPAN, sampled, debug)), "{value}");
    }
    assert_eq!(parsed(&format!("{TRACE}:{SPAN}:0:fd")), Some(is(TRACE, SPAN, true, false)));
}

#[test]
fn ids_are_padded_and_may_be_escaped_or_in_upper_case() {
    let short = Some(is("00000000000000000000000000000abc", "00000000000000ff", true, false));
    for value in ["abc:ff:0:1", "ABC:FF:0:1", "abc%3Aff%3a0%3A1", "%61bc:ff:0:1", "0abc:0ff:1f:1"] {
        assert_eq!(parsed(value), short, "{value}");
    }
    let longest = format!("{TRACE}:{SPAN}:{SPAN}:01");
    let escaped: Vec<String> = longest.bytes().map(|byte| format!("%{byte:x}")).collect();
    assert_eq!(parsed(&escaped.concat()), Some(is(TRACE, SPAN, true, false)));
}

#[test]
fn anything_else_is_malformed() {
    for bad in [
        "",
        ":::",
        "1:2:0",
        "1:2:0:1:",
        "1:2:0:",
        "1:2::1",
        ":2:0:1",
        "1::0:1",
        "0:2:0:1",
        "1:0:0:1",
        "00000000000000000000000000000000:2:0:1",
        "1:2:0:100",
        "1:2:x:1",
        "+1:2:0:1",
        "1_0:2:0:1",
        " 1:2:0:1",
        "0x1:2:0:1",
        "1%3:2:0:1",
        "1%3A2%3A0%3A1%",
        "1%253A2%253A0%253A1",
        "1%zz2:0:1",
        &format!("{TRACE}0:2:0:1"),
        &format!("1:{SPAN}0:0:1"),
        &format!("1:2:{SPAN}0:1"),
        &"1".repeat(100_000),
        &"%31".repeat(100_000),
    ] {
        assert_eq!(parsed(bad), None, "{bad:.80}");
    }
}

#[test]
fn a_repeated_header_is_malformed() {
    let twice = headers([("uber-trace-id", "1:2:0:1"), ("uber-trace-id", "1:2:0:1")]);
    assert!(read(&twice).is_err());
    assert!(read(&HeaderMap::new()).unwrap().is_none());
}

#[test]
fn what_came_in_goes_out_with_full_ids_and_no_parent() {
    for flags in ["0", "1", "3"] {
        let incoming = headers([("uber-trace-id", &*format!("abc:ff:9:{flags}"))]);
        let mut out = headers([("uber-trace-id", "old")]);
        JAEGER.inject(&JAEGER.extract(&incoming).attach_to(&Context::new()), &mut out);
        let expected = format!("{:0>32}:{:0>16}:0:{flags}", "abc", "ff");
        assert_eq!(out, headers([("uber-trace-id", &*expected)]));
    }
}

#[test]
fn baggage_is_read_from_a_header_a_member_and_from_the_list() {
    let incoming = headers([
        ("uberctx-tenant", "acme%20inc+co"),
        ("UBERCTX-Plus", "1%2B1"),
        ("uberctx-empty", ""),
        ("jaeger-baggage", "user = Am%C3%A9lie, odd=x%FFy,,list=a%2Cb"),
        ("jaeger-baggage", "more=1=2"),
        ("uberctxtenant", "not one"),
    ]);
    let expected = pairs([
        ("empty", ""),
        ("list", "a,b"),
        ("more", "1=2"),
        ("odd", "x\u{fffd}y"),
        ("plus", "1+1"),
        ("tenant", "acme inc co"),
        ("user", "Amélie"),
    ]);
    assert_eq!(members(&incoming), (expected, 0));
}

#[test]
fn malformed_members_are_dropped_and_the_others_stay() {
    let mut incoming = headers([("jaeger-baggage", "novalue,=x,b@d=1,good=1"), ("uberctx-", "x")]);
    incoming.append("uberctx-raw", HeaderValue::from_bytes(b"\xc3\xa9").unwrap());
    incoming.append("jaeger-baggage", HeaderValue::from_bytes(b"raw=\xff,also=2").unwrap());
    assert_eq!(members(&incoming), (pairs([("also", "2"), ("good", "1")]), 6));
}

#[test]
fn the_limits_are_those_of_w3c_baggage_and_count_for_both_together() {
    let many: Vec<(String, String)> = (0..70).map(|n| (format!("uberctx-k{n}"), n.to_string())).collect();
    let many = headers(many.iter().map(|(key, value)| (&**key, &**value)));
    let (kept, dropped) = members(&many);
    assert_eq!((kept.len(), dropped), (64, 6));

    let fits = "x".repeat(4093);
    let two = headers([("uberctx-a", &*fits), ("uberctx-b", &*format!("{fits}x"))]);
    assert_eq!(members(&two).1, 0, "8192 bytes, with two equal signs and a comma");
    let over = headers([("uberctx-a", &*fits), ("uberctx-b", &*format!("{fits}xx")), ("uberctx-c", "1")]);
    let (kept, dropped) = members(&over);
    assert_eq!((kept.len(), dropped), (2, 1));

    let list = (0..60).map(|n| format!("w{n}=1")).collect::<Vec<_>>().join(",");
    let mut both = many.clone();
    both.insert("baggage", HeaderValue::try_from(list).unwrap());
    assert_eq!(Propagation::new().with_jaeger().extract(&both).baggage.unwrap().len(), 64);
}

#[test]
fn what_w3c_baggage_has_brought_is_not_replaced() {
    let both = Propagation::new().with_jaeger();
    let incoming = headers([("baggage", "userId=1;p"), ("uberctx-userid", "1"), ("uberctx-userid", "2")]);
    let baggage = both.extract(&incoming).baggage.unwrap();
    assert_eq!(sorted(&baggage), pairs([("userId", "1")]));
    assert_eq!(baggage.get_with_metadata("userId").unwrap().1.as_str(), "p");
}

#[test]
fn many_repeated_members_are_not_each_compared_with_all() {
    let list = vec!["k=1"; 100_000].join(",");
    let (kept, dropped) = members(&headers([("jaeger-baggage", &*list)]));
    assert_eq!(kept, pairs([("k", "1")]));
    assert!(dropped > 99_000);
}

#[test]
fn baggage_is_written_for_every_client_and_replaces_what_was_there() {
    let mut baggage = Baggage::new();
    baggage.insert("tenant", "Amélie, 1+1\r\n");
    let mut out =
        headers([("uberctx-old", "1"), ("uberctx-old", "2"), ("jaeger-baggage", "old=1"), ("x", "y")]);
    assert_eq!(write_baggage(&baggage, &mut out), 0);
    assert_eq!(out, headers([("uberctx-tenant", "Am%C3%A9lie%2C%201%2B1%0D%0A"), ("x", "y")]));
}

#[test]
fn a_member_that_does_not_fit_is_not_sent() {
    let mut baggage = Baggage::new();
    baggage.insert("wide", "é".repeat(2000));
    baggage.insert("narrow", "1");
    let mut out = HeaderMap::new();
    assert_eq!(write_baggage(&baggage, &mut out), 1);
    assert_eq!(out, headers([("uberctx-narrow", "1")]));
}

#[test]
fn baggage_goes_without_ids_and_neither_way_where_it_is_not_wanted() {
    let incoming = headers([("uberctx-k", "v")]);
    let context = JAEGER.extract(&incoming).attach_to(&Context::new());
    let mut out = HeaderMap::new();
    JAEGER.inject(&context, &mut out);
    assert_eq!(out, headers([("uberctx-k", "v"), ("baggage", "k=v")]));

    let quiet = JAEGER.without_baggage();
    assert!(quiet.extract(&incoming).baggage.is_none());
    assert!(JAEGER.untrusted().extract(&incoming).baggage.is_none());
    let mut out = HeaderMap::new();
    quiet.inject(&context, &mut out);
    assert!(out.is_empty());
}

proptest! {
    #[test]
    fn any_value_is_read_without_a_panic_and_never_gives_a_zero_id(
        value in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..250),
            "([0-9a-fA-F]{0,33}(:|%3[aA])){2,4}[0-9a-f]{0,3}".prop_map(String::into_bytes),
        ]
    ) {
        if let Some(found) = parse(&value) {
            prop_assert!(found.span_context.unwrap().is_valid());
            prop_assert!(found.decision.is_some());
        }
    }

    #[test]
    fn what_is_written_is_read_back(trace in 1u128.., span in 1u64.., sampled: bool, debug: bool) {
        let flags = TraceFlags::default().with_sampled(sampled);
        let own = SpanContext::new(trace.into(), span.into(), flags, false, TraceState::NONE);
        let mut context = Context::new().with_remote_span_context(own);
        if debug {
            context = context.with_value(DebugTrace);
        }
        let mut out = HeaderMap::new();
        JAEGER.inject(&context, &mut out);
        let ids = (format!("{trace:032x}"), format!("{span:016x}"));
        let back = parsed(out["uber-trace-id"].to_str().unwrap());
        prop_assert_eq!(back, Some(is(&ids.0, &ids.1, sampled || debug, debug)));
    }

    #[test]
    fn any_baggage_is_read_without_a_panic_and_within_the_limits(
        values in prop::collection::vec(("(uberctx-[a-z%]{0,3}|jaeger-baggage)", "[ -~é]{0,300}"), 0..90)
    ) {
        let mut incoming = HeaderMap::new();
        for (name, value) in &values {
            incoming.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let (kept, _) = members(&incoming);
        prop_assert!(kept.len() <= MAX_MEMBERS);
        prop_assert!(kept.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() <= MAX_BYTES);
    }

    #[test]
    fn baggage_that_is_written_is_read_back(
        values in prop::collection::hash_map("[a-z0-9_.-]{1,8}", ".{0,20}", 0..10)
    ) {
        let mut baggage = Baggage::new();
        for (key, value) in &values {
            baggage.insert(key.clone(), value.clone());
        }
        let mut out = HeaderMap::new();
        prop_assert_eq!(write_baggage(&baggage, &mut out), 0);
        prop_assert_eq!(members(&out), (sorted(&baggage), 0));
    }
}
