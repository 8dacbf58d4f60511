//! The observer: a gauge up at the beginning, and everything else at the end.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use bartizan_core::{Ending, Exchange, Observer, Protocol, Record, RouteTable};
use http::{Request, Response};
use metrics::{Counter, Gauge, Recorder};

use super::known::Known;
use super::labelled::Labelled;
use super::labels::{FOLDED, Labels, Picked};
use super::layer::Options;
use super::names::{Begun, Naming, OVERFLOW, Series, Traits};
use super::recorders::Recorders;

/// How many combinations the overflow series themselves may have.
const OVERFLOW_SERIES: usize = 512;

/// The observer behind [`RedLayer`](crate::RedLayer), for stacks that fuse several. Clones share their handles.
#[derive(Clone)]
pub struct Red(Arc<Inner>);

struct Inner {
    naming: Naming,
    max_series: usize,
    labels: Labels,
    known: Vec<Known>,
    recorders: Recorders<Bound>,
}

struct Bound {
    begun: RouteTable<Traits, Begun>,
    series: RouteTable<Traits, Series>,
    /// In the place of `series`, where there are labels of the application's own.
    labelled: Option<RouteTable<(Traits, Picked), Series>>,
    http_overflow: Counter,
    /// Made when it is needed, so that a service without gRPC shows none of it.
    grpc_overflow: OnceLock<Counter>,
}

/// One request being measured.
pub struct RedExchange {
    red: Red,
    in_flight: Gauge,
    /// The values of the application's own labels.
    picked: Picked,
    /// Whether it is counted as started. A gRPC call of a method that is not known yet is counted at its end, when its name is certain.
    started: bool,
}

impl Red {
    pub(super) fn new(options: &Options) -> Self {
        let Options { recorder, naming, max_series, labels, known, .. } = options.clone();
        Self(Arc::new(Inner { naming, max_series, labels, known, recorders: Recorders::new(recorder) }))
    }

    /// Sees to it that the series of known routes are there, if the recorder is certain.
    pub(super) fn show_known(&self) {
        if !self.0.known.is_empty() && self.0.recorders.are_certain() {
            self.0.with_recorder(|_, _| ());
        }
    }
}

impl Inner {
    fn with_recorder<T>(&self, work: impl FnOnce(&dyn Recorder, Option<&Bound>) -> T) -> T {
        self.recorders.with(|recorder| self.bind(recorder), work)
    }

    fn bind(&self, recorder: &dyn Recorder) -> Bound {
        self.naming.describe(recorder);
        let slots = self.max_series + OVERFLOW_SERIES;
        let labelled = !self.labels.is_empty();
        let bound = Bound {
            begun: RouteTable::new(slots),
            series: RouteTable::new(if labelled { 0 } else { slots }),
            labelled: labelled.then(|| RouteTable::new(slots)),
            http_overflow: self.naming.overflow(recorder, Protocol::Http),
            grpc_overflow: OnceLock::new(),
        };
        for known in &self.known {
            let route = known.route();
            let begun = || self.naming.begun(recorder, known.begun(), route);
            bound.begun.get_or_make(known.begun(), route, self.max_series, begun);
            for traits in known.ended() {
                self.series(recorder, &bound, traits, Picked::default(), route);
            }
        }
        bound
    }

    /// Counts an exchange that got no series of its own.
    fn overflow(&self, recorder: &dyn Recorder, bound: &Bound, protocol: Protocol) {
        match protocol {
            Protocol::Http => bound.http_overflow.increment(1),
            Protocol::Grpc => {
                let make = || self.naming.overflow(recorder, Protocol::Grpc);
                bound.grpc_overflow.get_or_init(make).increment(1);
            }
        }
    }

    /// The series of an exchange.
    fn series<'a>(
        &self,
        recorder: &dyn Recorder,
        bound: &'a Bound,
        traits: Traits,
        picked: Picked,
        route: &str,
    ) -> Option<&'a Series> {
        let overflow = || self.overflow(recorder, bound, traits.protocol);
        let Some(labelled) = &bound.labelled else {
            let make = |traits, route: &str| self.naming.series(recorder, traits, route);
            return self.find(&bound.series, overflow, traits, route, traits.coarse(), traits, make);
        };
        let make = |(traits, picked), route: &str| self.labelled(recorder, traits, picked, route);
        let (coarse, folded) = ((traits.coarse(), FOLDED), (traits, FOLDED));
        self.find(labelled, overflow, (traits, picked), route, coarse, folded, make)
    }

    fn labelled(&self, recorder: &dyn Recorder, traits: Traits, picked: Picked, route: &str) -> Series {
        let labels = self.labels.texts(picked);
        self.naming.series(&Labelled { recorder, labels }, traits, route)
    }

    /// The entry of this key and this route, or what stands in for it past the cap: the folded key, then the coarse one.
    #[expect(clippy::too_many_arguments, reason = "the tables differ in their keys alone")]
    fn find<'a, T, K: Copy + Eq + Hash>(
        &self,
        table: &'a RouteTable<K, T>,
        overflow: impl FnOnce(),
        key: K,
        route: &str,
        coarse: K,
        folded: K,
        make: impl Fn(K, &str) -> T,
    ) -> Option<&'a T> {
        if let Some(found) = table.get_or_make(key, route, self.max_series, || make(key, route)) {
            return Some(found);
        }
        overflow();
        let max = self.max_series + OVERFLOW_SERIES;
        if let Some(found) = table.get_or_make(folded, OVERFLOW, max - 128, || make(folded, OVERFLOW)) {
            return Some(found);
        }
        table.get_or_make(coarse, OVERFLOW, max, || make(coarse, OVERFLOW))
    }

    /// Looks at what is known of the beginning, by the route as it is now.
    fn begun<T>(&self, record: &Record, look: impl FnOnce(&Begun) -> T) -> Option<T> {
        let traits = Traits::in_flight(self.naming, record);
        self.with_recorder(|recorder, bound| {
            let make = |traits: Traits, route: &str| self.naming.begun(recorder, traits, route);
            let Some(bound) = bound else { return Some(look(&make(traits, record.route()))) };
            self.find(&bound.begun, || {}, traits, record.route(), traits.coarse(), traits, make).map(look)
        })
    }

    fn record(&self, record: &Record, ending: &Ending, picked: Picked) {
        let (traits, route) = (Traits::of(self.naming, record, ending), record.route());
        self.with_recorder(|recorder, bound| {
            let Some(bound) = bound else {
                return self.labelled(recorder, traits, picked, route).record(ending, record);
            };
            if self.labels.overflowed(picked) {
                self.overflow(recorder, bound, traits.protocol);
            }
            if let Some(series) = self.series(recorder, bound, traits, picked, route) {
                series.record(ending, record);
            }
        });
    }
}

impl Series {
    fn record(&self, ending: &Ending, record: &Record) {
        self.requests.increment(1);
        self.duration.record(ending.duration, record);
        if let Some(bytes) = ending.request_bytes {
            self.request_size.record(bytes as f64);
        }
        self.response_size.record(ending.response_bytes as f64);
        self.messages_received.increment(ending.request_messages.unwrap_or_default());
        self.messages_sent.increment(ending.response_messages.unwrap_or_default());
    }
}

impl Observer for Red {
    type Exchange = RedExchange;

    fn shares_record(&self) -> bool {
        false
    }

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> RedExchange {
        let started = record.protocol() == Protocol::Http || record.matched_route().is_some();
        let begin = |begun: &Begun| {
            begun.in_flight.increment(1.0);
            if started {
                begun.started.increment(1);
            }
            begun.in_flight.clone()
        };
        let in_flight = self.0.begun(record, begin).unwrap_or_else(Gauge::noop);
        let labels = &self.0.labels;
        let picked = if labels.is_empty() { Picked::default() } else { labels.of_request(request) };
        RedExchange { red: self.clone(), in_flight, picked, started }
    }
}

impl Exchange for RedExchange {
    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        let labels = &self.red.0.labels;
        if !labels.is_empty() {
            labels.of_response(&mut self.picked, response);
        }
    }

    fn end(self, ending: &Ending, record: &Record) {
        self.in_flight.decrement(1.0);
        if !self.started {
            self.red.0.begun(record, |begun| begun.started.increment(1));
        }
        self.red.0.record(record, ending, self.picked);
    }
}

impl fmt::Debug for Red {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Red").field("naming", &self.0.naming).finish_non_exhaustive()
    }
}

impl fmt::Debug for RedExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedExchange").finish_non_exhaustive()
    }
}
