//! Turns a panic, or an error that nothing handled, into one answer that tells nothing of the inside.
//!
//! [`CatchLayer`] belongs innermost, right around the service, so that the layers outside see a response. It marks that
//! response, so the ending still says `panicked` or `service_error`.
//!
//! | request | answer |
//! |---|---|
//! | HTTP | 500, `{"error":"internal_server_error","request_id":".."}`; the id is `null` where there is none |
//! | gRPC | 200 with `grpc-status: 13` and no body |
//!
//! Nothing is logged here. A panic is logged by the process's panic hook, while it happens and with its backtrace; an error
//! is logged by an `ERROR` event with its text, masked by the subscriber. A panic in a *body* cannot be answered any more:
//! it unwinds, and the ending says `panicked`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::answer::AnswerBody;
use crate::context::Context;
use crate::grpc::Protocol;
use crate::method::KnownMethod;
use crate::outcome::Outcome;
use crate::record::Record;

/// Marks a response that was made of a panic or an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caught(pub(crate) Outcome);

/// A layer that answers for a service that panicked or failed.
///
/// ```
/// use bartizan_core::CatchLayer;
/// use tower_layer::Layer;
/// # let service = ();
///
/// let service = CatchLayer::new().layer(service);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CatchLayer(());

impl CatchLayer {
    /// The layer; there is nothing to set.
    pub fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for CatchLayer {
    type Service = Catch<S>;

    fn layer(&self, inner: S) -> Catch<S> {
        Catch { inner }
    }
}

/// A service that answers instead of panicking: what [`CatchLayer`] makes of the inner one.
#[derive(Clone, Debug)]
pub struct Catch<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Catch<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: Body,
    R::Data: From<Bytes>,
{
    type Response = Response<AnswerBody<R>>;
    type Error = S::Error;
    type Future = CatchFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let protocol = Protocol::of_request(KnownMethod::of(request.method()), request.headers());
        let inner = catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));
        CatchFuture { inner: inner.ok(), protocol }
    }
}

pin_project! {
    /// The response future of [`Catch`].
    #[must_use = "futures do nothing unless they are polled"]
    pub struct CatchFuture<F> {
        // None where `call` itself panicked, or the future has.
        #[pin]
        inner: Option<F>,
        protocol: Protocol,
    }
}

impl<F, R, E> Future for CatchFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: fmt::Display,
{
    type Output = Result<Response<AnswerBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut polled = Poll::Pending;
        let outcome = match this.inner.as_mut().as_pin_mut() {
            None => Outcome::Panicked,
            Some(inner) => match catch_unwind(AssertUnwindSafe(|| polled = inner.poll(cx))) {
                Err(_panic) => Outcome::Panicked,
                Ok(()) => match polled {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(response)) => return Poll::Ready(Ok(response.map(AnswerBody::inner))),
                    Poll::Ready(Err(error)) => {
                        tracing::error!(target: "bartizan::request", error = %error, "unhandled error");
                        Outcome::ServiceError
                    }
                },
            },
        };
        // A future that panicked must not be polled again, and its drop may panic too.
        let _ = catch_unwind(AssertUnwindSafe(|| this.inner.set(None)));
        Poll::Ready(Ok(answer(outcome, *this.protocol)))
    }
}

impl<F> fmt::Debug for CatchFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchFuture").finish_non_exhaustive()
    }
}

fn answer<R>(outcome: Outcome, protocol: Protocol) -> Response<AnswerBody<R>> {
    let mut response = match protocol {
        Protocol::Http => {
            // A correlation id has no character that JSON would escape.
            let body = Context::with_current(|current| {
                let id = current.record().and_then(Record::correlation_id)?;
                Some(format!("{{\"error\":\"internal_server_error\",\"request_id\":\"{id}\"}}"))
            });
            let body = body
                .flatten()
                .unwrap_or_else(|| r#"{"error":"internal_server_error","request_id":null}"#.to_owned());
            let mut response = Response::new(AnswerBody::full(body));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Protocol::Grpc => {
            let mut response = Response::new(AnswerBody::full(Bytes::new()));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert("grpc-status", HeaderValue::from_static("13"));
            headers.insert("grpc-message", HeaderValue::from_static("internal server error"));
            response
        }
    };
    response.extensions_mut().insert(Caught(outcome));
    response
}
