//! A live exchange: the state that ends exactly once, wherever it is dropped.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::Buf;
use http::{HeaderMap, Response, StatusCode, header::CONTENT_LENGTH};
use http_body::{Body, Frame};

use crate::catch::Caught;
use crate::clock::Clock;
use crate::context::{Context, Entered};
use crate::failure::Failure;
use crate::grpc::framing::Framing;
use crate::grpc::{GrpcCode, Protocol, timeout};
use crate::kept::{Kept, Leave};
use crate::method::KnownMethod;
use crate::observer::Exchange;
use crate::outcome::{Ending, Outcome};
use crate::parts;
use crate::record::{Left, Record};
use crate::side::Side;

/// The context that is current while an exchange is worked on, and the exchange itself.
pub(crate) struct Live<X: Exchange> {
    /// None for a call that goes out: whatever is current at the caller's stays current.
    context: Option<Context>,
    state: State<X>,
}

/// All of a live exchange but its context. Its methods run with the context current.
pub(crate) struct State<X: Exchange> {
    /// Gone once the exchange has ended; never there if the same layer is watching further out.
    exchange: Option<X>,
    record: Record,
    clock: Clock,
    started: Instant,
    /// Set while the inner service or body is polled: still set when dropped means that the poll unwound.
    polling: bool,
    side: Side,
    status: Option<StatusCode>,
    caught: Option<Outcome>,
    failure: Option<Failure>,
    grpc_code: Option<GrpcCode>,
    /// Whether the code is one that the service sent.
    told: bool,
    /// The length that was promised: a drop after that many bytes is no cancel.
    promised: Option<u64>,
    response_bytes: u64,
    framing: Option<Framing>,
    first_byte: Option<Duration>,
}

/// A poll of the inner service or body, with what the exchange holds meanwhile.
pub(crate) struct Polling<'a, G> {
    polling: &'a mut bool,
    _entered: G,
}

impl<G> Polling<'_, G> {
    #[inline]
    pub(crate) fn done(self) {
        *self.polling = false;
    }
}

impl<X: Exchange> Live<X> {
    #[inline]
    pub(crate) fn new(record: Record, clock: Clock, started: Instant) -> Self {
        let context = record.is_inbound().then(|| Context::of(record.clone()));
        let state = State {
            exchange: None,
            framing: (record.protocol() == Protocol::Grpc).then(Framing::default),
            side: if record.is_inbound() { Side::Server } else { Side::Client },
            record,
            clock,
            started,
            polling: false,
            status: None,
            caught: None,
            failure: None,
            grpc_code: None,
            told: false,
            promised: None,
            response_bytes: 0,
            first_byte: None,
        };
        Self { context, state }
    }

    /// Begins to watch. Apart from [`new`](Self::new), so that an exchange is moved to its place once.
    #[inline]
    pub(crate) fn watch(&mut self, begin: impl FnOnce(&Record) -> X) {
        self.state.exchange = Some(begin(&self.state.record));
    }

    /// Makes the request's context current, as long as the guard is kept, to work on the exchange.
    #[inline]
    pub(crate) fn within(&mut self) -> (Option<Entered<'_>>, &mut State<X>) {
        (self.context.as_mut().map(Context::entered), &mut self.state)
    }
}

impl<X: Exchange> Kept<Live<X>> {
    /// Drops what was watched until now: what its own guards log meanwhile belongs to the request as well.
    pub(crate) fn release<T>(&mut self, mut watched: Pin<&mut Option<T>>) {
        if let (Some(live), true) = (self.get_mut(), watched.is_some()) {
            let (_entered, state) = live.within();
            let _dropping = state.exchange.as_mut().map(Exchange::enter);
            watched.set(None);
        }
    }
}

impl<X: Exchange> State<X> {
    /// The inner service or body is polled until [`Polling::done`]. Without that, the poll unwound.
    #[inline]
    pub(crate) fn polling(&mut self) -> Polling<'_, impl Sized + use<'_, X>> {
        self.polling = true;
        Polling { polling: &mut self.polling, _entered: self.exchange.as_mut().map(Exchange::enter) }
    }

    /// The response's head is there. Ends the exchange if nothing more will come.
    #[inline]
    pub(crate) fn head<R: Body>(&mut self, response: &mut Response<R>) {
        self.status = Some(response.status());
        self.caught = response.extensions().get::<Caught>().map(|caught| caught.0);
        if let Some(exchange) = &mut self.exchange {
            exchange.head(response, &self.record);
        }
        if self.record.protocol() == Protocol::Grpc {
            self.grpc_code = GrpcCode::from_headers(response.headers());
            self.told = self.grpc_code.is_some();
        }
        if self.is_upgrade(response.status()) {
            self.end(Outcome::Upgraded);
        } else if self.is_bodiless(response.status()) || response.body().is_end_stream() {
            // hyper never polls such a body, so this is the end.
            self.end_by_status();
        } else {
            self.promised = promised_length(response);
        }
    }

    /// A frame of the response body is handed on; `last` if it is known to be the last one.
    #[inline]
    pub(crate) fn frame<D: Buf>(&mut self, frame: &Frame<D>, last: bool) {
        let mut duration = None;
        if let Some(data) = frame.data_ref() {
            let len = data.remaining();
            if self.first_byte.is_none() && len > 0 {
                self.first_byte = Some(self.elapsed());
                duration = self.first_byte;
            }
            self.response_bytes += len as u64;
            if let Some(framing) = &mut self.framing {
                framing.look(data);
            }
            if let Some(exchange) = &mut self.exchange {
                exchange.chunk(len, &self.record);
                if exchange.wants_data() {
                    parts::look(data, |part| exchange.data(part, &self.record));
                }
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            return self.trailers(trailers);
        }
        if last {
            self.end_by_status_after(duration);
        }
    }

    fn trailers(&mut self, trailers: &HeaderMap) {
        if self.record.protocol() == Protocol::Grpc {
            self.grpc_code = GrpcCode::from_headers(trailers).or(self.grpc_code);
            self.told = self.grpc_code.is_some();
        }
        self.end_by_status();
    }

    /// The body came to its end.
    pub(crate) fn end_by_status(&mut self) {
        self.end_by_status_after(None);
    }

    fn end_by_status_after(&mut self, duration: Option<Duration>) {
        let status = self.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let outcome = if self.record.protocol() == Protocol::Grpc {
            self.grpc_code.get_or_insert_with(|| GrpcCode::of_missing(status)).outcome()
        } else {
            Outcome::of_status(status)
        };
        self.end_after(outcome, duration);
    }

    /// The service failed.
    pub(crate) fn fail(&mut self, error: &dyn Any) {
        if self.side == Side::Client && self.exchange.is_some() {
            self.failure = Some(Failure::of(error));
        }
        self.end(Outcome::ServiceError);
    }

    /// Ends the exchange; does nothing if it has ended before.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        self.end_after(outcome, None);
    }

    /// Ends it after this time, if the clock was read just now.
    fn end_after(&mut self, outcome: Outcome, duration: Option<Duration>) {
        if self.exchange.is_none() {
            return;
        }
        let duration = duration.unwrap_or_else(|| self.elapsed());
        if self.record.protocol() == Protocol::Grpc && outcome != Outcome::Upgraded {
            if let (Some(code), true, None) = (self.grpc_code, self.told, self.caught) {
                self.record.learn_method(code);
            }
            self.grpc_code.get_or_insert_with(|| match self.failure {
                Some(failure) => failure.grpc_code(),
                None => code_of(outcome, self.record.grpc_timeout(), duration),
            });
        }
        let ending = Ending {
            outcome: self.caught.unwrap_or(outcome),
            status: self.status,
            grpc_code: self.grpc_code,
            duration,
            first_byte: self.first_byte,
            request_bytes: self.record.request_bytes(),
            response_bytes: self.response_bytes,
            request_messages: self.record.request_messages(),
            response_messages: self.framing.and_then(|framing| framing.messages()),
            side: self.side,
            failure: self.failure,
        };
        // This may run in a drop, and in one that is part of unwinding: a second panic would abort the process.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let last = Last(&mut self.exchange);
            if let Some(exchange) = &mut *last.0 {
                exchange.end(&ending, &self.record);
            }
        }));
    }

    /// Ends an exchange that is dropped before its end was seen.
    fn abandon(&mut self) {
        if self.polling {
            self.end(Outcome::Panicked);
        } else if self.status.is_none() {
            self.end(Outcome::CancelledBeforeHead);
        } else if self.promised == Some(self.response_bytes) {
            // The host stopped at the exact content-length without asking for the end.
            self.end_by_status();
        } else {
            self.end(Outcome::CancelledMidBody);
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.started)
    }

    fn is_upgrade(&self, status: StatusCode) -> bool {
        let connect = self.record.method() == KnownMethod::CONNECT && status.is_success();
        status == StatusCode::SWITCHING_PROTOCOLS || connect
    }

    fn is_bodiless(&self, status: StatusCode) -> bool {
        self.record.method() == KnownMethod::HEAD || matches!(status.as_u16(), 100..=199 | 204 | 304)
    }
}

/// The last that is done with an exchange: it is gone after it, also if that panics.
struct Last<'a, X>(&'a mut Option<X>);

impl<X> Drop for Last<'_, X> {
    fn drop(&mut self) {
        *self.0 = None;
    }
}

impl<X: Exchange> Leave for Live<X> {
    type Left = Left;

    fn leave(&mut self) -> Left {
        if self.state.exchange.is_some() {
            let (_entered, state) = self.within();
            state.abandon();
        }
        self.context = None;
        self.state.record.leave()
    }
}

/// The code of a call that ended without one.
fn code_of(outcome: Outcome, timeout: Option<Duration>, elapsed: Duration) -> GrpcCode {
    if !outcome.is_cancelled() {
        return GrpcCode::INTERNAL;
    }
    match timeout {
        Some(timeout) if timeout::has_passed(timeout, elapsed) => GrpcCode::DEADLINE_EXCEEDED,
        _ => GrpcCode::CANCELLED,
    }
}

/// The length that the response's head promises, if it does.
fn promised_length<R: Body>(response: &Response<R>) -> Option<u64> {
    let header = || response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    response.body().size_hint().exact().or_else(header)
}
