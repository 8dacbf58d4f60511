//! Secrets that show themselves by their shape, whatever their name: cards, tokens, addresses.

use std::ops::Range;

use crate::names::Hide;

mod address;
mod digits;
mod iban;
mod token;

/// How much at the end of a text that is cut may be the beginning of what a pattern of the user matches.
#[cfg(feature = "regex")]
const MAX_PATTERN_BYTES: usize = 256;

/// What kind of value is hidden wherever it stands, by [`MaskerBuilder::value`](crate::MaskerBuilder::value).
///
/// All of them are off unless switched on. Each is found in one pass, linear in the length of the text, and only where
/// no letter or digit stands before and behind it. `Bearer` and `Basic` credentials and the user info of URLs are
/// found without.
///
/// ```
/// use bartizan_mask::{Action, Masker, ValueKind};
///
/// let masker = Masker::builder()
///     .value_as(ValueKind::Card, Action::KeepLast4)
///     .value(ValueKind::Email)
///     .build()?;
/// let text = "ada@example.org paid with 4111 1111 1111 1111, order 4111111111111112";
/// assert_eq!(masker.text_cow(text), "[REDACTED] paid with [REDACTED]1111, order 4111111111111112");
/// # Ok::<(), bartizan_mask::MaskError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ValueKind {
    /// A card number: 13 to 19 digits, also in groups with a blank or a hyphen between them, that begins with 2 to 6
    /// and whose last digit is right (Luhn, ISO/IEC 7812-1).
    Card,
    /// A JSON web token: `eyJ..`, two or more parts of base64url behind it.
    Jwt,
    /// An e-mail address with a domain of at least two labels.
    Email,
    /// An international bank account number, also in groups, of a known country, with its length and its check
    /// digits (ISO 13616, mod 97).
    Iban,
    /// The id of an AWS access key: `AKIA`, `ASIA`, `ABIA`, `ACCA` or `A3T.` and 16 characters.
    AwsKey,
    /// A GitHub token: `ghp_` and its like, `github_pat_`.
    GithubToken,
    /// A private key in PEM, from `-----BEGIN` to the end of `-----END`, or of the text.
    PrivateKey,
    /// A social security number of the USA: `ddd-dd-dddd`, of a range that is in use.
    Ssn,
    /// A MAC address: six pairs of hexadecimal digits with `:` or `-` between them.
    Mac,
    /// The number of a mobile device: 15 digits, the last of which is right (Luhn).
    Imei,
}

impl ValueKind {
    /// All of them.
    ///
    /// ```
    /// use bartizan_mask::{Masker, ValueKind};
    ///
    /// let masker = Masker::builder().values(ValueKind::ALL).build()?;
    /// assert_eq!(masker.text_cow("key AKIAIOSFODNN7EXAMPLE"), "key [REDACTED]");
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub const ALL: [Self; 10] = [
        Self::Card,
        Self::Jwt,
        Self::Email,
        Self::Iban,
        Self::AwsKey,
        Self::GithubToken,
        Self::PrivateKey,
        Self::Ssn,
        Self::Mac,
        Self::Imei,
    ];

    /// The value of this kind that is seen at this byte, if one is, not before `floor`.
    fn find(self, text: &[u8], at: usize, floor: usize) -> Option<Range<usize>> {
        match self {
            Self::Card => digits::card(text, at),
            Self::Imei => digits::imei(text, at),
            Self::Ssn => digits::ssn(text, at),
            Self::Mac => address::mac(text, at),
            Self::Email => address::email(text, at, floor),
            Self::Iban => iban::find(text, at),
            Self::Jwt => token::jwt(text, at),
            Self::AwsKey => token::aws(text, at),
            Self::GithubToken => token::github(text, at),
            Self::PrivateKey => token::private_key(text, at),
        }
    }

    /// Whether a value of this kind is seen at such a byte: mostly its first one.
    fn is_mark(self, byte: u8) -> bool {
        match self {
            Self::Card => matches!(byte, b'2'..=b'6'),
            Self::Imei | Self::Ssn => byte.is_ascii_digit(),
            Self::Mac => byte.is_ascii_hexdigit(),
            Self::Email => byte == b'@',
            Self::Iban => byte.is_ascii_alphabetic(),
            Self::Jwt => byte == b'e',
            Self::AwsKey => byte == b'A',
            Self::GithubToken => byte == b'g',
            Self::PrivateKey => byte == b'-',
        }
    }
}

/// The kinds of values that are hidden.
#[derive(Default)]
pub(crate) struct Values {
    kinds: Vec<(ValueKind, Hide)>,
    /// For each byte, one bit for each of the kinds that are seen at it.
    marks: Option<Box<[u16; 256]>>,
    #[cfg(feature = "regex")]
    patterns: Vec<(regex::bytes::Regex, Hide)>,
}

impl Values {
    pub(crate) fn add(&mut self, kind: ValueKind, hide: Hide) {
        self.kinds.retain(|(known, _)| *known != kind);
        self.kinds.push((kind, hide));
        let mut marks = Box::new([0; 256]);
        for (byte, mark) in (0..=u8::MAX).zip(marks.iter_mut()) {
            for (bit, (kind, _)) in self.kinds.iter().enumerate() {
                *mark |= u16::from(kind.is_mark(byte)) << bit;
            }
        }
        self.marks = Some(marks);
    }

    /// Adds a pattern of the user; `None` when it is none, or too large.
    #[cfg(feature = "regex")]
    pub(crate) fn add_pattern(&mut self, pattern: &str, hide: Hide) -> Option<()> {
        let mut builder = regex::bytes::RegexBuilder::new(pattern);
        let regex = builder.size_limit(1 << 20).dfa_size_limit(1 << 20).build().ok()?;
        self.patterns.push((regex, hide));
        Some(())
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        #[cfg(feature = "regex")]
        if !self.patterns.is_empty() {
            return false;
        }
        self.marks.is_none()
    }

    /// Hands on the values in a text, from left to right.
    pub(crate) fn each(&self, text: &[u8], mut found: impl FnMut(Range<usize>, Hide)) {
        #[cfg(feature = "regex")]
        let mut next = self.seekers();
        #[cfg(not(feature = "regex"))]
        let mut next = [Seeker { sought: false, found: None }];
        let mut floor = 0;
        loop {
            for seeker in &mut next {
                seeker.seek(self, text, floor);
            }
            let first = next.iter().filter_map(|seeker| seeker.found.clone());
            let Some((span, hide)) = first.min_by_key(|(span, _)| (span.start, usize::MAX - span.end)) else {
                return;
            };
            floor = span.end;
            found(span, hide);
        }
    }

    #[cfg(feature = "regex")]
    fn seekers(&self) -> Vec<Seeker> {
        (0..=self.patterns.len())
            .map(|pattern| Seeker { pattern: pattern.checked_sub(1), sought: false, found: None })
            .collect()
    }

    fn next_shape(&self, text: &[u8], floor: usize) -> Option<(Range<usize>, Hide)> {
        let marks = self.marks.as_deref()?;
        for (offset, byte) in text.get(floor..)?.iter().enumerate() {
            let mut bits = marks.get(usize::from(*byte)).copied().unwrap_or_default();
            while bits != 0 {
                let (kind, hide) = self.kinds.get(bits.trailing_zeros() as usize)?;
                if let Some(span) = kind.find(text, floor + offset, floor) {
                    return Some((span, *hide));
                }
                bits &= bits - 1;
            }
        }
        None
    }

    #[cfg(feature = "regex")]
    fn next_match(&self, text: &[u8], floor: usize, pattern: usize) -> Option<(Range<usize>, Hide)> {
        let (regex, hide) = self.patterns.get(pattern)?;
        let mut at = floor;
        loop {
            let found = regex.find_at(text, at)?;
            if !found.is_empty() {
                return Some((found.range(), *hide));
            }
            at = found.end() + 1;
            if at > text.len() {
                return None;
            }
        }
    }

    /// Where the text may end that goes on: before what may be the beginning of a value.
    pub(crate) fn safe_end(&self, text: &[u8]) -> usize {
        #[cfg(feature = "regex")]
        if !self.patterns.is_empty() {
            let end = text.len().saturating_sub(MAX_PATTERN_BYTES);
            return text.get(..end).map_or(0, |text| self.safe_end_of_shapes(text));
        }
        self.safe_end_of_shapes(text)
    }

    fn safe_end_of_shapes(&self, text: &[u8]) -> usize {
        if self.marks.is_none() {
            return text.len();
        }
        let white = |byte: &u8| {
            byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b';' | b'&' | b'=')
        };
        let mut start = text.iter().rposition(white).map_or(0, |at| at + 1);
        // Groups of a card or an account before it, and the beginning of a PEM block.
        let floor = text.len().saturating_sub(64);
        while let Some((b' ' | b'+' | b'-', before)) =
            text.get(floor.min(start)..start).and_then(<[u8]>::split_last)
        {
            let group =
                before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
            if group == 0 {
                break;
            }
            start -= group + 1;
        }
        start
    }
}

/// The next value that is seen by its shape, or by one pattern. It is sought again only when it was passed, so that
/// the text is read once.
struct Seeker {
    #[cfg(feature = "regex")]
    pattern: Option<usize>,
    sought: bool,
    found: Option<(Range<usize>, Hide)>,
}

impl Seeker {
    fn seek(&mut self, values: &Values, text: &[u8], floor: usize) {
        let ahead = self.found.as_ref().is_some_and(|(span, _)| span.start >= floor);
        if ahead || (self.sought && self.found.is_none()) {
            return;
        }
        self.sought = true;
        #[cfg(feature = "regex")]
        if let Some(pattern) = self.pattern {
            self.found = values.next_match(text, floor, pattern);
            return;
        }
        self.found = values.next_shape(text, floor);
    }
}

/// Whether no letter or digit stands before this place.
fn begins(text: &[u8], at: usize) -> bool {
    !at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether no letter or digit stands at this place.
fn ends(text: &[u8], at: usize) -> bool {
    !text.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// How many bytes from here on are of this kind.
fn run(text: &[u8], at: usize, is_part: impl Fn(&u8) -> bool) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| is_part(byte)).count()
}

#[cfg(test)]
mod tests;
