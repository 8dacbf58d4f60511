//! The service of one connection: it tells requests who is asking, and HTTP/1.1 clients when to go.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header::CONNECTION};
use http_body::{Body, Frame, SizeHint};
use hyper::service::Service;
use pin_project_lite::pin_project;
#[cfg(feature = "tonic")]
use tonic::transport::server::TcpConnectInfo;

use super::gauge::{Flight, Gauge};

/// A service whose connection is gauged. A request is in flight before the service is ready for it.
pub(super) struct Told<S> {
    inner: S,
    peer: Option<SocketAddr>,
    gauge: Arc<Gauge>,
}

impl<S> Told<S> {
    pub(super) fn new(inner: S, peer: Option<SocketAddr>, gauge: Arc<Gauge>) -> Self {
        Self { inner, peer, gauge }
    }
}

impl<S, B, R> Service<Request<B>> for Told<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<ToldBody<R>>;
    type Error = S::Error;
    type Future = ToldFuture<S::Future>;

    fn call(&self, mut request: Request<B>) -> Self::Future {
        if let Some(peer) = self.peer {
            #[cfg(feature = "axum")]
            request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
            #[cfg(not(feature = "axum"))]
            request.extensions_mut().insert(bartizan_core::PeerAddress(peer));
            // Where tonic's own server has it, and `Request::remote_addr` looks.
            #[cfg(feature = "tonic")]
            if bartizan_core::Protocol::of(request.headers()) == bartizan_core::Protocol::Grpc {
                let info = TcpConnectInfo { local_addr: None, remote_addr: Some(peer) };
                request.extensions_mut().insert(info);
            }
        }
        // To CONNECT, a success is the beginning of a tunnel.
        let can_close = request.version() <= Version::HTTP_11 && request.method() != Method::CONNECT;
        let flight = Some(Flight::begin(&self.gauge));
        ToldFuture { inner: self.inner.call(request), flight, can_close }
    }
}

pin_project! {
    pub(super) struct ToldFuture<F> {
        #[pin]
        inner: F,
        flight: Option<Flight>,
        can_close: bool,
    }
}

impl<F, R, E> Future for ToldFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<ToldBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let flight = this.flight.take();
        if *this.can_close
            && response.status() != StatusCode::SWITCHING_PROTOCOLS
            && flight.as_ref().is_some_and(Flight::is_among_the_last)
        {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response.map(|inner| ToldBody { inner, flight })))
    }
}

pin_project! {
    /// A body that holds its request in flight.
    pub(super) struct ToldBody<R> {
        #[pin]
        inner: R,
        flight: Option<Flight>,
    }
}

impl<R: Body> Body for ToldBody<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        self.project().inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
