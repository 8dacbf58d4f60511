//! Texts that are shown as they are, told by a quick look: most of what a request says of itself.

use crate::Masker;
use crate::look::{self, AT, BRACKET, PAIR, RAW, SCHEME};
use crate::names::Names;

/// What may be in a text that is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    Nothing,
    Pairs,
    /// And URLs without user info.
    Urls,
}

impl Masker {
    /// Whether this is printable ASCII in which no finder, not that of URLs either, finds anything.
    pub(crate) fn shows_plain(&self, text: &[u8]) -> bool {
        self.shows(text, May::Nothing)
    }

    /// Whether this is printable ASCII in which the finders of texts and of queries find nothing: there may be pairs in it,
    /// but none has a name that ends like one of the sensitive ones.
    pub(crate) fn shows_pairs(&self, text: &[u8]) -> bool {
        self.shows(text, May::Pairs)
    }

    /// As [`shows_pairs`](Self::shows_pairs), for a text that is whole and in which only the finder of texts looks: URLs too, if
    /// they have no user info.
    pub(crate) fn shows_text(&self, text: &[u8]) -> bool {
        self.shows(text, May::Urls)
    }

    fn shows(&self, text: &[u8], may: May) -> bool {
        let mut shown = Shown { names: self.names(), may, authority: false, user: false };
        self.values().is_empty()
            && look::all::<{ PAIR | AT | BRACKET | SCHEME | RAW }>(text, |at| shown.passes(text, at))
    }
}

/// What came so far in a text that is shown.
struct Shown<'m> {
    names: &'m Names,
    may: May,
    authority: bool,
    user: bool,
}

impl Shown<'_> {
    /// Whether the text is shown up to this mark and behind it. No escape and no bracket came before, so that the letters before the
    /// mark are the last ones of any name.
    #[inline(never)]
    fn passes(&mut self, text: &[u8], mark: usize) -> bool {
        let (head, rest) = text.split_at_checked(mark).unwrap_or_default();
        match rest {
            _ if self.may == May::Nothing => return false,
            [b'@', ..] => self.user = true,
            [b':', b'/', b'/', ..] => self.authority = true,
            // A password that the text ends in, unless it is a port.
            [b':', behind @ ..] if self.authority && !behind.first().is_some_and(u8::is_ascii_digit) => {
                return false;
            }
            [b'=' | b':', ..] => return !self.names.may_end(head),
            _ => return false,
        }
        !self.authority || (self.may == May::Urls && !self.user)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::Masker;
    use crate::edit::Escape;
    use crate::{query, text, url};

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
        for text in [
            "password2: x",
            "pin 12:30",
            "amqp://ada:hunter2@mq",
            "amqp://ada:hunter2",
            "https://shop.example.com/?token=4f",
        ] {
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
