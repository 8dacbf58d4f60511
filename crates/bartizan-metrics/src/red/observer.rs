//! The observer: a gauge up at the beginning, and everything else at the end.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bartizan_core::{Ending, Exchange, Observer, Protocol, Record};
use http::Request;
use metrics::{Counter, Gauge, Recorder};

use super::layer::Options;
use super::names::{Begun, Naming, OVERFLOW, Series, Traits};
use super::recorders::Recorders;
use super::table::Table;

/// How many combinations the overflow series themselves may have.
const OVERFLOW_SERIES: usize = 512;

/// The observer behind [`RedLayer`](crate::RedLayer), for stacks that fuse several. Clones share their handles.
#[derive(Clone)]
pub struct Red(Arc<Inner>);

struct Inner {
    naming: Naming,
    max_series: usize,
    recorders: Recorders<Bound>,
}

struct Bound {
    begun: Table<Begun>,
    series: Table<Series>,
    http_overflow: Counter,
    /// Made when it is needed, so that a service without gRPC shows none of it.
    grpc_overflow: OnceLock<Counter>,
}

/// One request being measured.
pub struct RedExchange {
    red: Red,
    in_flight: Gauge,
    /// Whether it is counted as started. A gRPC call of a method that is not known yet is counted at its end, when its name is certain.
    started: bool,
}

impl Red {
    pub(super) fn new(options: &Options) -> Self {
        let Options { recorder, naming, max_series, .. } = options.clone();
        Self(Arc::new(Inner { naming, max_series, recorders: Recorders::new(recorder) }))
    }
}

impl Inner {
    fn with_recorder<T>(&self, work: impl FnOnce(&dyn Recorder, Option<&Bound>) -> T) -> T {
        self.recorders.with(|recorder| self.bind(recorder), work)
    }

    fn bind(&self, recorder: &dyn Recorder) -> Bound {
        self.naming.describe(recorder);
        Bound {
            begun: Table::new(self.max_series + OVERFLOW_SERIES),
            series: Table::new(self.max_series + OVERFLOW_SERIES),
            http_overflow: self.naming.overflow(recorder, Protocol::Http),
            grpc_overflow: OnceLock::new(),
        }
    }

    /// The entry of these traits and this route, or what stands in for it past the cap.
    fn find<'a, T>(
        &self,
        table: &'a Table<T>,
        overflow: impl FnOnce(),
        traits: Traits,
        route: &str,
        make: impl Fn(Traits, &str) -> T,
    ) -> Option<&'a T> {
        if let Some(found) = table.get_or_make(traits, route, self.max_series, || make(traits, route)) {
            return Some(found);
        }
        overflow();
        let max = self.max_series + OVERFLOW_SERIES;
        if let Some(found) = table.get_or_make(traits, OVERFLOW, max - 128, || make(traits, OVERFLOW)) {
            return Some(found);
        }
        let coarse = traits.coarse();
        table.get_or_make(coarse, OVERFLOW, max, || make(coarse, OVERFLOW))
    }

    /// Looks at what is known of the beginning, by the route as it is now.
    fn begun<T>(&self, record: &Record, look: impl FnOnce(&Begun) -> T) -> Option<T> {
        let traits = Traits::in_flight(self.naming, record);
        self.with_recorder(|recorder, bound| {
            let make = |traits: Traits, route: &str| self.naming.begun(recorder, traits, route);
            let Some(bound) = bound else { return Some(look(&make(traits, record.route()))) };
            self.find(&bound.begun, || {}, traits, record.route(), make).map(look)
        })
    }

    fn record(&self, record: &Record, ending: &Ending) {
        let traits = Traits::of(self.naming, record, ending);
        self.with_recorder(|recorder, bound| {
            let make = |traits: Traits, route: &str| self.naming.series(recorder, traits, route);
            let Some(bound) = bound else {
                return make(traits, record.route()).record(ending, record);
            };
            let overflow = || match traits.protocol {
                Protocol::Http => bound.http_overflow.increment(1),
                Protocol::Grpc => {
                    let make = || self.naming.overflow(recorder, Protocol::Grpc);
                    bound.grpc_overflow.get_or_init(make).increment(1);
                }
            };
            if let Some(series) = self.find(&bound.series, overflow, traits, record.route(), make) {
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

    fn begin<B>(&self, _: &mut Request<B>, record: &Record) -> RedExchange {
        let started = record.protocol() == Protocol::Http || record.matched_route().is_some();
        let begin = |begun: &Begun| {
            begun.in_flight.increment(1.0);
            if started {
                begun.started.increment(1);
            }
            begun.in_flight.clone()
        };
        let in_flight = self.0.begun(record, begin).unwrap_or_else(Gauge::noop);
        RedExchange { red: self.clone(), in_flight, started }
    }
}

impl Exchange for RedExchange {
    fn end(self, ending: &Ending, record: &Record) {
        self.in_flight.decrement(1.0);
        if !self.started {
            self.red.0.begun(record, |begun| begun.started.increment(1));
        }
        self.red.0.record(record, ending);
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
