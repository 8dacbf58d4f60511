//! Where a value in free text begins and ends.

use std::ops::Range;

use memchr::{memchr, memchr2};

/// Schemes whose credential is the next word.
const ONE_WORD_SCHEMES: &[&str] = &["apikey", "basic", "bearer", "dpop", "negotiate", "ntlm", "token"];

/// Schemes whose credentials are a list of parameters.
const LIST_SCHEMES: &[&str] = &["aws4-hmac-sha256", "digest", "hawk", "hmac", "oauth", "signature"];

/// The deepest group of brackets that is followed; a deeper one is masked to the end of the text.
const MAX_DEPTH: u32 = 64;

/// The value that begins at or after `at`, without its quotation marks. With `line` it is that of a header
/// and may go to the end of the line. The censor is a value, whatever it consists of.
pub(super) fn span(text: &[u8], at: usize, line: bool, censor: &str) -> Range<usize> {
    let start = skip_blanks(text, at, censor);
    if let Some(quote) = Quote::at(text, start) {
        return quote.inside(text).0;
    }
    let rest = text.get(start..).unwrap_or_default();
    if let Some(after) = rest.strip_prefix(censor.as_bytes())
        && after.first().is_none_or(|next| is_end(*next) || b"\"'`\\".contains(next))
    {
        return start..start + censor.len();
    }
    let end = bare_end(text, start);
    let word = text.get(start..end).unwrap_or_default();
    let is = |scheme: &&str| word.eq_ignore_ascii_case(scheme.as_bytes());
    let end = if (line && goes_on(text, end)) || LIST_SCHEMES.iter().any(is) {
        line_end(text, start)
    } else if ONE_WORD_SCHEMES.iter().any(is) && text.get(end) == Some(&b' ') {
        bare_end(text, end + 1)
    } else {
        end
    };
    start..end
}

/// Whether an unquoted value ends before this byte.
pub(super) fn is_end(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b',' | b';' | b'&' | b')' | b'}' | b']' | 0x7F)
}

/// Skips blanks, and line ends too, escaped or not, where a quoted value, a group or the censor follows them.
fn skip_blanks(text: &[u8], at: usize, censor: &str) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut white = at;
    loop {
        let escape = backslashes(text, white);
        white += match text.get(white + escape) {
            Some(b'n' | b't' | b'r') if escape > 0 => escape + 1,
            Some(byte) if escape == 0 && byte.is_ascii_whitespace() => 1,
            Some(b'{' | b'[' | b'(') if escape == 0 => return white,
            _ if Quote::at(text, white).is_some() => return white,
            _ if text.get(white..).is_some_and(|rest| rest.starts_with(censor.as_bytes())) => return white,
            _ => return at + blanks,
        };
    }
}

/// Whether the value of a header goes on after its first word, as in `Basic x` and `a=1; b=2`. It does not
/// in a `Debug` print: `authorization: None, host: "h" }`.
fn goes_on(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    matches!(rest.first(), Some(b' ' | b'\t' | b';')) && !matches!(next, Some(b'}' | b')' | b']'))
}

fn line_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let newline = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    // A line end inside a quoted string is printed escaped.
    let escaped = rest.windows(2).take(newline).position(|pair| matches!(pair, br"\n" | br"\r"));
    at + escaped.unwrap_or(newline)
}

/// Where an unquoted value ends: before a delimiter that is in no group of brackets.
pub(super) fn bare_end(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_u32);
    while let Some(&byte) = text.get(at) {
        let quote = Quote::at(text, at);
        at = match (byte, quote) {
            (_, Some(quote)) if depth > 0 || is_string_prefix(text, start, at) => {
                let apostrophe = quote.mark == b'\''
                    && at > start
                    && text.get(at - 1).is_some_and(u8::is_ascii_alphanumeric);
                if apostrophe { quote.open } else { quote.inside(text).1 }
            }
            // The closing mark of a string that the whole pair is in.
            (_, Some(quote)) if text.get(quote.open).is_none_or(|next| is_end(*next) || *next == b'\\') => {
                return at;
            }
            (_, Some(quote)) => quote.open,
            (b'(' | b'[' | b'{', _) if depth == MAX_DEPTH => return text.len(),
            (b'(' | b'[' | b'{', _) => {
                depth += 1;
                at + 1
            }
            (b')' | b']' | b'}', _) if depth > 0 => {
                depth -= 1;
                at + 1
            }
            (b' ', _) if depth == 0 && opens_struct(text, start, at) => at + 1,
            (b'\\', _) => at + backslashes(text, at),
            (byte, _) if depth == 0 && is_end(byte) => return at,
            _ => at + 1,
        };
    }
    at.min(text.len())
}

/// How many backslashes stand here.
fn backslashes(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b'\\').count()
}

/// Whether only the prefix of a Rust string (`b`, `br#`) stands before this quotation mark.
fn is_string_prefix(text: &[u8], start: usize, at: usize) -> bool {
    text.get(start..at)
        .is_some_and(|prefix| prefix.len() < 8 && prefix.iter().all(|byte| b"bcru#".contains(byte)))
}

/// Whether this blank stands between the name of a struct and its brace.
fn opens_struct(text: &[u8], start: usize, at: usize) -> bool {
    let identifier = |byte: &u8| byte.is_ascii_alphanumeric() || b"_:<>".contains(byte);
    text.get(at + 1) == Some(&b'{')
        && text.get(start..at).is_some_and(|name| !name.is_empty() && name.iter().all(identifier))
}

/// An opening quotation mark, and how deep in strings of strings it stands.
#[derive(Clone, Copy)]
struct Quote {
    mark: u8,
    /// How many backslashes stand before it: 0, or 1 in a string, 3 in a string in a string.
    backslashes: usize,
    /// The offset after it.
    open: usize,
}

impl Quote {
    /// The quotation mark that begins at `at`, with its backslashes.
    fn at(text: &[u8], at: usize) -> Option<Self> {
        match text.get(at)? {
            b'"' | b'\'' | b'`' | b'\\' => {}
            _ => return None,
        }
        let backslashes = backslashes(text, at);
        let open = at + backslashes + 1;
        let mark = *text.get(open - 1)?;
        matches!(mark, b'"' | b'\'' | b'`').then_some(Self { mark, backslashes, open })
    }

    /// The quoted text, and the offset after the closing mark. Without one, all that is left.
    ///
    /// A mark is closing when it has as many backslashes as the opening one has, past those that stand
    /// for backslashes of the text; one that has fewer closes a string around this one. One with a letter
    /// or digit behind it closes nothing: the text was quoted without escaping what is in it.
    fn inside(self, text: &[u8]) -> (Range<usize>, usize) {
        let period = 2 * (self.backslashes + 1);
        let mut at = self.open;
        while let Some(offset) = memchr(self.mark, text.get(at..).unwrap_or_default()) {
            let mark = at + offset;
            let before = text.get(self.open..mark).unwrap_or_default();
            let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
            at = mark + 1;
            let escaped = backslashes % period == period - 1;
            let word = text.get(at).is_some_and(|next| next.is_ascii_alphanumeric() || *next >= 0x80);
            if escaped || word {
                continue;
            }
            let own = backslashes % period == self.backslashes;
            let end = mark - if own { self.backslashes } else { backslashes };
            return (self.open..end, if own { at } else { end });
        }
        (self.open..text.len(), text.len())
    }
}

#[cfg(test)]
mod tests;
