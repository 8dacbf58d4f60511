//! One exchange, one record, one ending.
//!
//! Every bartizan layer is the same service, [`Observe`], with another [`Observer`]. The plumbing that is easy to get wrong
//! is here and nowhere else: dropped futures, bodies that hyper never polls, panics, statuses in trailers. An observer is told what
//! happened, and its [`Exchange::end`] is called exactly once with the [`Ending`].
//!
//! ```text
//!   request ──► Observer::begin(&mut request, &record)      makes the Exchange, one a request, by value
//!               poll inner, inside Exchange::enter(..)      the request's Context is current
//!  response ──► Exchange::head(&mut response, &record)      status, headers; may add headers
//!     chunk ──► Exchange::chunk(len, &record)               each data frame; its bytes, for who wants them
//!       end ──► Exchange::end(&Ending, &record)             exactly once, whatever happened
//! ```
//!
//! ```
//! use bartizan_core::{Ending, Exchange, ObserveLayer, Observer, Outcome, Record};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use std::sync::mpsc;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! struct Tell(mpsc::Sender<Outcome>);
//! struct Telling(mpsc::Sender<Outcome>);
//!
//! impl Observer for Tell {
//!     type Exchange = Telling;
//!     fn begin<B>(&self, _: &mut Request<B>, _: &Record) -> Telling {
//!         Telling(self.0.clone())
//!     }
//! }
//! impl Exchange for Telling {
//!     fn end(&mut self, ending: &Ending, _: &Record) {
//!         let _ = self.0.send(ending.outcome);
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let (tell, told) = mpsc::channel();
//! let service = ObserveLayer::new(Tell(tell))
//!     .layer(service_fn(|_| async { Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("hi")))) }));
//! let response = service.oneshot(Request::new(Full::new(Bytes::new()))).await.unwrap();
//! assert!(told.try_recv().is_err(), "the body is still to come");
//! response.into_body().collect().await.unwrap();
//! assert_eq!(told.recv(), Ok(Outcome::Ok));
//! # });
//! ```
//!
//! # Order and failure
//!
//! Layers may be stacked in any order and any number: the outermost makes the [`Record`], the others find it ([`Record::of`]). [`CatchLayer`] goes innermost. A request that is dropped, fails or panics ends like
//! any other, under its own [`Outcome`]; an observer that panics in `end` is ignored.

mod answer;
mod bearer;
mod body;
mod catch;
mod client;
mod clock;
mod context;
mod failure;
mod fields;
mod future;
mod grpc;
mod ids;
mod kept;
mod layer;
mod live;
mod method;
mod observer;
mod outcome;
mod parts;
mod record;
mod request_body;
mod route;
mod route_table;
mod short;
mod side;
mod tap;
mod value;

pub use answer::{AnswerBody, AnswerFuture};
pub use bearer::BearerTokens;
pub use body::ResponseBody;
pub use catch::{Catch, CatchFuture, CatchLayer};
pub use client::{PeerAddress, Trust, TrustError, push_address};
pub use clock::Clock;
pub use context::{Carried, Context};
pub use failure::Failure;
pub use fields::{RESERVED_FIELDS, bound_fields_dropped_total};
pub use future::ResponseFuture;
pub use grpc::{GrpcCode, Protocol};
pub use ids::{CorrelationId, Hex, TraceIds};
pub use layer::{Observe, ObserveLayer, Settings};
pub use method::KnownMethod;
pub use observer::{Exchange, Observer};
pub use outcome::{Ending, Outcome};
pub use record::Record;
pub use route::{OTHER_METHOD, Route, RouteError, Routes, UNMATCHED};
pub use route_table::{KeyTable, RouteTable};
pub use short::short_header_value;
pub use side::Side;
pub use tap::RequestTap;
pub use value::Value;
