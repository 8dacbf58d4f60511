//! SQL statements: literals replaced, comments dropped, cut.

use std::fmt;

use memchr::{memchr, memchr2, memmem};

use crate::Masker;

mod lex;
mod place;
mod write;

use self::lex::{is_name, is_word, opens, opens_any, quoted_end, run, trimmed};
use self::place::Place;
use self::write::Cut;

/// What stands for a literal, and for all that cannot be told from one.
const LITERAL: &str = "?";

impl Masker {
    /// The longest statement that [`sql`](Self::sql) writes, in characters; a longer one is cut, and ends in `...`.
    pub const MAX_SQL_CHARS: usize = 200;

    /// Writes an SQL statement with every literal replaced by `?`; returns how many that were.
    ///
    /// Literals are strings (`'..'`, `E'..'`, `N'..'`, `x'..'`, `U&'..'`, `$tag$..$tag$`) and numbers. Names, also in
    /// backticks or quotation marks, and parameters (`$1`, `?`, `:name`, `@name`) are kept. Comments are dropped, and
    /// white space becomes one blank. What is written has at most [`MAX_SQL_CHARS`](Self::MAX_SQL_CHARS) characters.
    ///
    /// PostgreSQL, MySQL, MariaDB and SQLite are read, and nobody says which. Where they disagree on where a literal ends (a
    /// backslash before a quotation mark, `#`, `--` without a blank), all that follows is one `?`; so is what follows a
    /// literal or comment that is never closed. `"x"` is a string for MySQL and a name for the others: it is kept where a
    /// name is likely, and replaced after an operator, in a list of values, where it looks like no name, and in
    /// statements with backticks.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    ///
    /// ```
    /// let mut out = String::new();
    /// let sql = "SELECT * FROM \"users\" -- by mail\nWHERE mail = 'ada@example.org' AND age > 36 LIMIT $1";
    /// let masked = bartizan_mask::Masker::default().sql(sql, &mut out)?;
    /// assert_eq!(out, "SELECT * FROM \"users\" WHERE mail = ? AND age > ? LIMIT $1");
    /// assert_eq!(masked, 2);
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn sql<W>(&self, statement: &str, mut out: &mut W) -> Result<usize, fmt::Error>
    where
        W: fmt::Write + ?Sized,
    {
        let text = statement.as_bytes();
        let mut scanner = Scanner {
            statement,
            text,
            at: 0,
            masked: 0,
            place: Place::default(),
            backticks: memchr(b'`', text).is_some(),
            line_end: 0,
            out: Cut::new(&mut out),
        };
        while let Some(byte) = scanner.next() {
            if !scanner.out.has_room() {
                break;
            }
            scanner.token(byte);
        }
        self.count(scanner.masked);
        scanner.out.end().map(|()| scanner.masked)
    }
}

struct Scanner<'a> {
    statement: &'a str,
    text: &'a [u8],
    at: usize,
    masked: usize,
    place: Place,
    /// The statement is MySQL's: `"` is a string.
    backticks: bool,
    /// Where the line ends that may be a comment to some: no literal may go past it.
    line_end: usize,
    out: Cut<'a>,
}

impl Scanner<'_> {
    /// The next byte that is not white space.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, 0..=b' ' | 0x7f)).count();
        if blanks > 0 {
            self.out.blank();
        }
        self.at += blanks;
        rest.get(blanks).copied()
    }

    fn token(&mut self, byte: u8) {
        match (byte, self.peek(1)) {
            (b'\'', _) => self.literal(self.at + 1, false),
            (b'"', _) => self.quoted_name(b'"'),
            (b'`', _) => self.quoted_name(b'`'),
            (b'$', _) => self.dollar(),
            (b'-', Some(b'-')) => self.dashes(),
            (b'#', _) => self.hash(),
            (b'/', Some(b'*')) => self.comment(),
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => self.number(),
            (b'?', _) => self.keep(1 + run(self.text, self.at + 1, |byte| byte.is_ascii_digit())),
            (byte, _) if is_word(byte) => self.word(),
            (byte, _) => {
                self.place.symbol(byte);
                self.keep(1);
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Writes so many bytes as they are. They begin and end at ASCII bytes, or at the ends of a word.
    fn keep(&mut self, bytes: usize) {
        self.out.push(self.statement.get(self.at..self.at + bytes).unwrap_or_default());
        self.at += bytes;
    }

    /// Writes `?` in place of all up to `end`; where nobody knows the end, in place of all that is left.
    fn mask(&mut self, end: Option<usize>) {
        let crossing = self.at < self.line_end && end.is_some_and(|end| end > self.line_end);
        self.out.push(LITERAL);
        self.masked += 1;
        self.at = end.filter(|_| !crossing).unwrap_or(self.text.len());
    }

    /// A string whose first character is at `open`.
    fn literal(&mut self, open: usize, escapes: bool) {
        self.mask(quoted_end(self.text, open, b'\'', escapes));
    }

    fn quoted_name(&mut self, mark: u8) {
        let Some(end) = quoted_end(self.text, self.at + 1, mark, false) else { return self.mask(None) };
        let name = self.text.get(self.at + 1..end - 1).unwrap_or_default();
        let dotted = |byte: Option<&u8>| byte == Some(&b'.');
        let qualified =
            dotted(self.text.get(end)) || dotted(self.at.checked_sub(1).and_then(|at| self.text.get(at)));
        let likely = mark == b'`' || (!self.backticks && (qualified || !self.place.is_values()));
        if likely && is_name(name) {
            self.keep(end - self.at);
        } else {
            // A backtick quotes nothing to PostgreSQL.
            self.mask(Some(end).filter(|_| mark == b'"' || !opens_any(name)));
        }
    }

    /// A parameter, `$1`, or a string in dollars.
    fn dollar(&mut self) {
        let digits = run(self.text, self.at + 1, |byte| byte.is_ascii_digit());
        if digits > 0 {
            return self.keep(1 + digits);
        }
        let tag = 1 + run(self.text, self.at + 1, |byte| is_word(byte) && byte != b'$');
        if self.peek(tag) != Some(b'$') {
            return self.keep(tag);
        }
        let open = self.at + tag + 1;
        let tag = self.text.get(self.at..open).unwrap_or_default();
        let close = memmem::find(self.text.get(open..).unwrap_or_default(), tag);
        let end = close.map(|close| open + close + tag.len());
        // To the others this is a name, and what is inside is read as ever.
        let inside = end.and_then(|end| self.text.get(open..end - tag.len())).unwrap_or_default();
        self.mask(end.filter(|_| !opens_any(inside)));
    }

    fn number(&mut self) {
        let mut end = self.at;
        while let Some(byte) = self.text.get(end) {
            let sign = matches!(byte, b'+' | b'-')
                && matches!(self.text.get(end - 1), Some(b'e' | b'E'))
                && self.text.get(end + 1).is_some_and(u8::is_ascii_digit);
            if !(is_word(*byte) || byte.is_ascii_digit() || *byte == b'.' || sign) {
                break;
            }
            end += 1;
        }
        self.mask(Some(end));
    }

    fn word(&mut self) {
        let length = run(self.text, self.at, |byte| is_word(byte) || byte.is_ascii_digit());
        let word = self.text.get(self.at..self.at + length).unwrap_or_default();
        match (word, self.peek(length), self.peek(length + 1)) {
            (b"e" | b"E", Some(b'\''), _) => return self.literal(self.at + 2, true),
            (b"b" | b"B" | b"n" | b"N" | b"x" | b"X", Some(b'\''), _) => {
                return self.literal(self.at + 2, false);
            }
            (b"u" | b"U", Some(b'&'), Some(b'\'')) => return self.literal(self.at + 3, false),
            // Oracle's own quotation marks.
            (b"q" | b"Q" | b"nq" | b"NQ" | b"nQ" | b"Nq", Some(b'\''), _) => return self.mask(None),
            _ => {}
        }
        self.place.word(word);
        self.keep(length);
    }

    /// `--`: a comment, but for MySQL only with a blank behind it.
    fn dashes(&mut self) {
        let end = self.line();
        let line = self.text.get(self.at + 2..end).unwrap_or_default();
        // To some a lone carriage return ends a line.
        let certain = line.first().is_none_or(|byte| *byte <= b' ') && memchr(b'\r', trimmed(line)).is_none();
        self.drop_line(end, line, certain);
    }

    /// `#`: a comment to MySQL, an operator to PostgreSQL.
    fn hash(&mut self) {
        let end = self.line();
        if matches!(self.peek(1), Some(b'>' | b'-')) {
            self.line_end = end;
            self.place.symbol(b'#');
            return self.keep(1);
        }
        self.drop_line(end, self.text.get(self.at + 1..end).unwrap_or_default(), false);
    }

    fn line(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        memchr(b'\n', rest).map_or(self.text.len(), |offset| self.at + offset)
    }

    fn drop_line(&mut self, end: usize, line: &[u8], certain: bool) {
        if certain || !opens_any(line) {
            self.out.blank();
            self.at = end;
        } else {
            self.mask(None);
        }
    }

    /// A comment in slashes. To PostgreSQL they nest, and MySQL executes what begins with `!`.
    fn comment(&mut self) {
        let (mut at, mut depth, mut nested) = (self.at + 2, 1_u32, self.peek(2) == Some(b'!'));
        while depth > 0 {
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(offset) = memchr2(b'*', b'/', rest) else { return self.mask(None) };
            let pair = rest.get(offset..offset + 2);
            at += offset + if matches!(pair, Some(b"*/" | b"/*")) { 2 } else { 1 };
            match pair {
                Some(b"*/") => depth -= 1,
                Some(b"/*") => (depth, nested) = (depth + 1, true),
                _ => {}
            }
        }
        let inside = self.text.get(self.at + 2..at).unwrap_or_default();
        let crossing = self.at < self.line_end && at > self.line_end;
        if crossing
            || (nested && (opens(inside) || memmem::find(inside, b"--").is_some() || inside.contains(&b'#')))
        {
            self.mask(None);
        } else {
            self.out.blank();
            self.at = at;
        }
    }
}

#[cfg(test)]
mod tests;
