//! The handles that were made with one recorder. What begins is found by the name of its route, what ends by where that was found.

use std::sync::OnceLock;

use bartizan_core::{KeyTable, Protocol, RouteTable};
use metrics::{Counter, Recorder};

use super::labelled::Labelled;
use super::labels::{FOLDED, Labels, Picked};
use super::names::{Begun, Naming, OVERFLOW, Series, Traits};

/// How many combinations the overflow series themselves may have.
const OVERFLOW_SERIES: usize = 512;

/// How many of those are kept for the coarsest ones.
const COARSE_SERIES: usize = 128;

/// How many places there are for what begins without a route, of each method, and ends with one: it has no series.
const ROUTELESS: usize = 32;

/// How series are made, and how many there may be.
pub(super) struct Rules {
    pub(super) naming: Naming,
    pub(super) max_series: usize,
    pub(super) labels: Labels,
}

pub(super) struct Bound {
    /// The handles are made when an exchange begins there: one may end on a route that it did not begin with.
    routes: RouteTable<u64, OnceLock<Begun>>,
    series: KeyTable<Key, Series>,
    http_overflow: Counter,
    /// Made when it is needed, so that a service without gRPC shows none of it.
    grpc_overflow: OnceLock<Counter>,
}

/// Where a route is in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    at: u32,
    room: Room,
}

/// Whether a route has a place of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Own,
    Overflow,
    /// There is no room for more overflow either.
    Coarse,
}

/// How an exchange ended.
#[derive(Clone, Copy)]
pub(super) struct Ended {
    pub(super) traits: Traits,
    pub(super) picked: Picked,
}

/// What tells one series from another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    place: u32,
    traits: u64,
    picked: u64,
}

impl Key {
    /// Stands for the place of all that have none of their own.
    const OVERFLOW: u32 = u32::MAX;

    #[inline]
    fn new(place: u32, traits: u64, picked: Picked) -> Self {
        let picked = picked.into_iter().rev().fold(0, |all, one| all << 16 | u64::from(one));
        Self { place, traits, picked }
    }
}

impl Rules {
    /// The handles of one combination of labels.
    pub(super) fn series(&self, recorder: &dyn Recorder, ended: Ended, route: &str) -> Series {
        let labels = self.labels.texts(ended.picked);
        self.naming.series(&Labelled { recorder, labels }, ended.traits, route)
    }
}

impl Bound {
    pub(super) fn new(rules: &Rules, recorder: &dyn Recorder) -> Self {
        rules.naming.describe(recorder);
        let slots = rules.max_series + OVERFLOW_SERIES;
        Self {
            routes: RouteTable::new(slots),
            series: KeyTable::new(slots),
            http_overflow: rules.naming.overflow(recorder, Protocol::Http),
            grpc_overflow: OnceLock::new(),
        }
    }

    /// The handles of exchanges that begin like this one, and their place, if there was one before.
    #[inline]
    pub(super) fn known(&self, traits: Traits, route: &str) -> Option<(Place, &Begun)> {
        let (at, begun) = self.routes.find(traits.packed(), route)?;
        Some((Place { at: at as u32, room: Room::Own }, begun.get()?))
    }

    /// The place of exchanges that begin like this one, or of what stands in for it past the cap.
    pub(super) fn place(&self, rules: &Rules, traits: Traits, route: &str) -> Option<Place> {
        let max = rules.max_series + OVERFLOW_SERIES;
        let place = |room, traits: Traits, route: &str, max| {
            let (at, _) = self.routes.find_or_make(traits.packed(), route, max, OnceLock::new)?;
            Some(Place { at: at as u32, room })
        };
        place(Room::Own, traits, route, rules.max_series + ROUTELESS)
            .or_else(|| place(Room::Overflow, traits, OVERFLOW, max - COARSE_SERIES))
            .or_else(|| place(Room::Coarse, traits.coarse(), OVERFLOW, max))
    }

    /// The handles of exchanges that begin at this place, made if there are none.
    pub(super) fn begun(
        &self,
        rules: &Rules,
        recorder: &dyn Recorder,
        place: Place,
        traits: Traits,
        route: &str,
    ) -> Option<&Begun> {
        let make = || match place.room {
            Room::Own => rules.naming.begun(recorder, traits, route),
            Room::Overflow => rules.naming.begun(recorder, traits, OVERFLOW),
            Room::Coarse => rules.naming.begun(recorder, traits.coarse(), OVERFLOW),
        };
        Some(self.routes.at(place.at as usize)?.get_or_init(make))
    }

    /// The handles of an exchange that has begun at this place.
    #[inline]
    pub(super) fn begun_at(&self, place: Place) -> Option<&Begun> {
        self.routes.at(place.at as usize)?.get()
    }

    /// The handles of exchanges of this place that end like this one, if there was one before and they have series of their own.
    #[inline]
    pub(super) fn ended(&self, place: Place, traits: u64, picked: Picked) -> Option<&Series> {
        if place.room == Room::Own { self.series.get(Key::new(place.at, traits, picked)) } else { None }
    }

    /// The handles of exchanges of this place that end like this one, or of what stands in for them past the cap.
    pub(super) fn series(
        &self,
        rules: &Rules,
        recorder: &dyn Recorder,
        place: Option<Place>,
        ended: Ended,
        route: &str,
    ) -> Option<&Series> {
        let made = |place, ended: Ended, route: &str, max| {
            let key = Key::new(place, ended.traits.packed(), ended.picked);
            self.series.get_or_make(key, max, || rules.series(recorder, ended, route))
        };
        if let Some(Place { at, room: Room::Own }) = place
            && let Some(own) = made(at, ended, route, rules.max_series)
        {
            return Some(own);
        }
        self.count_overflow(rules, recorder, ended.traits.protocol);
        let max = rules.max_series + OVERFLOW_SERIES;
        let overflow = |traits, max| made(Key::OVERFLOW, Ended { traits, picked: FOLDED }, OVERFLOW, max);
        overflow(ended.traits, max - COARSE_SERIES).or_else(|| overflow(ended.traits.coarse(), max))
    }

    /// Counts an exchange that got no series, or no label, of its own.
    pub(super) fn count_overflow(&self, rules: &Rules, recorder: &dyn Recorder, protocol: Protocol) {
        match protocol {
            Protocol::Http => self.http_overflow.increment(1),
            Protocol::Grpc => {
                let make = || rules.naming.overflow(recorder, Protocol::Grpc);
                self.grpc_overflow.get_or_init(make).increment(1);
            }
        }
    }
}
