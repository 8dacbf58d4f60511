//! The objects and arrays that are open, one bit each.

/// The deepest nesting.
pub(super) const MAX_DEPTH: usize = 32_768;

/// What a level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
}

#[derive(Default)]
pub(super) struct Stack {
    /// 1 for an object, 0 for an array.
    bits: Vec<u64>,
    depth: usize,
}

impl Stack {
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Opens a level; `false` when that is one too many.
    pub(super) fn push(&mut self, kind: Kind) -> bool {
        if self.depth == MAX_DEPTH {
            return false;
        }
        let (word, bit) = place(self.depth);
        if word == self.bits.len() {
            self.bits.push(0);
        }
        if let Some(word) = self.bits.get_mut(word) {
            *word = if kind == Kind::Object { *word | bit } else { *word & !bit };
        }
        self.depth += 1;
        true
    }

    pub(super) fn top(&self) -> Option<Kind> {
        let (word, bit) = place(self.depth.checked_sub(1)?);
        Some(if self.bits.get(word)? & bit == 0 { Kind::Array } else { Kind::Object })
    }

    pub(super) fn pop(&mut self) -> Option<Kind> {
        let top = self.top()?;
        self.depth -= 1;
        Some(top)
    }
}

fn place(level: usize) -> (usize, u64) {
    (level / 64, 1 << (level % 64))
}
