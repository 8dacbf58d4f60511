//! The response future of [`Observe`](crate::Observe).

use std::pin::Pin;
use std::task::{self, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::body::ResponseBody;
use crate::live::Live;
use crate::observer::Exchange;

pin_project! {
    /// The response future of [`Observe`](crate::Observe). Dropped before it resolves, it ends the exchange as
    /// `cancelled_before_head`.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct ResponseFuture<F, X>
    where
        X: Exchange,
    {
        #[pin]
        inner: Option<F>,
        live: Option<Live<X>>,
    }

    impl<F, X> PinnedDrop for ResponseFuture<F, X>
    where
        X: Exchange,
    {
        fn drop(this: Pin<&mut Self>) {
            // What the handler's own guards log while they are dropped belongs to the request as well.
            let mut this = this.project();
            if let (Some(live), true) = (this.live, this.inner.is_some()) {
                live.within(|live| live.release(|| this.inner.set(None)));
            }
        }
    }
}

impl<F, X: Exchange> ResponseFuture<F, X> {
    pub(crate) fn unwatched(inner: F) -> Self {
        Self { inner: Some(inner), live: None }
    }

    /// Watches the call and what it returns. What is large is not handed through the closures, each of which would copy it.
    #[inline]
    pub(crate) fn watched(live: Live<X>, call: impl FnOnce() -> Option<F>) -> Self {
        let mut future = Self { inner: None, live: Some(live) };
        let Self { inner, live } = &mut future;
        if let Some(live) = live {
            live.within(|live| live.poll(|| *inner = call()));
        }
        future
    }
}

impl<F, R, E, X> Future for ResponseFuture<F, X>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: 'static,
    X: Exchange,
{
    type Output = Result<Response<ResponseBody<R, X>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
        let Some(live) = this.live.as_mut() else {
            let response = ready!(inner.poll(cx))?;
            this.inner.set(None);
            return Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, None))));
        };
        let mut polled = Poll::Pending;
        live.within(|live| {
            live.poll(|| {
                if let Some(inner) = this.inner.as_mut().as_pin_mut() {
                    polled = inner.poll(cx);
                }
                if polled.is_ready() {
                    this.inner.set(None);
                }
            });
            match &mut polled {
                Poll::Ready(Ok(response)) => live.head(response),
                Poll::Ready(Err(error)) => live.fail(error),
                Poll::Pending => {}
            }
        });
        let response = ready!(polled)?;
        let live = this.live.take();
        Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, live))))
    }
}

impl<F, X: Exchange> std::fmt::Debug for ResponseFuture<F, X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
