//! Texts that are shown as they are, told by a quick look: most of what a request says of itself.

use memchr::memchr;

use crate::Masker;

/// How many bytes are looked at together.
const LANES: usize = 16;

/// What a look at a text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Printable ASCII without anything that a finder stops at.
    Plain,
    /// As that, but for `=`, `:`, `@` and what lies between them in ASCII.
    Delimited,
    Other,
}

impl Look {
    /// Looks at each byte once, and at some twice.
    fn at(text: &[u8]) -> Self {
        let mut seen = Seen::default();
        if let Some(end) = text.last_chunk() {
            let mut rest = text;
            while let Some(window) = rest.first_chunk() {
                seen.add(window);
                rest = rest.get(LANES..).unwrap_or_default();
            }
            seen.add(end);
        } else {
            seen.add(&widened(text));
        }
        // The last byte of a window is only looked at as the one behind another.
        let last = text.last().copied().unwrap_or(b' ');
        if seen.other != 0 || is_other(last, b' ') {
            Self::Other
        } else if seen.delimiter != 0 || is_delimiter(last) {
            Self::Delimited
        } else {
            Self::Plain
        }
    }
}

/// A short text as a window, with blanks or with some of its bytes twice.
#[inline]
fn widened(text: &[u8]) -> [u8; LANES + 1] {
    let mut window = [b' '; LANES + 1];
    let (halves, _) = window.as_chunks_mut::<{ LANES / 2 }>();
    match (halves, text.first_chunk(), text.last_chunk()) {
        ([first, last], Some(begin), Some(end)) => (*first, *last) = (*begin, *end),
        _ => window.iter_mut().zip(text).for_each(|(to, from)| *to = *from),
    }
    window
}

/// What was seen so far, where it is not 0.
#[derive(Default)]
struct Seen {
    delimiter: u8,
    other: u8,
}

impl Seen {
    /// Without branches, so that the compiler makes vector instructions of it.
    #[inline]
    fn add(&mut self, window: &[u8; LANES + 1]) {
        let (Some(bytes), Some(nexts)) = (window.first_chunk::<LANES>(), window.last_chunk::<LANES>()) else {
            return;
        };
        for (&byte, &next) in bytes.iter().zip(nexts) {
            self.delimiter |= u8::from(is_delimiter(byte));
            self.other |= u8::from(is_other(byte, next));
        }
    }
}

#[inline]
fn is_delimiter(byte: u8) -> bool {
    is_in(byte, b':', b'@')
}

/// Whether this byte is not printable ASCII, makes a name that is not judged as it stands (`%`, `[`, `\`, `]`), or is the `b` of
/// `Bearer` or `Basic`.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
fn is_other(byte: u8, next: u8) -> bool {
    // The second letter is `a` or `e`, which differ in one bit.
    let scheme = (byte | 0x20 == b'b') & (next | 0x24 == b'e');
    scheme | (byte == b'%') | is_in(byte, b'[', b']') | !is_in(byte, b' ', b'~')
}

/// One subtraction and one comparison, of all lanes.
#[inline]
fn is_in(byte: u8, first: u8, last: u8) -> bool {
    byte.wrapping_sub(first) <= last - first
}

impl Masker {
    /// Whether this is printable ASCII in which no finder, not that of URLs either, finds anything.
    pub(crate) fn shows_plain(&self, text: &[u8]) -> bool {
        self.values().is_empty() && Look::at(text) == Look::Plain
    }

    /// Whether this is printable ASCII in which the finders of texts and of queries find nothing: there may be pairs in it,
    /// but none has a name that ends like one of the sensitive ones.
    pub(crate) fn shows_pairs(&self, text: &[u8]) -> bool {
        self.shows(text, || true)
    }

    /// As [`shows_pairs`](Self::shows_pairs), for a text that is whole and in which only the finder of texts looks: URLs too, if
    /// they have no user info.
    pub(crate) fn shows_text(&self, text: &[u8]) -> bool {
        self.shows(text, || memchr(b'@', text).is_some())
    }

    #[inline]
    fn shows(&self, text: &[u8], user_info: impl FnOnce() -> bool) -> bool {
        self.values().is_empty()
            && match Look::at(text) {
                Look::Plain => true,
                Look::Delimited => self.names().end_no_name_in(text, user_info()),
                Look::Other => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LANES, Look};
    use crate::Masker;
    use crate::edit::Escape;
    use crate::{query, text, url};

    #[test]
    fn a_byte_is_seen_wherever_it_stands() {
        for length in 1..3 * LANES {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut input = vec![b'e'; length];
                    input[at] = byte;
                    // The two halves of eight bytes are the same, so there the end seems to go on.
                    let scheme = byte | 0x20 == b'b' && (at + 1 < length || length == 8);
                    let expected = match byte {
                        _ if scheme => Look::Other,
                        b'%' | b'['..=b']' => Look::Other,
                        b':'..=b'@' => Look::Delimited,
                        b' '..=b'~' => Look::Plain,
                        _ => Look::Other,
                    };
                    assert_eq!(Look::at(&input), expected, "{byte:#x} at {at} of {length}");
                }
            }
        }
        assert_eq!(Look::at(b""), Look::Plain);
    }

    #[test]
    fn what_browsers_send_is_known_at_a_look() {
        let masker = Masker::default();
        for text in [
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5",
            "en-GB,en;q=0.8",
            "shop.example.com:8443",
            "page=2&sort=name",
            "max-age=0",
        ] {
            assert!(masker.shows_pairs(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn times_and_links_in_documents_are_known_at_a_look() {
        let masker = Masker::default();
        for text in [
            "2026-11-21T13:04:22.318Z",
            "2026-11-21 13:04:22+02:00",
            "12:30",
            "https://cdn.example.com:8443/images/7.png?size=64&v=2",
            "urn:isbn:9780131103627",
            "2001:db8::7",
        ] {
            assert!(masker.shows_text(text.as_bytes()), "{text}");
        }
        for text in
            ["password2: x", "pin 12:30", "amqp://ada:hunter2@mq", "https://shop.example.com/?token=4f"]
        {
            assert!(!masker.shows_text(text.as_bytes()), "{text}");
        }
    }

    /// Parts of texts with pairs, harmless and not, in all syntaxes.
    fn piece() -> impl Strategy<Value = String> {
        let parts = [
            "password",
            "pass",
            "word",
            "token",
            "api key",
            "key",
            "x-api-key",
            "rv",
            "pin",
            "ssn",
            "id",
            "=",
            ":",
            "=",
            ": ",
            " = ",
            "::",
            "://",
            ":=",
            "=>",
            "&",
            ";",
            ",",
            " ",
            "+",
            "\"",
            "'",
            "[",
            "]",
            "{",
            "}",
            "%",
            "%3D",
            "%70",
            "\\",
            "\\n",
            "@",
            "/",
            "?",
            "Bearer ",
            "basic ",
            "b",
            "2",
            "7",
            "-",
            "_",
            ".",
            "x",
            "\u{e9}",
            "\n",
            "\t",
            "[REDACTED]",
        ];
        prop_oneof![6 => prop::sample::select(parts.map(String::from).to_vec()), 1 => "[ -~]{0,4}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn what_a_look_lets_pass_no_finder_would_have_changed(pieces in prop::collection::vec(piece(), 0..12)) {
            let input = pieces.concat();
            let all = 0..input.len();
            let masker = Masker::builder().name("rvx").name("x5").allow("next_token").build().unwrap();
            let edited = |find: &dyn Fn(&crate::names::Names, &mut crate::edit::Edit<'_>)| {
                let mut out = String::new();
                let masked = masker.edit(input.as_bytes(), Escape::Percent, &mut out, find).unwrap();
                (masked, out)
            };
            if masker.shows_pairs(input.as_bytes()) {
                prop_assert_eq!(edited(&text::find), (0, input.clone()));
                prop_assert_eq!(edited(&|names, edit| query::find(names, edit, all.clone())), (0, input.clone()));
            }
            if masker.shows_text(input.as_bytes()) {
                prop_assert_eq!(edited(&text::find), (0, input.clone()));
            }
            if masker.shows_plain(input.as_bytes()) {
                prop_assert_eq!(edited(&|names, edit| url::find(names, edit, all.clone())), (0, input.clone()));
            }
        }
    }

    #[test]
    fn a_long_text_of_delimiters_is_read_once() {
        // Going back from each of them to the start would be 10^11 steps.
        assert!(!Masker::default().shows_pairs("=".repeat(1 << 20).as_bytes()));
        assert!(Masker::default().shows_pairs("xyz=".repeat(1 << 18).as_bytes()));
    }
}
