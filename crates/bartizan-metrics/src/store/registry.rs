//! From the names in the code to the families on the page.

mod define;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use metrics::Unit;

use super::buckets::Rules;
use super::cell::{Cell, Kind};
use super::external::ExternalError;
use super::family::{Family, Histograms, sample_names};
use super::histogram::Shared;
use super::own::{Own, Refusal};
use super::{labels, names};

pub use self::define::MetricError;
pub(crate) use self::define::{Custom, check_name};

/// Longest help text kept, in bytes.
const MAX_HELP: usize = 1024;

/// All metrics. Reached once for each new series, never by a handle.
#[derive(Debug)]
pub(crate) struct Registry {
    rules: Rules,
    /// Of all histograms.
    pub(crate) shared: Arc<Shared>,
    max_names: usize,
    pub(crate) own: Own,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Help and unit by the name in the code.
    descriptions: HashMap<String, Description>,
    /// What became of each name in the code.
    names: HashMap<String, Result<Arc<Family>, Refusal>>,
    /// By the name on the page.
    families: BTreeMap<String, Shown>,
    /// The names of all samples that the families write.
    samples: HashSet<String>,
}

#[derive(Debug)]
struct Description {
    help: Arc<str>,
    unit: Option<Unit>,
}

#[derive(Debug)]
struct Shown {
    family: Arc<Family>,
    help: Option<Arc<str>>,
}

/// One family as a page needs it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) family: Arc<Family>,
    pub(crate) help: Option<Arc<str>>,
    /// Whether OpenMetrics may call it a counter: that takes the name without `_total` too.
    pub(crate) base_is_free: bool,
}

impl Registry {
    pub(crate) fn new(rules: Rules, max_names: usize, max_natives: usize) -> Self {
        // The store itself has no histograms.
        let none = Arc::new(Shared::new(0, Arc::default()));
        let none = Histograms { buckets: rules.default.clone(), native: false, shared: none };
        let (own, families) = Own::new(&none);
        let shared = Arc::new(Shared::new(max_natives, own.natives_refused.clone()));
        let mut state = State::default();
        for (family, help) in families {
            state.show(family, Some(help.into()));
        }
        Self { rules, shared, max_names, own, state: RwLock::new(state) }
    }

    /// Keeps the first description of a name.
    pub(crate) fn describe(&self, raw: &str, unit: Option<Unit>, help: &str) {
        let known = |state: &State| state.descriptions.contains_key(raw);
        if known(&self.state.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if known(&state) {
            return;
        }
        if raw.len() > names::MAX_NAME || state.descriptions.len() >= self.max_names {
            return;
        }
        let help: Arc<str> = labels::cut(help, MAX_HELP).into();
        if let Some(Ok(family)) = state.names.get(raw).cloned()
            && let Some(shown) = state.families.get_mut(&family.name)
        {
            shown.help.get_or_insert_with(|| help.clone());
        }
        state.descriptions.insert(raw.to_owned(), Description { help, unit });
    }

    /// The family of a name, made if it is new; `None`, and counted, if it cannot be.
    pub(crate) fn family(&self, raw: &str, kind: Kind) -> Option<Arc<Family>> {
        let known = |state: &State| state.names.get(raw).cloned();
        let mut found = known(&self.state.read().unwrap_or_else(PoisonError::into_inner));
        if found.is_none() {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have been first.
            found = known(&state);
            if found.is_none() {
                if let Some(why) = self.no_room(&state, raw) {
                    drop(state);
                    self.own.refuse(None, why);
                    return None;
                }
                let made = state.make(self, raw, kind, Custom::default());
                state.names.insert(raw.to_owned(), made.clone());
                found = Some(made);
            }
        }
        match found? {
            Ok(family) if family.kind.takes(kind) => return Some(family),
            Ok(_) => self.own.refuse(Some(raw), Refusal::Kind),
            Err(why) => self.own.refuse(Some(raw), why),
        }
        None
    }

    fn no_room(&self, state: &State, raw: &str) -> Option<Refusal> {
        if raw.is_empty() || raw.len() > names::MAX_NAME {
            return Some(Refusal::BadName);
        }
        (state.names.len() >= self.max_names).then_some(Refusal::TooManyNames)
    }

    /// Shows a value that is kept elsewhere.
    pub(crate) fn external(&self, name: &str, help: &str, cell: Cell) -> Result<(), ExternalError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let taken = || ExternalError::Taken { name: name.to_owned() };
        if state.names.contains_key(name) || state.clashes(name, cell.kind()) {
            return Err(taken());
        }
        if state.names.len() >= self.max_names {
            return Err(ExternalError::TooMany { name: name.to_owned(), limit: self.max_names });
        }
        let family = Arc::new(Family::external(name, cell, self.histograms_by_default()));
        // So that code which registers the same name finds it taken.
        state.names.insert(name.to_owned(), Err(Refusal::NameClash));
        state.show(family, Some(labels::cut(help, MAX_HELP).into()));
        Ok(())
    }

    /// How a histogram is made that no rule names.
    pub(crate) fn histograms_by_default(&self) -> Histograms {
        Histograms { buckets: self.rules.default.clone(), native: false, shared: self.shared.clone() }
    }

    fn histograms(&self, raw: &str, name: &str) -> Histograms {
        let buckets = self.rules.find(raw, name).clone();
        Histograms { buckets, native: self.rules.is_native(raw, name), shared: self.shared.clone() }
    }

    /// All families, sorted by name.
    pub(crate) fn views(&self) -> Vec<View> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let view = |Shown { family, help }: &Shown| {
            let base = names::counter_base(&family.name, family.kind);
            View {
                base_is_free: base != family.name && !state.samples.contains(base),
                family: family.clone(),
                help: help.clone(),
            }
        };
        state.families.values().map(view).collect()
    }
}

impl State {
    fn make(
        &mut self,
        registry: &Registry,
        raw: &str,
        kind: Kind,
        custom: Custom,
    ) -> Result<Arc<Family>, Refusal> {
        let description = self.descriptions.get(raw);
        let help = description.map(|description| description.help.clone());
        let exposed = names::exposed(raw, description.and_then(|description| description.unit), kind);
        if let Some(Shown { family, .. }) = self.families.get(&exposed.name)
            && family.kind.takes(kind)
            && !family.closed
        {
            // Two spellings of one name: `a.b` and `a_b`.
            return Ok(family.clone());
        }
        if self.clashes(&exposed.name, kind) {
            return Err(Refusal::NameClash);
        }
        let histograms = registry.histograms(raw, &exposed.name);
        let family = Arc::new(Family::new(exposed, kind, histograms).with(custom));
        self.show(family.clone(), help);
        Ok(family)
    }

    fn clashes(&self, name: &str, kind: Kind) -> bool {
        sample_names(name, kind).iter().any(|name| self.samples.contains(name))
    }

    fn show(&mut self, family: Arc<Family>, help: Option<Arc<str>>) {
        self.samples.extend(sample_names(&family.name, family.kind));
        self.families.insert(family.name.clone(), Shown { family, help });
    }
}
