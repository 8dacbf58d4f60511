//! Which of the values of a document are hidden: by name, by path, and by not being allowed.

use super::path::{Places, Rule, Step};
use crate::Masker;
use crate::names::Hide;

/// The deepest level at which paths are followed; deeper ones are hidden where there are paths.
pub(super) const MAX_PATH_DEPTH: usize = 1024;

/// Where in the document we are.
pub(super) struct Place {
    /// Whether names alone decide, so that there is nothing to remember.
    by_name: bool,
    levels: Vec<Level>,
    /// The level that the next value opens, if it does.
    next: Places,
    /// The depth of the allowed value that we are in.
    shown: Option<usize>,
}

struct Level {
    places: Places,
    item: usize,
}

impl Place {
    pub(super) fn new(masker: &Masker) -> Self {
        let by_name = masker.paths().is_empty() && !masker.names().hides_others();
        Self { by_name, levels: Vec::new(), next: masker.paths().root(), shown: None }
    }

    /// How the value under this name is hidden, if it is.
    #[inline]
    pub(super) fn name(&mut self, masker: &Masker, name: &[u8]) -> Option<Hide> {
        let hide = masker.names().hides(name);
        if self.by_name { hide } else { self.step(masker, Step::Name(name), hide) }
    }

    /// How the next item of an array is hidden, if it is.
    #[inline]
    pub(super) fn item(&mut self, masker: &Masker) -> Option<Hide> {
        if self.by_name {
            return None;
        }
        let level = self.levels.last_mut();
        let item = level.map_or(0, |level| {
            level.item += 1;
            level.item - 1
        });
        let hide = masker.names().hides_others().then_some(Hide::OTHERS);
        self.step(masker, Step::Item(item), hide)
    }

    /// How the document itself is hidden, if it is no object or array.
    pub(super) fn root(&mut self, masker: &Masker) -> Option<Hide> {
        (self.levels, self.shown, self.next) = (Vec::new(), None, masker.paths().root());
        masker.names().hides_others().then_some(Hide::OTHERS)
    }

    fn step(&mut self, masker: &Masker, step: Step<'_>, hide: Option<Hide>) -> Option<Hide> {
        let from = self.levels.last().map(|level| level.places).unwrap_or_default();
        let (next, rule) = masker.paths().step(from, step);
        self.next = next;
        match rule {
            Some(Rule::Hide(hide)) => Some(hide),
            Some(Rule::Show) => None,
            None if self.shown.is_some() => hide.filter(|hide| *hide != Hide::OTHERS),
            None => hide,
        }
    }

    /// Opens the value that was judged last, an object or an array at this depth, and says how it is hidden as
    /// a whole, if it is.
    #[inline]
    pub(super) fn open(&mut self, depth: usize, hide: Option<Hide>) -> Option<Hide> {
        if self.by_name {
            return hide;
        }
        if hide.is_none() && depth > 0 {
            self.shown = self.shown.or(Some(depth));
        }
        let hide = hide.filter(|hide| *hide != Hide::OTHERS);
        if self.levels.len() == MAX_PATH_DEPTH {
            return hide.or(Some(Hide::default()));
        }
        self.levels.push(Level { places: self.next, item: 0 });
        hide
    }

    /// Closes the object or array at this depth.
    #[inline]
    pub(super) fn close(&mut self, depth: usize) {
        if !self.by_name {
            self.levels.truncate(depth);
            self.shown = self.shown.filter(|shown| *shown < depth);
        }
    }
}
