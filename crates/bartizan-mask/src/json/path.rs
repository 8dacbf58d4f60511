//! Rules by path, such as `user.cards[*].number` and `**.pin`: one automaton for all of them.

use crate::names::{Hide, hash};

/// How many segments all paths together may have.
pub(crate) const MAX_SEGMENTS: usize = 127;

/// What a path says of the value that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Show,
    Hide(Hide),
}

enum Segment {
    /// A member by the hash of its name.
    Name(u64),
    /// `*`: any member.
    AnyName,
    /// `[7]`, or `[*]`: an item.
    Item(Option<usize>),
    /// `**`: any number of levels.
    AnyDepth,
    End(Rule),
}

/// One step down a document.
#[derive(Clone, Copy)]
pub(super) enum Step<'s> {
    Name(&'s [u8]),
    Item(usize),
}

/// Where in the paths we may be: one bit a segment that may come next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Places(u128);

/// The paths, one behind the other.
#[derive(Default)]
pub(crate) struct Paths {
    segments: Vec<Segment>,
    /// Where each path begins.
    starts: Vec<usize>,
}

impl Paths {
    /// Adds a path; `None` when it is not valid, or one too many.
    pub(crate) fn add(&mut self, path: &str, rule: Rule) -> Option<()> {
        self.starts.push(self.segments.len());
        let mut rest = path.strip_prefix("$.").or_else(|| path.strip_prefix('$')).unwrap_or(path);
        let start = self.segments.len();
        while !rest.is_empty() {
            let (segment, tail) = segment(rest)?;
            self.segments.push(segment);
            rest = tail;
        }
        let any = self.segments.get(start..)?.iter().any(|segment| !matches!(segment, Segment::AnyDepth));
        self.segments.push(Segment::End(rule));
        (any && self.segments.len() <= MAX_SEGMENTS + 1).then_some(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The places at the root of a document.
    pub(super) fn root(&self) -> Places {
        let (mut places, mut rule) = (Places::default(), None);
        self.starts.iter().for_each(|start| self.enter(*start, &mut places, &mut rule));
        places
    }

    /// Where this step leads, and what the paths say of the value there. Of two rules, the one that hides wins.
    pub(super) fn step(&self, from: Places, step: Step<'_>) -> (Places, Option<Rule>) {
        let (mut places, mut rule) = (Places::default(), None);
        let mut rest = from.0;
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let goes_on = match (self.segments.get(at), step) {
                (Some(Segment::Name(name)), Step::Name(step)) => *name == hash(step),
                (Some(Segment::AnyName), Step::Name(_)) => true,
                (Some(Segment::Item(item)), Step::Item(step)) => item.is_none_or(|item| item == step),
                (Some(Segment::AnyDepth), _) => {
                    self.enter(at, &mut places, &mut rule);
                    false
                }
                _ => false,
            };
            if goes_on {
                self.enter(at + 1, &mut places, &mut rule);
            }
        }
        (places, rule)
    }

    fn enter(&self, at: usize, places: &mut Places, rule: &mut Option<Rule>) {
        let mut at = at;
        loop {
            match self.segments.get(at) {
                Some(Segment::End(Rule::Show)) => *rule = rule.or(Some(Rule::Show)),
                Some(Segment::End(hide)) => *rule = Some(*hide),
                Some(_) => places.0 |= 1 << (at % 128),
                None => {}
            }
            if !matches!(self.segments.get(at), Some(Segment::AnyDepth)) {
                return;
            }
            at += 1;
        }
    }
}

/// Reads the first segment of a path; what follows it.
fn segment(path: &str) -> Option<(Segment, &str)> {
    if let Some(inside) = path.strip_prefix('[') {
        let (segment, tail) = if let Some(quoted) = inside.strip_prefix('"') {
            let (name, tail) = quoted.split_once("\"]")?;
            (Segment::Name(hash(name.as_bytes())), tail)
        } else {
            let (item, tail) = inside.split_once(']')?;
            (Segment::Item(if item == "*" { None } else { Some(item.parse().ok()?) }), tail)
        };
        return Some((segment, dot(tail)?));
    }
    let (name, tail) = path.split_at_checked(path.find(['.', '[']).unwrap_or(path.len()))?;
    let segment = match name {
        "**" => Segment::AnyDepth,
        "*" => Segment::AnyName,
        name if name.is_empty() || name.contains(['*', ']', '"']) => return None,
        name => Segment::Name(hash(name.as_bytes())),
    };
    Some((segment, dot(tail)?))
}

/// What follows the dot between two segments.
fn dot(tail: &str) -> Option<&str> {
    match tail.strip_prefix('.') {
        Some("") => None,
        Some(tail) => Some(tail),
        None => (tail.is_empty() || tail.starts_with('[')).then_some(tail),
    }
}
