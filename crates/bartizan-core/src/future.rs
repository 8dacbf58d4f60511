//! The response future of [`Observe`](crate::Observe).

use std::pin::Pin;
use std::task::{self, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::body::ResponseBody;
use crate::kept::Kept;
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
        // Nothing where nobody watches.
        live: Kept<Live<X>>,
    }

    impl<F, X> PinnedDrop for ResponseFuture<F, X>
    where
        X: Exchange,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.live.release(this.inner);
        }
    }
}

impl<F, X: Exchange> ResponseFuture<F, X> {
    /// Nobody watches, if nothing is kept.
    pub(crate) fn new(inner: F, live: Kept<Live<X>>) -> Self {
        Self { inner: Some(inner), live }
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
        let this = self.project();
        let Some(live) = this.live.get_mut() else {
            let response = ready!(poll_to_end(this.inner, cx))?;
            return Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, Kept::default()))));
        };
        let (entered, state) = live.within();
        let polling = state.polling();
        let mut polled = poll_to_end(this.inner, cx);
        polling.done();
        match &mut polled {
            Poll::Ready(Ok(response)) => state.head(response),
            Poll::Ready(Err(error)) => state.fail(error),
            Poll::Pending => {}
        }
        drop(entered);
        let response = ready!(polled)?;
        let live = std::mem::take(this.live);
        Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, live))))
    }
}

/// Drops the future when it has ended. It is not polled again; if it is, it does not end.
fn poll_to_end<F: Future>(mut future: Pin<&mut Option<F>>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
    let Some(polling) = future.as_mut().as_pin_mut() else { return Poll::Pending };
    let polled = polling.poll(cx);
    if polled.is_ready() {
        future.set(None);
    }
    polled
}

impl<F, X: Exchange> std::fmt::Debug for ResponseFuture<F, X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
