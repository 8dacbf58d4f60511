use super::*;
use proptest::prelude::*;

fn headers(values: &[&str]) -> Vec<HeaderValue> {
    values.iter().map(|value| HeaderValue::from_str(value).unwrap()).collect()
}

fn read(values: &[&str]) -> Option<Parsed> {
    parse(headers(values).iter())
}

/// What would be sent on for what came in.
fn forward(values: &[&str]) -> Option<String> {
    let parsed = read(values)?;
    let header = parsed.verbatim.or_else(|| write(&parsed.state).0)?;
    Some(header.to_str().unwrap().to_owned())
}

#[test]
fn several_headers_are_joined_in_order() {
    assert_eq!(
        forward(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"]).unwrap(),
        "foo=1,bar=2,rojo=1,congo=2,baz=3"
    );
}

#[test]
fn empty_members_and_white_space_are_skipped() {
    assert_eq!(forward(&[" foo=1 \t , \t bar=2, ,\t,", "", "baz=3"]).unwrap(), "foo=1,bar=2,baz=3");
    assert_eq!(forward(&["", " , "]), None);
}

#[test]
fn leading_spaces_belong_to_the_value() {
    assert_eq!(forward(&["foo=  1 "]).unwrap(), "foo=  1");
}

#[test]
fn one_bad_member_discards_the_list() {
    for bad in ["foo", "=1", "foo=", "FOO=1", "foo =1", "foo.bar=1", "@foo=1", "foo=a=b", "foo=a\tb"] {
        assert_eq!(read(&["good=1", bad]), None, "{bad:?}");
    }
}

#[test]
fn bytes_outside_ascii_discard_the_list() {
    assert_eq!(parse([HeaderValue::from_bytes(b"foo=\xfc").unwrap()].iter()), None);
}

#[test]
fn keys_and_values_of_256_bytes_are_the_longest() {
    let (fits, long) = ("z".repeat(256), "z".repeat(257));
    assert!(read(&[&format!("{fits}={fits}")]).is_some());
    assert_eq!(read(&[&format!("{long}=1")]), None);
    assert_eq!(read(&[&format!("foo={long}")]), None);
}

#[test]
fn a_repeated_key_keeps_its_first_value() {
    let parsed = read(&["foo=1,bar=2", "foo=3"]).unwrap();
    assert_eq!(parsed.state.header(), "foo=1,bar=2");
    assert_eq!(parsed.dropped, 1);
}

#[test]
fn thirty_two_members_pass_and_thirty_three_are_discarded() {
    let list = |count: usize| (0..count).map(|n| format!("k{n}={n}")).collect::<Vec<_>>().join(",");
    assert_eq!(forward(&[&list(32)]), Some(list(32)));
    assert_eq!(read(&[&list(33)]), None);
}

#[test]
fn level_2_keys_that_the_api_refuses_travel_verbatim() {
    let parsed = read(&["foo@@bar=1,bar=2"]).unwrap();
    assert_eq!(parsed.state.header(), "bar=2");
    assert_eq!(parsed.verbatim.unwrap(), "foo@@bar=1,bar=2");
    assert_eq!(read(&["foo@bar=1"]).unwrap().verbatim, None);
}

#[test]
fn a_list_that_is_too_long_loses_long_members_first_and_then_the_last() {
    let long = format!("long={}", "x".repeat(256));
    let many: Vec<String> = (0..31).map(|n| format!("k{n}{}={}", "y".repeat(240), "v".repeat(200))).collect();
    let parsed = read(&["first=1", &many[..30].join(","), &long]).unwrap();
    assert!(parsed.state.header().len() <= MAX_BYTES);
    assert!(parsed.dropped > 0);
    assert_eq!(parsed.state.get("first"), Some("1"));
    assert_eq!(parsed.state.get("long"), None);
}

#[test]
fn long_members_are_dropped_from_the_end_and_only_as_many_as_needed() {
    let mut members = Members::default();
    let value = "v".repeat(250);
    let keys: Vec<String> = (0..32).map(|n| format!("{n:0>250}")).collect();
    members.push("short", "1");
    for key in &keys[1..] {
        members.push(key, &value);
    }
    let dropped = members.fit();
    assert_eq!(dropped, 15, "of 31 members of 501 bytes, 16 fit beside the short one");
    assert_eq!(members.iter().next(), Some(("short", "1")));
    assert_eq!(members.iter().last(), Some((keys[16].as_str(), value.as_str())));
    assert!(members.header_value().unwrap().len() <= MAX_BYTES);
}

#[test]
fn five_hundred_and_twelve_bytes_always_pass_whole() {
    let list = (0..4).map(|n| format!("k{n}={}", "v".repeat(124))).collect::<Vec<_>>().join(",");
    assert!(list.len() >= 511);
    assert_eq!(forward(&[&list]), Some(list));
}

proptest! {
    #[test]
    fn any_header_is_read_without_a_panic(bytes in prop::collection::vec(32u8..127, 0..300)) {
        let _ = parse([HeaderValue::from_bytes(&bytes).unwrap()].iter());
    }

    #[test]
    fn what_is_sent_on_is_read_back_the_same(
        list in prop::collection::btree_map("[a-z0-9][a-z0-9_*/@-]{0,20}", "[ -+.-<>-~]{0,20}[!-+.-<>-~]", 1..20)
    ) {
        let text = list.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ");
        let once = forward(&[&text]).unwrap();
        prop_assert_eq!(forward(&[&once]), Some(once.clone()));
        prop_assert_eq!(once.split(',').count(), list.len());
    }
}
