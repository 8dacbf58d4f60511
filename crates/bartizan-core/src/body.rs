//! The response body that [`Observe`](crate::Observe) wraps around the service's: it finds the exchange's end.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::kept::Kept;
use crate::live::Live;
use crate::observer::Exchange;
use crate::outcome::Outcome;

pin_project! {
    /// A response body that ends its exchange: at the last frame, the trailers or an error, or when it is dropped.
    pub struct ResponseBody<R, X>
    where
        X: Exchange,
    {
        #[pin]
        inner: Option<R>,
        // Nothing where nobody watches.
        live: Kept<Live<X>>,
    }

    impl<R, X> PinnedDrop for ResponseBody<R, X>
    where
        X: Exchange,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.live.release(this.inner);
        }
    }
}

impl<R, X: Exchange> ResponseBody<R, X> {
    pub(crate) fn new(inner: R, live: Kept<Live<X>>) -> Self {
        Self { inner: Some(inner), live }
    }
}

impl<R: Body, X: Exchange> Body for ResponseBody<R, X> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let Some(live) = this.live.get_mut() else { return inner.poll_frame(cx) };
        let (_entered, state) = live.within();
        let polling = state.polling();
        let polled = inner.as_mut().poll_frame(cx);
        polling.done();
        // A host may stop at the exact length, without asking for the end.
        let last = match &polled {
            Poll::Pending => false,
            Poll::Ready(None) => {
                state.end_by_status();
                true
            }
            Poll::Ready(Some(Err(_))) => {
                state.end(Outcome::BodyError);
                false
            }
            Poll::Ready(Some(Ok(frame))) => {
                let last = inner.is_end_stream();
                state.frame(frame, last);
                last
            }
        };
        if last {
            this.inner.set(None);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<R, X: Exchange> fmt::Debug for ResponseBody<R, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
