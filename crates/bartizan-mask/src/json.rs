//! JSON: as a stream of chunks, and as a tree that is there already.

use std::fmt;
use std::mem;

use memchr::memchr2;

use self::stack::{Kind, Stack};
use crate::Masker;
use crate::names::Hide;

mod stack;
mod string;
#[cfg(feature = "json")]
mod value;
mod word;
mod write;

pub(crate) use self::string::escaped;

/// The longest string that is looked through, in bytes as they came.
const MAX_STRING_BYTES: usize = 64 * 1024;

/// The longest number.
const MAX_WORD_BYTES: usize = 512;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Masks a JSON document that comes in chunks, in bounded memory and without building a tree.
///
/// What stands under a sensitive name is replaced by the censor as a whole, at any depth, objects and
/// arrays included; `null` and `""` stay, which hide nothing. All other strings, and names too, are masked as
/// [`text`](Masker::text). Everything else stays as it is, without the white space between tokens.
/// Escapes in names are undone before they are judged (`"p\u0061ssword"`), and of a name that comes twice
/// each value is masked. A byte order mark is dropped; half a surrogate pair becomes `\ufffd`.
///
/// How the document is split into chunks makes no difference to the output. A document that is cut
/// anywhere is closed to a valid one: a string ends at the last whole character, and a number, a literal or a
/// name that is not complete is left out.
///
/// Limits: a string or a name of more than 64 KiB is replaced by its length, and a longer number than 512 bytes
/// or more than 32 768 levels of nesting count as invalid. Memory is one such string and one bit a level.
///
/// ```
/// use bartizan_mask::{JsonEnd, Masker};
///
/// let masker = Masker::default();
/// let (mut json, mut out) = (masker.json(), Vec::new());
/// for chunk in [r#"{"user":"ada","pa"#, r#"ssword":"hunt"#, r#"er2","cards":[{"cvv":1"#] {
///     json.push(chunk.as_bytes(), &mut out);
/// }
/// assert_eq!(json.finish(true, &mut out), JsonEnd::Cut);
/// assert_eq!(out, br#"{"user":"ada","password":"[REDACTED]","cards":[{}]}"#);
/// ```
pub struct JsonMasker {
    masker: Masker,
    /// Whether documents follow each other, one a line.
    lines: bool,
    state: State,
    stack: Stack,
    token: Token,
    out: write::Writer,
    /// How the value that comes next is hidden.
    hide: Option<Hide>,
    scratch: String,
}

/// What became of a document.
///
/// ```
/// use bartizan_mask::{JsonEnd, Masker};
///
/// let end = |text: &str| {
///     let (mut json, mut out) = (Masker::default().json(), Vec::new());
///     json.push(text.as_bytes(), &mut out);
///     json.finish(false, &mut out)
/// };
/// assert_eq!(end("[1, 2]"), JsonEnd::Complete);
/// assert_eq!(end("[1, 2"), JsonEnd::Cut);
/// assert_eq!(end("[1, 2}"), JsonEnd::Invalid);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonEnd {
    /// The document was complete and valid, and so is what was written.
    Complete,
    /// The document was valid as far as it went; what was written is complete and valid.
    Cut,
    /// The document is not valid. What was written holds nothing secret but is not valid either: replace it.
    Invalid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So much of a byte order mark was read.
    Begin(usize),
    Value,
    /// The first item of an array, or its end.
    FirstItem,
    /// The first name of an object, or its end.
    FirstName,
    Name,
    Colon,
    /// Behind a value in an object or an array.
    After,
    String {
        name: bool,
    },
    /// In a number or a literal.
    Word,
    /// Behind a whole document, and behind the end of its line.
    End {
        line: bool,
    },
    Invalid,
}

/// A string or a word that began in an earlier chunk.
#[derive(Default)]
struct Token {
    held: Vec<u8>,
    /// Its length so far, also where it is too long to be held.
    bytes: usize,
    /// A string: whether it has escapes, and whether it ends in half of one.
    escapes: bool,
    escaped: bool,
}

impl Token {
    fn hold(&mut self, part: &[u8], limit: usize) {
        self.bytes += part.len();
        if self.bytes <= limit {
            self.held.extend_from_slice(part);
        }
    }

    fn clear(&mut self) {
        self.held.clear();
        (self.bytes, self.escapes, self.escaped) = (0, false, false);
    }
}

impl Masker {
    /// Begins a JSON document that comes in chunks.
    ///
    /// ```
    /// let (mut json, mut out) = (bartizan_mask::Masker::default().json(), Vec::new());
    /// json.push(br#"{"a": {"api_key": [1, 2]}, "b": "see https://u:p@h/"}"#, &mut out);
    /// json.finish(false, &mut out);
    /// assert_eq!(out, br#"{"a":{"api_key":"[REDACTED]"},"b":"see https://REDACTED:REDACTED@h/"}"#);
    /// ```
    pub fn json(&self) -> JsonMasker {
        JsonMasker::new(self.clone(), false)
    }

    /// Begins a stream of JSON documents, one a line (NDJSON, JSON lines; RFC 7464 text sequences too).
    /// Each comes out on a line of its own.
    ///
    /// ```
    /// let (mut lines, mut out) = (bartizan_mask::Masker::default().ndjson(), Vec::new());
    /// lines.push(b"{\"pin\": 1}\r\n\n[2]\n", &mut out);
    /// lines.finish(false, &mut out);
    /// assert_eq!(out, b"{\"pin\":\"[REDACTED]\"}\n[2]");
    /// ```
    pub fn ndjson(&self) -> JsonMasker {
        JsonMasker::new(self.clone(), true)
    }
}

impl JsonMasker {
    fn new(masker: Masker, lines: bool) -> Self {
        let out = write::Writer::default();
        let (state, stack, token) = (State::Begin(0), Stack::default(), Token::default());
        Self { masker, lines, state, stack, token, out, hide: None, scratch: String::new() }
    }

    /// Takes the next chunk, of any length, and appends to `out` what can be told already.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut rest = chunk;
        while !rest.is_empty() && self.state != State::Invalid {
            let used = match self.state {
                State::String { name } => self.string(rest, name, out),
                State::Word => self.word(rest, out),
                _ => self.mark(rest, out),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        self.out.count(&self.masker);
    }

    /// Ends the document and appends what closes it. `cut` says that the chunks are known not to be all of it.
    #[must_use]
    pub fn finish(mut self, cut: bool, out: &mut Vec<u8>) -> JsonEnd {
        if self.state == State::Word && self.stack.depth() == 0 && !cut {
            self.held_word_ends(out);
        }
        let end = match self.state {
            State::Invalid => JsonEnd::Invalid,
            State::Begin(_) | State::Value if self.stack.depth() == 0 && !cut => JsonEnd::Invalid,
            State::End { .. } => {
                if cut {
                    JsonEnd::Cut
                } else {
                    JsonEnd::Complete
                }
            }
            State::String { name: false } => {
                let raw = mem::take(&mut self.token.held);
                if self.value_string(&raw, true, out) { JsonEnd::Cut } else { JsonEnd::Invalid }
            }
            _ => JsonEnd::Cut,
        };
        if end == JsonEnd::Cut {
            while let Some(kind) = self.stack.pop() {
                self.out.close(kind, self.stack.depth(), out);
            }
            self.out.nothing(out);
        }
        self.out.count(&self.masker);
        end
    }

    /// Takes what stands between strings and words: white space and punctuation. Says how much that was.
    fn mark(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        let Some(&byte) = rest.first() else { return 0 };
        self.state = match (self.state, byte) {
            (State::Begin(n), byte) if BOM.get(n) == Some(&byte) => {
                if n + 1 < BOM.len() {
                    State::Begin(n + 1)
                } else {
                    State::Value
                }
            }
            (State::Begin(0), _) => {
                self.state = State::Value;
                return 0;
            }
            (State::End { .. }, b'\n') => State::End { line: true },
            (State::End { .. } | State::Value, 0x1E) if self.lines && self.stack.depth() == 0 => {
                if self.state == State::Value { State::Value } else { State::End { line: true } }
            }
            (state, b' ' | b'\t' | b'\r' | b'\n') if !matches!(state, State::Begin(_)) => state,
            (State::End { line: true }, _) if self.lines => {
                self.out.line(out);
                self.state = State::Value;
                return 0;
            }
            (State::FirstName | State::Name, b'"') => State::String { name: true },
            (State::Value | State::FirstItem, b'"') => State::String { name: false },
            (State::Value | State::FirstItem, b'{') => self.open(Kind::Object, out),
            (State::Value | State::FirstItem, b'[') => self.open(Kind::Array, out),
            (State::Value | State::FirstItem, byte) if word::begins(byte) => {
                self.state = State::Word;
                return 0;
            }
            (State::Colon, b':') => State::Value,
            (State::After, b',') => match self.stack.top() {
                Some(Kind::Object) => State::Name,
                _ => State::Value,
            },
            (State::FirstName | State::After, b'}') => self.close(Kind::Object, out),
            (State::FirstItem | State::After, b']') => self.close(Kind::Array, out),
            _ => State::Invalid,
        };
        1
    }

    fn open(&mut self, kind: Kind, out: &mut Vec<u8>) -> State {
        match self.hide.take() {
            Some(_) if !self.out.is_silent() => {
                self.out.censor(self.masker.censor(), out);
                self.out.be_silent(self.stack.depth());
            }
            _ => self.out.open(kind, out),
        }
        match (self.stack.push(kind), kind) {
            (false, _) => State::Invalid,
            (true, Kind::Object) => State::FirstName,
            (true, Kind::Array) => State::FirstItem,
        }
    }

    fn close(&mut self, kind: Kind, out: &mut Vec<u8>) -> State {
        if self.stack.pop() != Some(kind) {
            return State::Invalid;
        }
        self.out.close(kind, self.stack.depth(), out);
        self.behind()
    }

    /// The state behind a value.
    fn behind(&self) -> State {
        if self.stack.depth() == 0 { State::End { line: false } } else { State::After }
    }

    /// Takes what is here of a string, behind its opening quotation mark.
    fn string(&mut self, rest: &[u8], name: bool, out: &mut Vec<u8>) -> usize {
        let mut at = usize::from(self.token.escaped);
        self.token.escaped = false;
        let end = loop {
            let Some(mark) = rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)).map(|n| at + n)
            else {
                break None;
            };
            if rest.get(mark) == Some(&b'"') {
                break Some(mark);
            }
            self.token.escapes = true;
            at = mark + 2;
            self.token.escaped = at > rest.len();
        };
        let Some(end) = end else {
            self.token.hold(rest, MAX_STRING_BYTES);
            return rest.len();
        };
        let part = rest.get(..end).unwrap_or_default();
        let valid = if self.token.bytes == 0 && part.len() <= MAX_STRING_BYTES {
            self.string_ends(part, name, out)
        } else {
            self.token.hold(part, MAX_STRING_BYTES);
            let held = mem::take(&mut self.token.held);
            let valid = self.string_ends(&held, name, out);
            self.token.held = held;
            valid
        };
        self.token.clear();
        if !valid {
            self.state = State::Invalid;
        }
        end + 1
    }

    fn string_ends(&mut self, raw: &[u8], name: bool, out: &mut Vec<u8>) -> bool {
        let valid = if name { self.name(raw) } else { self.value_string(raw, false, out) };
        self.state = if name { State::Colon } else { self.behind() };
        valid
    }

    /// Takes a whole name; `false` when it is no valid string.
    fn name(&mut self, raw: &[u8]) -> bool {
        if self.token.bytes > MAX_STRING_BYTES {
            self.out.name_bytes(self.token.bytes);
            self.hide = Some(Hide::default());
            return true;
        }
        let read = string::read(raw, self.token.escapes, false, &mut self.scratch);
        let Some(read) = read else { return false };
        if self.out.is_silent() {
            return true;
        }
        self.hide = self.masker.names().hides(read.bytes());
        self.out.name(&self.masker, &read);
        true
    }

    /// Takes a string value, which may be cut; `false` when it is no valid string.
    fn value_string(&mut self, raw: &[u8], cut: bool, out: &mut Vec<u8>) -> bool {
        let hide = self.hide.take();
        if self.token.bytes > MAX_STRING_BYTES {
            match hide {
                Some(_) => self.out.censor(self.masker.censor(), out),
                None => self.out.string_bytes(self.token.bytes, out),
            }
            return true;
        }
        let read = string::read(raw, self.token.escapes, cut, &mut self.scratch);
        let Some(read) = read else { return false };
        match hide {
            // What was masked before is not counted again.
            Some(_) if cut || !(raw.is_empty() || raw == self.masker.censor().as_bytes()) => {
                self.out.censor(self.masker.censor(), out)
            }
            _ => self.out.string(&self.masker, &read, cut, out),
        }
        true
    }

    /// Takes what is here of a number or a literal.
    fn word(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        let end = rest.iter().position(|byte| !word::goes_on(*byte));
        let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if end.is_some() && self.token.bytes == 0 {
            self.word_ends(part, out);
        } else {
            self.token.hold(part, MAX_WORD_BYTES);
            if end.is_some() {
                self.held_word_ends(out);
            }
        }
        part.len()
    }

    fn held_word_ends(&mut self, out: &mut Vec<u8>) {
        let held = mem::take(&mut self.token.held);
        self.word_ends(&held, out);
        self.token.held = held;
        self.token.clear();
    }

    fn word_ends(&mut self, word: &[u8], out: &mut Vec<u8>) {
        if word.len().max(self.token.bytes) > MAX_WORD_BYTES || !word::is_valid(word) {
            self.state = State::Invalid;
            return;
        }
        match self.hide.take() {
            Some(_) if word != b"null" => self.out.censor(self.masker.censor(), out),
            _ => self.out.word(word, out),
        }
        self.state = self.behind();
    }
}

impl fmt::Debug for JsonMasker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("JsonMasker");
        debug.field("state", &self.state).field("depth", &self.stack.depth()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
