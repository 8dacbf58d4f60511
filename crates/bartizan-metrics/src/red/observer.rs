//! The observer: a gauge up at the beginning, and everything else at the end.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Ending, Exchange, Observer, Record};
use http::Request;
use metrics::{Counter, Gauge, Recorder};

use super::layer::Options;
use super::names::{Naming, OVERFLOW, Series, Traits};
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
    in_flight: Table<Gauge>,
    series: Table<Series>,
    overflow: Counter,
}

/// One request being measured.
pub struct RedExchange {
    red: Red,
    in_flight: Gauge,
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
            in_flight: Table::new(self.max_series + OVERFLOW_SERIES),
            series: Table::new(self.max_series + OVERFLOW_SERIES),
            overflow: self.naming.overflow(recorder),
        }
    }

    /// The entry of these traits and this route, or what stands in for it past the cap.
    fn find<'a, T>(
        &self,
        table: &'a Table<T>,
        overflow: &Counter,
        traits: Traits,
        route: &str,
        make: impl Fn(Traits, &str) -> T,
    ) -> Option<&'a T> {
        if let Some(found) = table.get_or_make(traits, route, self.max_series, || make(traits, route)) {
            return Some(found);
        }
        overflow.increment(1);
        let max = self.max_series + OVERFLOW_SERIES;
        if let Some(found) = table.get_or_make(traits, OVERFLOW, max - 128, || make(traits, OVERFLOW)) {
            return Some(found);
        }
        let coarse = traits.coarse();
        table.get_or_make(coarse, OVERFLOW, max, || make(coarse, OVERFLOW))
    }

    fn gauge(&self, record: &Record) -> Gauge {
        let traits = Traits::in_flight(self.naming, record);
        self.with_recorder(|recorder, bound| {
            let make = |traits: Traits, route: &str| self.naming.gauge(recorder, traits, route);
            let Some(bound) = bound else { return make(traits, record.route()) };
            self.find(&bound.in_flight, &Counter::noop(), traits, record.route(), make)
                .map_or_else(Gauge::noop, Gauge::clone)
        })
    }

    fn record(&self, record: &Record, ending: &Ending) {
        let traits = Traits::of(self.naming, record, ending);
        self.with_recorder(|recorder, bound| {
            let make = |traits: Traits, route: &str| self.naming.series(recorder, traits, route);
            let Some(bound) = bound else {
                return make(traits, record.route()).record(ending);
            };
            if let Some(series) = self.find(&bound.series, &bound.overflow, traits, record.route(), make) {
                series.record(ending);
            }
        });
    }
}

impl Series {
    fn record(&self, ending: &Ending) {
        self.requests.increment(1);
        self.duration.record(ending.duration.as_secs_f64());
        if let Some(bytes) = ending.request_bytes {
            self.request_size.record(bytes as f64);
        }
        self.response_size.record(ending.response_bytes as f64);
    }
}

impl Observer for Red {
    type Exchange = RedExchange;

    fn begin<B>(&self, _: &mut Request<B>, record: &Record) -> RedExchange {
        let in_flight = self.0.gauge(record);
        in_flight.increment(1.0);
        RedExchange { red: self.clone(), in_flight }
    }
}

impl Exchange for RedExchange {
    fn end(self, ending: &Ending, record: &Record) {
        self.in_flight.decrement(1.0);
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
