//! Markdown: tables, and the places in the README where they go.

use std::fmt::Write;
use std::path::Path;

use crate::stacks::{self, Stack};

/// What a command that measures is told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How often each time is measured.
    pub rounds: Option<usize>,
    write: bool,
    names: Vec<String>,
}

impl Options {
    /// Reads arguments.
    pub fn read(arguments: &[&str]) -> Self {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match *argument {
                "--rounds" => options.rounds = Some(arguments.next().unwrap().parse().unwrap()),
                "--write" => options.write = true,
                name => options.names.push(stacks::named(name).name.to_owned()),
            }
        }
        options
    }

    /// The stacks that are named, or all.
    pub fn stacks(&self) -> Vec<Stack> {
        stacks::all()
            .filter(|stack| self.names.is_empty() || self.names.iter().any(|name| name == stack.name))
            .collect()
    }

    /// Measures, prints the result, and puts it into the README if that is wanted.
    pub fn publish(&self, section: &str, measure: impl FnOnce(&Self) -> String) {
        let result = measure(self);
        println!("{result}");
        if self.write {
            let here = Path::new(env!("CARGO_MANIFEST_DIR"));
            for readme in [here.join("README.md"), here.join("../../README.md")] {
                let text = std::fs::read_to_string(&readme).unwrap();
                std::fs::write(&readme, replaced(&text, section, &result)).unwrap();
            }
        }
    }
}

/// The text with the result between the section's markers; as it is where there are none.
fn replaced(text: &str, section: &str, result: &str) -> String {
    let (begin, end) = (format!("<!-- {section}: begin -->\n"), format!("<!-- {section}: end -->"));
    match text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1))) {
        Some((before, after)) => format!("{before}{begin}\n{result}\n{end}{after}"),
        None => text.to_owned(),
    }
}

/// A Markdown table; all columns but the first are numbers.
#[derive(Clone, Debug)]
pub struct Table(String);

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(headings.iter());
        table.0.push_str("|---|");
        table.0.push_str(&"--:|".repeat(headings.len() - 1));
        table.0.push('\n');
        table
    }

    /// Adds a row.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.0.push('|');
        for cell in cells {
            write!(self.0, " {} |", cell.as_ref()).unwrap();
        }
        self.0.push('\n');
    }

    /// The text.
    pub fn finish(self) -> String {
        self.0
    }
}

/// A whole number with spaces between thousands.
pub fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    if number <= -0.5 { format!("-{text}") } else { text }
}

/// The median of what was measured in several rounds.
pub fn median(measured: &[f64]) -> f64 {
    let mut sorted = measured.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least and the most of it.
pub fn range(measured: &[f64]) -> (f64, f64) {
    measured.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &x| (least.min(x), most.max(x)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(grouped(7.0), "7");
        assert_eq!(grouped(1088.4), "1 088");
        assert_eq!(grouped(-1_234_567.0), "-1 234 567");
        assert_eq!(grouped(median(&[3.0, 1.0, 2.0])), "2");
        assert_eq!(range(&[3.0, 1.0, 2.0]), (1.0, 3.0));
    }

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n";
        assert_eq!(replaced(text, "x", "new\n"), "a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n");
    }
}
