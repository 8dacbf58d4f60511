//! The set of sensitive names, and the one question it answers.

use std::collections::BTreeMap;

use memchr::{memchr, memchr_iter};

use crate::kinds::{self, Kinds};
use crate::percent::decode;

mod hash;

use self::hash::{Bits, ENDING, SEED, mix, normal, packed, spread, unescaped};
pub(crate) use self::hash::{hash, normalise};

/// The longest name that is judged, percent-decoded; a longer one counts as sensitive.
pub(crate) const MAX_NAME_BYTES: usize = 128;

/// How far before a delimiter the last letters of a name are looked for, and how much of a number behind them is skipped; where they
/// are not found, there may be one.
const NEAR: usize = 8;
const NUMBER: usize = 24;

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
    /// The last three letters of every name: most other names are told apart by theirs.
    endings: Bits,
    /// Whether every name has three letters, so that `endings` knows all.
    has_endings: bool,
    longest: usize,
    /// What becomes of a value whose name no rule knows.
    others: Option<Hide>,
}

impl Names {
    /// Builds the set from [normalised](normalise) names.
    pub(crate) fn new(rules: BTreeMap<Box<[u8]>, Rule>) -> Self {
        let (mut known, mut endings, mut longest) = (Bits::default(), Bits::default(), 0);
        let mut has_endings = true;
        let mut rules: Box<[_]> = rules
            .into_iter()
            .map(|(name, rule)| {
                match name.last_chunk::<ENDING>() {
                    Some(ending) => endings.insert(spread(ending.iter().rev().copied().fold(0, packed))),
                    None => has_endings = false,
                }
                let hash = name.iter().rev().fold(SEED, |hash, byte| mix(hash, *byte));
                known.insert(hash);
                longest = longest.max(name.len());
                (hash, rule)
            })
            .collect();
        rules.sort_unstable_by_key(|(hash, _)| *hash);
        Self { rules, known, endings, has_endings, longest, others: None }
    }

    /// Hides what no rule allows.
    pub(crate) fn hide_others(mut self) -> Self {
        (self.others, self.has_endings) = (Some(Hide::OTHERS), false);
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

    /// As [`hides`](Self::hides), for a name whose kinds are known.
    #[inline]
    pub(crate) fn hides_of(&self, name: &[u8], kinds: Kinds) -> Option<Hide> {
        if kinds.any(Kinds::ENCODED) {
            self.judge_encoded(name, false)
        } else {
            self.judge_plain(name, false)
        }
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
        if Kinds::is_encoded(name) {
            self.judge_encoded(name, cookie)
        } else {
            self.judge_plain(name, cookie)
        }
    }

    /// Judges a name without escapes and brackets.
    #[inline]
    fn judge_plain(&self, name: &[u8], cookie: bool) -> Option<Hide> {
        if name.len() > MAX_NAME_BYTES {
            Some(Hide::default())
        } else if self.may_match(name) {
            self.or_else_hide(self.verdict(name, cookie))
        } else {
            None
        }
    }

    /// What becomes of the value whose name has this verdict.
    fn or_else_hide(&self, verdict: Option<Verdict>) -> Option<Hide> {
        verdict.map_or(self.others, Verdict::hides)
    }

    /// Whether the last letters of this name are those of a rule.
    #[inline]
    fn may_match(&self, name: &[u8]) -> bool {
        if let Some([third, second, last]) = name.last_chunk().map(|ending: &[u8; ENDING]| ending.map(normal))
            && third != 0
            && second != 0
            && last >= b'a'
        {
            let ending = [last, second, third].into_iter().fold(0, packed);
            return !self.has_endings || self.endings.contains(spread(ending));
        }
        self.may_match_apart(name)
    }

    /// As [`may_match`](Self::may_match), for a name that ends in a digit or has a separator near its end.
    fn may_match_apart(&self, name: &[u8]) -> bool {
        let (mut letters, mut ending) = (0, 0);
        for byte in name.iter().rev() {
            let byte = normal(*byte);
            if byte == 0 && letters > 0 {
                continue;
            }
            // A number at the end, which does not count.
            if letters == 0 && (byte == 0 || byte.is_ascii_digit()) {
                return true;
            }
            ending = packed(ending, byte);
            letters += 1;
            if letters == ENDING {
                return !self.has_endings || self.endings.contains(spread(ending));
            }
        }
        !self.has_endings
    }

    /// Whether [`hides`](Self::hides) may not say `None`, so that it is worth to remember what it says.
    #[inline]
    pub(crate) fn may_hide(&self, name: &[u8]) -> bool {
        self.hides_others() || name.len() > MAX_NAME_BYTES || Kinds::is_encoded(name) || self.may_match(name)
    }

    /// Whether no delimiter in a text comes behind what may be a sensitive name, or, where there may be user info, begins the
    /// authority of a URL. The text has no escapes and no brackets, so that the letters before a delimiter are the last ones of any
    /// name there.
    pub(crate) fn end_no_name_in(&self, text: &[u8], user_info: bool) -> bool {
        let (words, rest) = text.as_chunks::<8>();
        let start = text.len() - rest.len();
        self.has_endings
            && words.iter().enumerate().all(|(n, word)| {
                let mut found = kinds::bytes_of(*word, b'=') | kinds::bytes_of(*word, b':');
                while found != 0 {
                    if self.may_end_at(text, 8 * n + found.trailing_zeros() as usize / 8, user_info) {
                        return false;
                    }
                    found &= found - 1;
                }
                true
            })
            && rest
                .iter()
                .enumerate()
                .all(|(n, byte)| !matches!(byte, b'=' | b':') || !self.may_end_at(text, start + n, user_info))
    }

    /// Whether a sensitive name may end before this place, or user info may begin behind it.
    #[inline]
    fn may_end_at(&self, text: &[u8], at: usize, user_info: bool) -> bool {
        let (head, rest) = text.split_at_checked(at).unwrap_or_default();
        if rest.starts_with(b"://") { user_info } else { self.may_end(head) }
    }

    /// Whether the last letters of a text may be those of a rule, with a number behind them or without it.
    #[inline]
    fn may_end(&self, text: &[u8]) -> bool {
        let is_number = |byte: &&u8| normal(**byte) == 0 || byte.is_ascii_digit();
        let number = text.iter().rev().take(NUMBER).take_while(is_number).count();
        let named = text.get(..text.len() - number).unwrap_or_default();
        number == NUMBER || self.may_be_last(text) || (number > 0 && self.may_be_last(named))
    }

    /// Whether the last letters and digits of a text may be those of a rule, whatever stands between and behind them.
    #[inline]
    fn may_be_last(&self, text: &[u8]) -> bool {
        let (mut letters, mut ending) = (0, 0);
        for byte in text.iter().rev().take(NEAR) {
            let byte = normal(*byte);
            if byte == 0 {
                continue;
            }
            (letters, ending) = (letters + 1, packed(ending, byte));
            if letters == ENDING {
                return self.endings.contains(spread(ending));
            }
        }
        text.len() > NEAR
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
