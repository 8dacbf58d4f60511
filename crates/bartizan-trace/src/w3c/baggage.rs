//! The `baggage` header: what the application wants to travel with the request.

use std::borrow::Cow;

use http::HeaderValue;
use opentelemetry::baggage::{Baggage, BaggageMetadata};

use super::OWS;

/// The number of members that every platform must carry, and the most that this one does.
pub(crate) const MAX_MEMBERS: usize = 64;

/// The bytes that every platform must carry, commas included, and the most that this one does.
pub(crate) const MAX_BYTES: usize = 8192;

/// Members on their way into the baggage of one request, whichever headers they come from.
#[derive(Default)]
pub(crate) struct Members {
    baggage: Baggage,
    kept: usize,
    bytes: usize,
    dropped: usize,
}

/// Key, decoded value and raw properties.
pub(crate) type Member<'a> = (&'a str, Cow<'a, str>, BaggageMetadata);

impl Members {
    /// Reads one `baggage` header. The last value of a repeated key wins, as the API has it.
    pub(crate) fn read(&mut self, header: &HeaderValue) {
        for member in header.as_bytes().split(|byte| *byte == b',') {
            let member = member.trim_ascii();
            if !member.is_empty() {
                self.add(member.len(), || str::from_utf8(member).ok().and_then(parse_member));
            }
        }
    }

    /// Adds what `read` finds in `len` bytes, or counts it as dropped: malformed, or past a limit.
    pub(crate) fn add<'a>(&mut self, len: usize, read: impl FnOnce() -> Option<Member<'a>>) {
        let bytes = self.bytes + usize::from(self.kept > 0) + len;
        let fits = self.kept < MAX_MEMBERS && bytes <= MAX_BYTES;
        match fits.then(read).flatten() {
            Some((key, value, properties)) => {
                self.baggage.insert_with_metadata(key.to_owned(), value.into_owned(), properties);
                self.kept += 1;
                self.bytes = bytes;
            }
            None => self.dropped += 1,
        }
    }

    /// Whether there is a member of this name, in upper or lower case. Looks at each.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.baggage.iter().any(|(known, _)| known.as_str().eq_ignore_ascii_case(key))
    }

    /// The baggage and the number of members that were dropped.
    pub(crate) fn finish(self) -> (Baggage, usize) {
        (self.baggage, self.dropped)
    }
}

/// Writes the header and counts the members that no header can hold or that did not fit.
///
/// `None` if nothing is left to send. The order is not kept: the API has none.
pub(crate) fn write(baggage: &Baggage) -> (Option<HeaderValue>, usize) {
    let mut header = String::new();
    let mut dropped = 0;
    for (key, (value, properties)) in baggage {
        let whole = header.len();
        if whole > 0 {
            header.push(',');
        }
        header.push_str(key.as_str());
        header.push('=');
        // Nothing but what must be, so that a value that came in within the limit goes out within it.
        encode(value.as_str(), |byte| is_octet(byte) && byte != b'%', &mut header);
        let properties = properties.as_str();
        if !properties.is_empty() {
            header.push(';');
            header.push_str(properties);
        }
        if header.len() > MAX_BYTES || !valid_properties(properties) {
            header.truncate(whole);
            dropped += 1;
        }
    }
    let header = if header.is_empty() { None } else { HeaderValue::try_from(header).ok() };
    (header, dropped)
}

fn parse_member(member: &str) -> Option<Member<'_>> {
    let (pair, properties) = member.split_once(';').unwrap_or((member, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (key.trim_matches(OWS), value.trim_matches(OWS));
    let valid = valid_key(key) && value.bytes().all(is_octet) && valid_properties(properties);
    valid.then(|| (key, decode(value), BaggageMetadata::from(properties)))
}

fn valid_properties(properties: &str) -> bool {
    properties.is_empty()
        || properties.split(';').all(|property| {
            let (key, value) = property.split_once('=').unwrap_or((property, ""));
            valid_key(key.trim_matches(OWS)) && value.trim_matches(OWS).bytes().all(is_octet)
        })
}

/// A `token` of HTTP.
pub(crate) fn valid_key(key: &str) -> bool {
    !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A `baggage-octet`: printable ASCII but no space, quote, comma, semicolon or backslash.
fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// Undoes percent-encoding. Bytes that are no UTF-8 become U+FFFD; a `%` without two digits stays.
pub(crate) fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match (byte, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(digit(*high) << 4 | digit(*low));
                after
            }
            _ => {
                out.push(byte);
                tail
            }
        };
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn digit(byte: u8) -> u8 {
    char::from(byte).to_digit(16).map_or(0, |digit| digit as u8)
}

/// Percent-encodes every byte that is not to stay as it is.
pub(crate) fn encode(value: &str, plain: impl Fn(u8) -> bool, out: &mut String) {
    for byte in value.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 0x0f] {
                out.extend(char::from_digit(u32::from(nibble), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(headers: &[HeaderValue]) -> (Baggage, usize) {
        let mut members = Members::default();
        for header in headers {
            members.read(header);
        }
        members.finish()
    }

    fn read(values: &[&str]) -> (Baggage, usize) {
        let headers: Vec<_> = values.iter().map(|value| HeaderValue::from_str(value).unwrap()).collect();
        parse(&headers)
    }

    fn value(baggage: &Baggage, key: &str) -> Option<String> {
        baggage.get(key).map(|value| value.as_str().to_owned())
    }

    #[test]
    fn members_of_all_headers_are_read_with_their_properties() {
        let (baggage, dropped) = read(&["key1=value1;property1; p2 = x, key2 = value2", "key3=a=b"]);
        assert_eq!(dropped, 0);
        assert_eq!(value(&baggage, "key2").unwrap(), "value2");
        assert_eq!(value(&baggage, "key3").unwrap(), "a=b");
        let (first, properties) = baggage.get_with_metadata("key1").unwrap();
        assert_eq!((first.as_str(), properties.as_str()), ("value1", "property1; p2 = x"));
    }

    #[test]
    fn values_are_decoded_and_what_is_no_utf_8_is_replaced() {
        let (baggage, _) = read(&["a=Am%C3%A9lie,b=DF%2028,c=x%FFy,d=50%,e=%4,f=%zz"]);
        for (key, expected) in
            [("a", "Amélie"), ("b", "DF 28"), ("c", "x\u{fffd}y"), ("d", "50%"), ("e", "%4"), ("f", "%zz")]
        {
            assert_eq!(value(&baggage, key).unwrap(), expected);
        }
    }

    #[test]
    fn a_malformed_member_is_dropped_and_the_others_stay() {
        let bad = ["novalue", "=x", "sp ace=1", "q=\"quoted\"", "b=back\\slash", "p=1;;", "p=1;b@d=2"];
        for bad in bad {
            let (baggage, dropped) = read(&[&format!("good=1,{bad},also=2")]);
            assert_eq!((baggage.len(), dropped), (2, 1), "{bad}");
        }
        let raw = HeaderValue::from_bytes(b"a=\xc3\xa9,b=1").unwrap();
        assert_eq!(parse(&[raw]).1, 1);
    }

    #[test]
    fn sixty_four_members_pass_and_later_ones_are_dropped() {
        let list = (0..70).map(|n| format!("k{n}={n}")).collect::<Vec<_>>().join(",");
        let (baggage, dropped) = read(&[&list]);
        assert_eq!((baggage.len(), dropped), (64, 6));
        assert!(value(&baggage, "k63").is_some());
    }

    #[test]
    fn exactly_8192_bytes_pass_and_no_member_is_ever_cut() {
        let first = format!("a={}", "x".repeat(4094));
        let fits = format!("b={}", "y".repeat(4093));
        let (baggage, dropped) = read(&[&first, &fits]);
        assert_eq!((baggage.len(), dropped), (2, 0));
        let (header, dropped) = write(&baggage);
        assert_eq!((header.unwrap().len(), dropped), (8192, 0));

        let (baggage, dropped) = read(&[&first, &format!("{fits}y"), "c=1"]);
        assert_eq!((baggage.len(), dropped), (2, 1), "the member that does not fit, not those after it");
        assert!(value(&baggage, "b").is_none());
    }

    #[test]
    fn what_no_header_can_hold_is_not_sent() {
        let mut baggage = Baggage::new();
        baggage.insert("good", "line\r\nbreak, \"quote\"");
        baggage.insert_with_metadata("bad", "1", "x\r\nset-cookie: y");
        let (header, dropped) = write(&baggage);
        assert_eq!(header.unwrap(), "good=line%0D%0Abreak%2C%20%22quote%22");
        assert_eq!(dropped, 1);
        assert_eq!(write(&Baggage::new()), (None, 0));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(bytes in prop::collection::vec(32u8..=255, 0..200)) {
            let bytes: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 127).collect();
            let _ = parse(&[HeaderValue::from_bytes(&bytes).unwrap()]);
        }

        #[test]
        fn what_is_written_is_read_back(values in prop::collection::hash_map("[a-zA-Z0-9_.-]{1,8}", ".{0,20}", 0..10)) {
            let mut baggage = Baggage::new();
            for (key, value) in &values {
                baggage.insert(key.clone(), value.clone());
            }
            let (header, dropped) = write(&baggage);
            prop_assert_eq!(dropped, 0);
            let (back, dropped) = parse(header.as_slice());
            prop_assert_eq!((back.len(), dropped), (values.len(), 0));
            for (key, value) in &values {
                prop_assert_eq!(back.get(key).unwrap().as_str(), value);
            }
        }
    }
}
