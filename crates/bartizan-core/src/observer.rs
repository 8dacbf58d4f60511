//! The two traits a concern implements: [`Observer`], one a layer, and [`Exchange`], one a request.

use http::{Request, Response};

use crate::outcome::Ending;
use crate::record::Record;

/// A concern that watches exchanges: it lives in the layer, shared by all requests.
///
/// A tuple of observers is an observer, told in the tuple's order; `Option<O>` is one that can be off.
///
/// ```
/// use bartizan_core::{Ending, Exchange, ObserveLayer, Observer, Record};
/// use http::Request;
///
/// struct PrintEndings;
/// struct Printed;
///
/// impl Observer for PrintEndings {
///     type Exchange = Printed;
///     fn begin<B>(&self, _: &mut Request<B>, _: &Record) -> Printed {
///         Printed
///     }
/// }
///
/// impl Exchange for Printed {
///     fn end(&mut self, ending: &Ending, record: &Record) {
///         println!("{} {} {}", record.method().as_str(), record.route(), ending.outcome);
///     }
/// }
///
/// let layer = ObserveLayer::new((PrintEndings, Some(PrintEndings)));
/// ```
pub trait Observer: Send + Sync + 'static {
    /// What is kept of one request. It stays in its place while the request goes from the response future into the response body.
    type Exchange: Exchange;

    /// Whether there is anything to watch for now. A layer of which no observer is on hands requests to the inner service as they are.
    /// Default: yes.
    fn is_on(&self) -> bool {
        true
    }

    /// Whether the record is left in the request's extensions too, for handlers that look there, and for layers further in that
    /// another task polls, or that see another path because something between the two rewrites it. [`Record::of`] finds it in either
    /// way. It costs up to two allocations. Default: yes.
    fn shares_record(&self) -> bool {
        true
    }

    /// A request has come in. It may still be changed; what others should know goes into the record.
    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> Self::Exchange;
}

/// One request being watched. Every method but [`end`](Self::end) may never be called; `end` is called exactly once,
/// whatever happens to the request.
///
/// No method may panic. A panic in `end` is caught and lost, because it may run while another one unwinds.
pub trait Exchange: Send + Sync + 'static {
    /// The service or a body is about to be polled. What is returned is dropped after the poll: a guard of what must be current
    /// meanwhile. Default: nothing.
    #[inline]
    fn enter(&mut self) -> impl Sized {}

    /// The response's head is there. It may still be changed.
    fn head<B>(&mut self, response: &mut Response<B>, record: &Record) {
        let _ = (response, record);
    }

    /// A data frame of the response body is handed on.
    fn chunk(&mut self, len: usize, record: &Record) {
        let _ = (len, record);
    }

    /// Whether [`data`](Self::data) is to be told the response's bytes. Asked at each data frame.
    #[inline]
    fn wants_data(&self) -> bool {
        false
    }

    /// The bytes of the data frame that [`chunk`](Self::chunk) has just told of, in order and perhaps in several parts, before the frame
    /// is handed on. Not told where nobody [wants](Self::wants_data) it, and for a frame whose bytes cannot all be seen. The request's bytes
    /// are for a [`RequestTap`](crate::RequestTap).
    fn data(&mut self, data: &[u8], record: &Record) {
        let _ = (data, record);
    }

    /// The exchange is over: called once, with the request's context current, and dropped after it.
    fn end(&mut self, ending: &Ending, record: &Record);
}

impl<O: Observer> Observer for Option<O> {
    type Exchange = Option<O::Exchange>;

    fn is_on(&self) -> bool {
        self.as_ref().is_some_and(Observer::is_on)
    }

    fn shares_record(&self) -> bool {
        self.as_ref().is_some_and(Observer::shares_record)
    }

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> Self::Exchange {
        self.as_ref().map(|observer| observer.begin(request, record))
    }
}

impl<X: Exchange> Exchange for Option<X> {
    #[inline]
    fn enter(&mut self) -> impl Sized {
        self.as_mut().map(Exchange::enter)
    }

    fn head<B>(&mut self, response: &mut Response<B>, record: &Record) {
        if let Some(exchange) = self {
            exchange.head(response, record);
        }
    }

    fn chunk(&mut self, len: usize, record: &Record) {
        if let Some(exchange) = self {
            exchange.chunk(len, record);
        }
    }

    fn wants_data(&self) -> bool {
        self.as_ref().is_some_and(Exchange::wants_data)
    }

    fn data(&mut self, data: &[u8], record: &Record) {
        if let Some(exchange) = self {
            exchange.data(data, record);
        }
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        if let Some(exchange) = self {
            exchange.end(ending, record);
        }
    }
}

/// A tuple of these, the last one first: a tuple drops its first field first.
macro_rules! reversed {
    ([$($last:ident)*]) => { ($($last,)*) };
    ([$($last:ident)*] $first:ident $($rest:ident)*) => { reversed!([$first $($last)*] $($rest)*) };
}

macro_rules! tuples {
    ($($name:ident)+) => {
        #[allow(non_snake_case)]
        impl<$($name: Observer),+> Observer for ($($name,)+) {
            type Exchange = ($($name::Exchange,)+);

            fn is_on(&self) -> bool {
                let ($($name,)+) = self;
                $($name.is_on())||+
            }

            fn shares_record(&self) -> bool {
                let ($($name,)+) = self;
                $($name.shares_record())||+
            }

            fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> Self::Exchange {
                let ($($name,)+) = self;
                ($($name.begin(request, record),)+)
            }
        }

        #[allow(non_snake_case)]
        impl<$($name: Exchange),+> Exchange for ($($name,)+) {
            #[inline]
            fn enter(&mut self) -> impl Sized {
                let ($($name,)+) = self;
                $(let $name = $name.enter();)+
                reversed!([] $($name)+)
            }

            fn head<Body>(&mut self, response: &mut Response<Body>, record: &Record) {
                let ($($name,)+) = self;
                $($name.head(response, record);)+
            }

            fn chunk(&mut self, len: usize, record: &Record) {
                let ($($name,)+) = self;
                $($name.chunk(len, record);)+
            }

            fn wants_data(&self) -> bool {
                let ($($name,)+) = self;
                false $(|| $name.wants_data())+
            }

            fn data(&mut self, data: &[u8], record: &Record) {
                let ($($name,)+) = self;
                $(if $name.wants_data() {
                    $name.data(data, record);
                })+
            }

            fn end(&mut self, ending: &Ending, record: &Record) {
                let ($($name,)+) = self;
                $($name.end(ending, record);)+
            }
        }
    };
}

tuples!(O1);
tuples!(O1 O2);
tuples!(O1 O2 O3);
tuples!(O1 O2 O3 O4);
tuples!(O1 O2 O3 O4 O5);
tuples!(O1 O2 O3 O4 O5 O6);
tuples!(O1 O2 O3 O4 O5 O6 O7);
tuples!(O1 O2 O3 O4 O5 O6 O7 O8);
