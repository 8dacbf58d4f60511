//! Random JSON, and what has to come out of it.

use std::fmt::Write as _;

use super::{DIGITS, Plant};

/// Pieces of strings that mean nothing to a masker.
const PIECES: &[&str] = &[
    "order",
    " ",
    "Zürich",
    "\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\u00e9",
    "\\ud83d\\ude00",
    "😀",
    "a/b",
    "1.5",
    "{",
    "]",
    ",",
    "€",
    "token ",
    "'",
    "\u{7f}",
    "<b>",
];

impl Plant {
    pub(super) fn json_object(&mut self, body: &mut String, masked: &mut String, depth: usize) {
        self.mark("{", body, masked);
        for n in 0..self.random.between(0, 5) {
            if n > 0 {
                self.mark(",", body, masked);
            }
            if self.random.below(5) < 2 {
                let name = self.name();
                let name = self.escape_some(&name);
                let _ = write!(masked, "\"{name}\":\"[REDACTED]\"");
                let _ = write!(body, "\"{name}\"");
                self.blank(body);
                body.push(':');
                self.blank(body);
                self.json_secret(body, 2);
            } else {
                let name = format!("\"n{}{n}\"", self.random.letter());
                self.mark(&name, body, masked);
                self.mark(":", body, masked);
                self.json_value(body, masked, depth);
            }
        }
        self.mark("}", body, masked);
    }

    fn json_value(&mut self, body: &mut String, masked: &mut String, depth: usize) {
        match self.random.below(if depth == 0 { 4 } else { 7 }) {
            0 => {
                let number = format!("{}", self.random.below(9000));
                self.mark(&number, body, masked);
            }
            1 => {
                let word =
                    self.random.pick(&["true", "false", "null", "-0.5e+3", "0", "\"\"", "1E-2"]).copied();
                self.mark(word.unwrap_or("0"), body, masked);
            }
            2 | 3 => {
                let string = self.json_string();
                self.mark(&string, body, masked);
            }
            4 => {
                self.mark("[", body, masked);
                for n in 0..self.random.between(0, 4) {
                    if n > 0 {
                        self.mark(",", body, masked);
                    }
                    self.json_value(body, masked, depth - 1);
                }
                self.mark("]", body, masked);
            }
            _ => self.json_object(body, masked, depth - 1),
        }
    }

    fn json_string(&mut self) -> String {
        let mut string = String::from("\"");
        for _ in 0..self.random.between(0, 6) {
            string.push_str(self.random.pick(PIECES).copied().unwrap_or_default());
        }
        string + "\""
    }

    /// A secret that is a string, a number, a list or an object.
    fn json_secret(&mut self, body: &mut String, depth: usize) {
        match self.random.below(if depth == 0 { 3 } else { 6 }) {
            0 => body.push_str(&DIGITS.repeat(2)),
            1 => {
                let piece = self.random.pick(PIECES).copied().unwrap_or_default();
                let _ = write!(body, "\"{piece}{}\\\"{piece}{}\"", self.secret(), self.secret());
            }
            2 => {
                let _ = write!(body, "\"{}\"", self.secret());
            }
            3 => {
                let _ = write!(body, "[\"{}\", ", self.secret());
                self.json_secret(body, depth - 1);
                body.push(']');
            }
            _ => {
                let _ = write!(body, "{{\"{}\":\"{}\",\"]\" : ", self.secret(), self.secret());
                self.json_secret(body, depth - 1);
                body.push('}');
            }
        }
    }

    /// A name with some letters escaped.
    fn escape_some(&mut self, name: &str) -> String {
        let chars = name.chars();
        chars
            .map(
                |char| {
                    if self.random.below(9) == 0 {
                        format!("\\u{:04x}", u32::from(char))
                    } else {
                        char.into()
                    }
                },
            )
            .collect()
    }

    /// Writes what comes out as it is, and white space that does not.
    fn mark(&mut self, part: &str, body: &mut String, masked: &mut String) {
        masked.push_str(part);
        body.push_str(part);
        self.blank(body);
    }

    fn blank(&mut self, body: &mut String) {
        body.push_str(match self.random.below(12) {
            0 => " ",
            1 => "\n\t",
            2 => "\r\n  ",
            _ => "",
        });
    }
}
