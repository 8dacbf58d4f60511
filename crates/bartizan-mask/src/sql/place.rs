//! Where in a statement values stand: there a word in quotation marks is more likely a string than a name.

/// After these words come values.
const VALUES: &[&str] = &[
    "between", "else", "escape", "glob", "ilike", "in", "interval", "like", "limit", "match", "offset",
    "regexp", "rlike", "then", "value", "values", "when",
];

/// With these words a part of the statement begins that names things.
const NAMES: &[&str] = &[
    "and",
    "as",
    "asc",
    "by",
    "column",
    "conflict",
    "constraint",
    "create",
    "cross",
    "delete",
    "desc",
    "distinct",
    "end",
    "from",
    "full",
    "group",
    "having",
    "index",
    "inner",
    "insert",
    "into",
    "join",
    "key",
    "left",
    "natural",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "references",
    "returning",
    "right",
    "select",
    "set",
    "table",
    "union",
    "update",
    "using",
    "where",
    "with",
];

/// How far the values go that were begun last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    depth: u32,
    values: Option<Values>,
    /// The `and` of a `between` is still to come.
    between: bool,
}

#[derive(Clone, Copy, Debug)]
struct Values {
    /// How many brackets were open.
    depth: u32,
    /// A comma goes on to the next one.
    list: bool,
}

impl Place {
    pub(super) fn is_values(&self) -> bool {
        self.values.is_some()
    }

    pub(super) fn word(&mut self, word: &[u8]) {
        let is_in = |words: &[&str]| words.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
        if is_in(VALUES) {
            self.between |= word.eq_ignore_ascii_case(b"between");
            self.values = Some(Values { depth: self.depth, list: true });
        } else if self.between && word.eq_ignore_ascii_case(b"and") {
            self.between = false;
        } else if is_in(NAMES) {
            self.values = None;
        }
    }

    pub(super) fn symbol(&mut self, byte: u8) {
        match byte {
            b'(' | b'[' => self.depth = self.depth.saturating_add(1),
            b')' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                let depth = self.depth;
                self.values = self.values.filter(|values| values.depth <= depth);
            }
            b',' => {
                let depth = self.depth;
                self.values = self.values.filter(|values| values.list || depth > values.depth);
            }
            b';' => *self = Self::default(),
            b'=' | b'<' | b'>' | b'!' | b'~' | b'|' | b'%' | b'+' | b'*' | b'/' | b'-' | b'^' | b'&'
            | b'#' => {
                let values = Values { depth: self.depth, list: false };
                self.values = Some(self.values.unwrap_or(values));
            }
            _ => {}
        }
    }
}
