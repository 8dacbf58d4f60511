//! JSON: as a stream of chunks, and as a tree that is there already.

use std::fmt;
use std::mem;

use self::place::Place;
use self::run::At;
use self::stack::{Kind, Stack};
use self::token::Token;
use crate::Masker;
use crate::names::Hide;

mod path;
mod place;
mod run;
mod stack;
mod string;
mod token;
#[cfg(feature = "json")]
mod value;
mod word;
mod write;

pub(crate) use self::path::{MAX_SEGMENTS, Paths, Rule};
pub(crate) use self::string::escaped;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Masks a JSON document that comes in chunks, in bounded memory and without building a tree.
///
/// What stands under a sensitive name, or where a [path](crate::MaskerBuilder::path) leads, is replaced by the
/// censor as a whole, at any depth, objects and arrays included; `null` and `""` stay, which hide nothing. All other strings, and names too, are masked as
/// [`text`](Masker::text). Everything else stays as it is, without the white space between tokens.
/// Escapes in names are undone before they are judged (`"p\u0061ssword"`), and of a name that comes twice
/// each value is masked. A byte order mark is dropped; half a surrogate pair becomes `\ufffd`.
///
/// How the document is split into chunks makes no difference to the output. A document that is cut
/// anywhere is closed to a valid one: a string ends at the last whole character, and a number, a literal or a
/// name that is not complete is left out.
///
/// Limits: a string or a name of more than 64 KiB is replaced by its length, and a longer number than 512 bytes
/// or more than 32 768 levels of nesting count as invalid. With paths, what is nested deeper than 1024 levels is
/// hidden. Memory is one such string and one bit a level, with paths 32 bytes for each of the first 1024.
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
    place: Place,
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
    Begin(u8),
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
        let place = Place::new(&masker);
        Self { masker, lines, state, stack, token, out, hide: None, place, scratch: String::new() }
    }

    /// Takes the next chunk, of any length, and appends to `out` what can be told already.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while at < chunk.len() && self.state != State::Invalid {
            at = match self.state {
                State::String { name } => self.string(chunk, at, name, out),
                State::Word => self.word(chunk, at, out),
                _ => self.mark(chunk, at, out),
            };
        }
        self.out.chunk_ends(chunk, out);
        self.out.count(&self.masker);
    }

    /// Ends the document and appends what closes it. `cut` says that the chunks are known not to be all of it.
    #[must_use]
    pub fn finish(mut self, cut: bool, out: &mut Vec<u8>) -> JsonEnd {
        if self.state == State::Word && self.stack.depth() == 0 && !cut {
            self.held_word_ends(At::NOWHERE, out);
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
                if self.value_string(&raw, true, At::NOWHERE, out) { JsonEnd::Cut } else { JsonEnd::Invalid }
            }
            _ => JsonEnd::Cut,
        };
        if end == JsonEnd::Cut {
            while let Some(kind) = self.stack.pop() {
                self.out.close_cut(kind, self.stack.depth(), out);
            }
            self.out.nothing(out);
        }
        self.out.count(&self.masker);
        end
    }

    /// Takes what stands between strings and words: white space and punctuation. Says where that ends.
    #[inline]
    fn mark(&mut self, chunk: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
        let Some(&byte) = chunk.get(at) else { return at };
        self.state = match (self.state, byte) {
            // What comes most often comes first.
            (State::FirstName | State::Name, b'"') => {
                self.state = State::String { name: true };
                return self.string(chunk, at + 1, true, out);
            }
            (State::Value | State::FirstItem, b'"') => {
                self.begin_value();
                self.state = State::String { name: false };
                return self.string(chunk, at + 1, false, out);
            }
            (State::Colon, b':') => State::Value,
            (State::After, b',') => self.behind_comma(),
            (State::FirstName | State::After, b'}') => self.close(Kind::Object, At::byte(chunk, at), out),
            (State::FirstItem | State::After, b']') => self.close(Kind::Array, At::byte(chunk, at), out),
            (State::Begin(_) | State::End { .. }, _) => return self.around(chunk, at, out),
            (State::Value, 0x1E) if self.lines && self.stack.depth() == 0 => State::Value,
            (_, b' ' | b'\t' | b'\r' | b'\n') => {
                self.out.leave_out();
                return at + white(chunk.get(at..).unwrap_or_default());
            }
            (State::Value | State::FirstItem, byte) => return self.value(byte, chunk, at, out),
            _ => State::Invalid,
        };
        at + 1
    }

    /// Takes what stands before and behind a document. Says where that ends.
    fn around(&mut self, chunk: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
        let Some(&byte) = chunk.get(at) else { return at };
        self.out.leave_out();
        self.state = match (self.state, byte) {
            (State::Begin(n), byte) if BOM.get(usize::from(n)) == Some(&byte) => {
                if usize::from(n) + 1 < BOM.len() { State::Begin(n + 1) } else { State::Value }
            }
            (State::Begin(0), _) => {
                self.state = State::Value;
                return at;
            }
            (State::End { .. }, b'\n') => State::End { line: true },
            (State::End { .. }, 0x1E) if self.lines => State::End { line: true },
            (state @ State::End { .. }, b' ' | b'\t' | b'\r') => state,
            (State::End { line: true }, _) if self.lines => {
                self.out.line(chunk, out);
                self.state = State::Value;
                return at;
            }
            _ => State::Invalid,
        };
        at + 1
    }

    /// Judges a value by its place, where its name has not.
    #[inline]
    fn begin_value(&mut self) {
        if !self.out.is_silent() {
            match self.stack.top() {
                Some(Kind::Object) => {}
                Some(Kind::Array) => self.hide = self.place.item(&self.masker),
                None => self.hide = self.place.root(&self.masker),
            }
        }
    }

    /// The state behind a comma.
    #[inline]
    fn behind_comma(&self) -> State {
        if self.stack.top() == Some(Kind::Object) { State::Name } else { State::Value }
    }

    /// Takes the first byte of a value that is no string. Says where what was taken ends.
    fn value(&mut self, byte: u8, chunk: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
        self.begin_value();
        self.state = match byte {
            b'{' => self.open(Kind::Object, At::byte(chunk, at), out),
            b'[' => self.open(Kind::Array, At::byte(chunk, at), out),
            byte if word::begins(byte) => {
                self.state = State::Word;
                return self.word(chunk, at, out);
            }
            _ => State::Invalid,
        };
        at + 1
    }

    fn open(&mut self, kind: Kind, at: At<'_>, out: &mut Vec<u8>) -> State {
        if !self.out.is_silent() {
            let depth = self.stack.depth();
            match self.place.open(depth, self.hide.take()) {
                Some(hide) => {
                    self.out.hidden(&self.masker, hide, None, at, out);
                    self.out.be_silent(depth);
                }
                None => self.out.open(at, out),
            }
        }
        match (self.stack.push(kind), kind) {
            (false, _) => State::Invalid,
            (true, Kind::Object) => State::FirstName,
            (true, Kind::Array) => State::FirstItem,
        }
    }

    fn close(&mut self, kind: Kind, at: At<'_>, out: &mut Vec<u8>) -> State {
        if self.stack.pop() != Some(kind) {
            return State::Invalid;
        }
        self.place.close(self.stack.depth());
        self.out.close(self.stack.depth(), at, out);
        self.behind()
    }

    /// The state behind a value.
    #[inline]
    fn behind(&self) -> State {
        if self.stack.depth() == 0 { State::End { line: false } } else { State::After }
    }
}

/// How much white space the text begins with.
fn white(text: &[u8]) -> usize {
    let mut rest = text;
    while let [b' ' | b'\t' | b'\r' | b'\n', behind @ ..] = rest {
        rest = behind;
        // An indent.
        while let Some(behind) = rest.strip_prefix(&[b' '; 8]) {
            rest = behind;
        }
    }
    text.len() - rest.len()
}

impl fmt::Debug for JsonMasker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("JsonMasker");
        debug.field("state", &self.state).field("depth", &self.stack.depth()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
