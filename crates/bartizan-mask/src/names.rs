//! The set of sensitive names, and the one question it answers.

use std::collections::BTreeMap;

use memchr::{memchr, memchr_iter, memchr2};

use crate::percent::decode;

mod endings;
mod hash;

use self::endings::Endings;
use self::hash::{Bits, SEED, mix, normal, unescaped};
pub(crate) use self::hash::{hash, normalise};

/// The longest name that is judged, percent-decoded; a longer one counts as sensitive.
pub(crate) const MAX_NAME_BYTES: usize = 128;

/// How many bytes of a name are looked at together.
const WORD: usize = 8;

/// How much of a name has to spell a sensitive one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// All of it, or its last `.` or `[]` segment: `pin`, `user.pin`, but not `gpio_pin`.
    Whole,
    /// Its last words: `ssn`, `user_ssn`, `customerSsn`, but not `ssn_valid`.
    Words,
    /// Its last letters: `password`, `new_password`, and `dbpassword` too.
    Letters,
}

/// How a value is hidden: the place of an action in the masker's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hide(pub(crate) u8);

impl Hide {
    /// A value that is hidden because no rule names it.
    pub(crate) const OTHERS: Self = Self(u8::MAX);
}

/// What the set knows of one normalised name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rule {
    /// `None` when the name is here only to be allowed.
    pub(crate) reach: Option<Reach>,
    /// A name that is exactly this one is shown, whatever it ends in.
    pub(crate) allowed: bool,
    pub(crate) hide: Hide,
}

/// What one rule says of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Show,
    Hide(Hide),
}

impl Verdict {
    fn hides(self) -> Option<Hide> {
        match self {
            Self::Show => None,
            Self::Hide(hide) => Some(hide),
        }
    }
}

/// The normalised names, by their hashes alone: a name that happens to share all 64 bits with one of
/// them is judged as that one.
pub(crate) struct Names {
    /// Sorted by hash.
    rules: Box<[(u64, Rule)]>,
    /// The hashes above.
    known: Bits,
    endings: Endings,
    longest: usize,
    /// What becomes of a value whose name no rule knows.
    others: Option<Hide>,
}

impl Names {
    /// Builds the set from [normalised](normalise) names.
    pub(crate) fn new(rules: BTreeMap<Box<[u8]>, Rule>) -> Self {
        let (mut known, mut endings, mut longest) = (Bits::default(), Endings::default(), 0);
        let mut rules: Box<[_]> = rules
            .into_iter()
            .map(|(name, rule)| {
                endings.add(&name);
                let hash = name.iter().rev().fold(SEED, |hash, byte| mix(hash, *byte));
                known.insert(hash);
                longest = longest.max(name.len());
                (hash, rule)
            })
            .collect();
        rules.sort_unstable_by_key(|(hash, _)| *hash);
        Self { rules, known, endings, longest, others: None }
    }

    /// Hides what no rule allows.
    pub(crate) fn hide_others(mut self) -> Self {
        self.others = Some(Hide::OTHERS);
        self.endings.open();
        self
    }

    #[inline]
    pub(crate) fn hides_others(&self) -> bool {
        self.others.is_some()
    }

    /// How many names are sensitive, and how many are allowed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let sensitive = self.rules.iter().filter(|(_, rule)| rule.reach.is_some()).count();
        (sensitive, self.rules.iter().filter(|(_, rule)| rule.allowed).count())
    }

    /// Whether the value under this name has to be hidden.
    #[inline]
    pub(crate) fn is_sensitive(&self, name: &[u8]) -> bool {
        self.hides(name).is_some()
    }

    /// How the value under this name has to be hidden, if it has.
    #[inline]
    pub(crate) fn hides(&self, name: &[u8]) -> Option<Hide> {
        self.judge(name, false)
    }

    /// As [`hides`](Self::hides), for a name without escapes and brackets.
    #[inline]
    pub(crate) fn hides_plain(&self, name: &[u8]) -> Option<Hide> {
        self.judge_plain(name, false)
    }

    /// Whether a rule allows this name.
    pub(crate) fn allows(&self, name: &[u8]) -> bool {
        self.verdict(name, false) == Some(Verdict::Show)
    }

    /// As [`hides`](Self::hides), for the name of a cookie: there `session` and the
    /// other whole names count as last words too (`laravel_session`, `__Host-auth`).
    pub(crate) fn hides_cookie(&self, name: &[u8]) -> Option<Hide> {
        self.judge(name, true)
    }

    /// As [`hides`](Self::hides), for all that stands before a delimiter in a value or a text.
    /// That may be no name but long data, so the end of it decides.
    pub(crate) fn hides_end(&self, run: &[u8]) -> Option<Hide> {
        let end = run.get(run.len().saturating_sub(MAX_NAME_BYTES)..)?;
        if memchr(b'\\', end).is_some() {
            // An escape has six bytes and more, where it is one of a string in a string.
            let end = unescaped(run.get(run.len().saturating_sub(8 * MAX_NAME_BYTES)..)?);
            return self.judge(end.get(end.len().saturating_sub(MAX_NAME_BYTES)..)?, false);
        }
        self.judge(end, false)
    }

    #[inline]
    fn judge(&self, name: &[u8], cookie: bool) -> Option<Hide> {
        if is_encoded(name) { self.judge_encoded(name, cookie) } else { self.judge_plain(name, cookie) }
    }

    /// Judges a name without escapes and brackets.
    #[inline]
    fn judge_plain(&self, name: &[u8], cookie: bool) -> Option<Hide> {
        if name.len() > MAX_NAME_BYTES {
            Some(Hide::default())
        } else if self.endings.may_match(name) {
            self.or_else_hide(self.verdict(name, cookie))
        } else {
            None
        }
    }

    /// What becomes of the value whose name has this verdict.
    fn or_else_hide(&self, verdict: Option<Verdict>) -> Option<Hide> {
        verdict.map_or(self.others, Verdict::hides)
    }

    /// Whether a sensitive name may end with this text, which has no escapes and no brackets.
    #[inline]
    pub(crate) fn may_end(&self, text: &[u8]) -> bool {
        self.endings.may_end(text)
    }

    /// Judges a name that is percent-encoded or has brackets.
    #[cold]
    fn judge_encoded(&self, name: &[u8], cookie: bool) -> Option<Hide> {
        let mut buffer = [0; MAX_NAME_BYTES];
        let (mut length, mut at) = (0, 0);
        while let Some((byte, next)) = decode(name, at) {
            let Some(slot) = buffer.get_mut(length) else { return Some(Hide::default()) };
            *slot = byte;
            (length, at) = (length + 1, next);
        }
        let name = buffer.get(..length).unwrap_or_default();
        let verdict = self.verdict(name, cookie).or_else(|| {
            // `token[value]`, `password[]`: what stands before a bracket names all that is inside.
            let brackets = memchr_iter(b'[', name);
            let mut verdicts = brackets.filter_map(|end| self.verdict(name.get(..end)?, cookie));
            verdicts.find(|verdict| *verdict != Verdict::Show)
        });
        self.or_else_hide(verdict)
    }

    /// Judges the name, then once more without a number at its end (`password2`).
    #[inline(never)]
    fn verdict(&self, name: &[u8], cookie: bool) -> Option<Verdict> {
        self.longest_match(name, cookie).or_else(|| {
            let number = |byte: &u8| normal(*byte) == 0 || byte.is_ascii_digit();
            name.last().filter(|last| number(last))?;
            self.longest_match(name.get(..=name.iter().rposition(|byte| !number(byte))?)?, cookie)
        })
    }

    /// The verdict of the longest rule that the end of this name spells, if there is one.
    ///
    /// The hash runs from the last byte to the first, so that it is the hash of every ending in turn.
    fn longest_match(&self, name: &[u8], cookie: bool) -> Option<Verdict> {
        let (mut hash, mut length) = (SEED, 0);
        let mut verdict = None;
        for (at, byte) in name.iter().enumerate().rev() {
            let byte = normal(*byte);
            if byte == 0 {
                continue;
            }
            (hash, length) = (mix(hash, byte), length + 1);
            if self.known.contains(hash) {
                verdict = self.decide(hash, name, at, cookie).or(verdict);
            }
            if length == self.longest {
                break;
            }
        }
        verdict
    }

    /// The verdict of the rule with this hash on the name whose end from `at` on has it.
    #[inline(never)]
    fn decide(&self, hash: u64, name: &[u8], at: usize, cookie: bool) -> Option<Verdict> {
        let rule = self.rules.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        let (_, rule) = self.rules.get(rule)?;
        let begins = Begins::at(name, at);
        if rule.allowed && begins == Begins::Segment {
            return Some(Verdict::Show);
        }
        let sensitive = match rule.reach? {
            Reach::Whole => begins == Begins::Segment || (cookie && begins == Begins::Word),
            Reach::Words => begins != Begins::Nothing,
            Reach::Letters => true,
        };
        sensitive.then_some(Verdict::Hide(rule.hide))
    }
}

/// Whether a name has to be decoded.
#[inline]
fn is_encoded(name: &[u8]) -> bool {
    let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) else {
        return name.iter().any(|byte| matches!(byte, b'%' | b'['));
    };
    if name.len() > 2 * WORD {
        return memchr2(b'%', b'[', name).is_some();
    }
    let [first, last] = [first, last].map(|word| u64::from_le_bytes(*word));
    has(first, b'%') | has(first, b'[') | has(last, b'%') | has(last, b'[') != 0
}

/// Not 0 where a byte of the word is this one. (Subtracting 1 borrows only from a byte that is 0.)
#[inline]
fn has(word: u64, byte: u8) -> u64 {
    let zero = word ^ u64::from_le_bytes([byte; WORD]);
    zero.wrapping_sub(u64::from_le_bytes([0x01; WORD])) & !zero & u64::from_le_bytes([0x80; WORD])
}

/// What begins at a byte of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Nothing,
    Word,
    Segment,
}

impl Begins {
    fn at(name: &[u8], at: usize) -> Self {
        let Some((&before, head)) = name.get(..at).and_then(<[u8]>::split_last) else { return Self::Segment };
        let is_separator = |byte: &u8| normal(*byte) == 0;
        if is_separator(&before) {
            let gap = head.iter().rev().take_while(|byte| is_separator(byte)).count();
            let in_segment = |byte: &u8| matches!(byte, b'-' | b'_' | b' ' | b'+');
            let word = gap < head.len() && in_segment(&before) && head.iter().rev().take(gap).all(in_segment);
            return if word { Self::Word } else { Self::Segment };
        }
        // `apiKey`, and `APIKey`: the last capital of a run begins the next word.
        let capital = name.get(at).is_some_and(u8::is_ascii_uppercase);
        let last_capital = || name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if capital && (!before.is_ascii_uppercase() || last_capital()) { Self::Word } else { Self::Nothing }
    }
}

#[cfg(test)]
mod tests;
