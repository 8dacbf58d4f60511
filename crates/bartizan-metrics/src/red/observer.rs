//! The observer: a gauge up at the beginning, and everything else at the end.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Ending, Exchange, Observer, Protocol, Record};
use http::{Request, Response};
use metrics::{Gauge, Recorder};

use super::bound::{Bound, Ended, Place, Rules};
use super::known::Known;
use super::labels::Picked;
use super::layer::Options;
use super::names::{Begun, Series, Traits};
use super::recorders::{Handles, Recorders};

/// The observer behind [`RedLayer`](crate::RedLayer), for stacks that fuse several. Clones share their handles.
#[derive(Clone)]
pub struct Red(Arc<Inner>);

struct Inner {
    rules: Rules,
    known: Vec<Known>,
    recorders: Recorders<Bound>,
}

/// One request being measured.
pub struct RedExchange {
    red: Red,
    origin: Option<Origin>,
    /// The values of the application's own labels.
    picked: Picked,
    /// Whether it is counted as started. A gRPC call of a method that is not known yet is counted at its end, when its name is certain.
    started: bool,
}

/// Where an exchange is in flight.
enum Origin {
    At {
        recorder: u8,
        place: Place,
        route: Text,
    },
    /// There were too many recorders.
    Loose(Box<Gauge>),
}

/// Which text it was, told by where it is: the record keeps the route of the beginning beside one that is found later.
#[derive(PartialEq, Eq)]
struct Text(usize, usize);

impl Text {
    #[inline]
    fn of(text: &str) -> Self {
        Self(text.as_ptr().addr(), text.len())
    }
}

impl Red {
    pub(super) fn new(options: &Options) -> Self {
        let Options { recorder, naming, max_series, labels, known, .. } = options.clone();
        let rules = Rules { naming, max_series, labels };
        Self(Arc::new(Inner { rules, known, recorders: Recorders::new(recorder) }))
    }

    /// Sees to it that the series of known routes are there, if the recorder is certain.
    pub(super) fn show_known(&self) {
        if !self.0.known.is_empty() && self.0.recorders.are_certain() {
            self.0.with_recorder(|_, _| ());
        }
    }
}

impl Inner {
    fn with_recorder<T>(&self, work: impl FnOnce(&dyn Recorder, Option<Handles<'_, Bound>>) -> T) -> T {
        self.recorders.with(|recorder| self.bind(recorder), work)
    }

    fn bind(&self, recorder: &dyn Recorder) -> Bound {
        let bound = Bound::new(&self.rules, recorder);
        for known in &self.known {
            let (begun, route) = (known.begun(), known.route());
            let place = bound.place(&self.rules, begun, route);
            place.and_then(|place| bound.begun(&self.rules, recorder, place, begun, route));
            for traits in known.ended() {
                let ended = Ended { traits, picked: Picked::default() };
                bound.series(&self.rules, recorder, place, ended, route);
            }
        }
        bound
    }

    /// Looks at what is known of the beginning, by the route as it is now.
    #[inline]
    fn begin(&self, record: &Record, look: impl FnOnce(&Begun)) -> Option<Origin> {
        let route = record.route();
        if let Some((recorder, bound)) = self.recorders.current()
            && let Some((place, begun)) = bound.known(Traits::in_flight(self.rules.naming, record), route)
        {
            look(begun);
            return Some(Origin::At { recorder, place, route: Text::of(route) });
        }
        self.begin_anew(record, look)
    }

    /// The same where it has no handles yet, or no place of its own.
    #[cold]
    fn begin_anew(&self, record: &Record, look: impl FnOnce(&Begun)) -> Option<Origin> {
        let (traits, route) = (Traits::in_flight(self.rules.naming, record), record.route());
        self.with_recorder(|recorder, handles| {
            let Some((number, bound)) = handles else {
                let begun = self.rules.naming.begun(recorder, traits, route);
                look(&begun);
                return Some(Origin::Loose(Box::new(begun.in_flight)));
            };
            let place = bound.place(&self.rules, traits, route)?;
            look(bound.begun(&self.rules, recorder, place, traits, route)?);
            Some(Origin::At { recorder: number, place, route: Text::of(route) })
        })
    }

    /// Records the end where it is not known yet, or not where the exchange began.
    #[cold]
    fn end_anew(&self, record: &Record, ending: &Ending, picked: Picked) {
        let ended = Ended { traits: Traits::of(self.rules.naming, record, ending), picked };
        let route = record.route();
        self.with_recorder(|recorder, handles| {
            let Some((_, bound)) = handles else {
                return self.rules.series(recorder, ended, route).record(ending, record);
            };
            if self.rules.labels.overflowed(picked) {
                bound.count_overflow(&self.rules, recorder, ended.traits.protocol);
            }
            let place = bound.place(&self.rules, Traits::in_flight(self.rules.naming, record), route);
            if let Some(series) = bound.series(&self.rules, recorder, place, ended, route) {
                series.record(ending, record);
            }
        });
    }
}

impl RedExchange {
    /// Takes the exchange out of those in flight, and tells where its end is recorded: `None` if that must be found out.
    #[inline]
    fn land(&self, ending: &Ending, record: &Record) -> Option<&Series> {
        let red = &*self.red.0;
        match self.origin.as_ref()? {
            Origin::At { recorder, place, route } => {
                let (bound, is_current) = red.recorders.at(*recorder)?;
                bound.begun_at(*place)?.in_flight.decrement(1.0);
                let picked = self.picked;
                if !is_current || *route != Text::of(record.route()) || red.rules.labels.overflowed(picked) {
                    return None;
                }
                bound.ended(*place, Traits::of(red.rules.naming, record, ending).packed(), picked)
            }
            Origin::Loose(in_flight) => {
                in_flight.decrement(1.0);
                None
            }
        }
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
        if let Some(messages) = &self.messages {
            messages.received.increment(ending.request_messages.unwrap_or_default());
            messages.sent.increment(ending.response_messages.unwrap_or_default());
        }
    }
}

impl Observer for Red {
    type Exchange = RedExchange;

    fn shares_record(&self) -> bool {
        false
    }

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> RedExchange {
        let started = record.protocol() == Protocol::Http || record.matched_route().is_some();
        let origin = self.0.begin(record, |begun| {
            begun.in_flight.increment(1.0);
            if started && let Some(started) = &begun.started {
                started.increment(1);
            }
        });
        let labels = &self.0.rules.labels;
        let picked = if labels.is_empty() { Picked::default() } else { labels.of_request(request) };
        RedExchange { red: self.clone(), origin, picked, started }
    }
}

impl Exchange for RedExchange {
    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        let labels = &self.red.0.rules.labels;
        if !labels.is_empty() {
            labels.of_response(&mut self.picked, response);
        }
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        let series = self.land(ending, record);
        if !self.started {
            self.red.0.begin(record, |begun| begun.started.iter().for_each(|started| started.increment(1)));
        }
        match series {
            Some(series) => series.record(ending, record),
            None => self.red.0.end_anew(record, ending, self.picked),
        }
    }
}

impl fmt::Debug for Red {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Red").field("naming", &self.0.rules.naming).finish_non_exhaustive()
    }
}

impl fmt::Debug for RedExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedExchange").finish_non_exhaustive()
    }
}
