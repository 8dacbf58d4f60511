//! The series of one metric by their labels, found without an allocation.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use metrics::{Key, KeyName, Label};

use super::labels::LabelSet;
use crate::store::{MAX_LABELS, MAX_VALUE, cut};

/// Whatever else happens, there are never more entries than this.
const MAX_ENTRIES: usize = 100_000;

thread_local! {
    /// The text that is looked up is put together here.
    static TEXT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Handles by label set. It holds what has a series of its own, so the store's caps bound it.
#[derive(Debug)]
pub(super) struct Cache<T>(RwLock<HashMap<Box<[u8]>, T>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Clone> Cache<T> {
    /// The entry of a label set; `make` tells whether what it made may be kept.
    pub(super) fn get_or_make(&self, labels: &dyn LabelSet, make: impl FnOnce() -> (T, bool)) -> T {
        // Taken, not borrowed: a label set could look something up itself.
        let mut text = TEXT.take();
        text.clear();
        let mut count = 0;
        labels.each(&mut |name, value| {
            count += 1;
            if count <= MAX_LABELS {
                for part in [name, cut(value, MAX_VALUE)] {
                    text.extend_from_slice(part.as_bytes());
                    // A byte that no text has.
                    text.push(0xff);
                }
            }
        });
        let found = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&*text).cloned();
        let entry = found.unwrap_or_else(|| {
            let (new, keep) = make();
            if keep {
                let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
                if entries.len() < MAX_ENTRIES {
                    entries.insert(text.as_slice().into(), new.clone());
                }
            }
            new
        });
        TEXT.set(text);
        entry
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}

/// The store's key of a label set, with labels of our own in front: of two equal names the first counts.
pub(super) fn key(name: &KeyName, own: &[(&'static str, &'static str)], labels: &dyn LabelSet) -> Key {
    let mut all: Vec<Label> =
        own.iter().map(|&(name, value)| Label::from_static_parts(name, value)).collect();
    labels.each(&mut |name, value| {
        if all.len() < MAX_LABELS {
            all.push(Label::new(name.to_owned(), cut(value, MAX_VALUE).to_owned()));
        }
    });
    Key::from_parts(name.clone(), all)
}
