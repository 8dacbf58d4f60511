//! How much of a request's body is read.
//!
//! The body's type stays as it is, because services name it. So bytes are counted in place where the host's body type can
//! hold another body (axum's); elsewhere the length counts that the body promises, if it does.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Request;
use http_body::Body;

use crate::record::Record;

/// What is known of the size of a request's body.
pub(crate) enum RequestSize {
    /// So many bytes have been read.
    Counted(AtomicU64),
    /// The body's promise.
    Promised(Option<u64>),
}

impl RequestSize {
    pub(crate) fn of<B: Body + 'static>(body: &B) -> Self {
        if body.is_end_stream() {
            Self::Promised(Some(0))
        } else if can_count(body) {
            Self::Counted(AtomicU64::new(0))
        } else {
            Self::Promised(body.size_hint().exact())
        }
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Counted(bytes) => Some(bytes.load(Ordering::Relaxed)),
            Self::Promised(bytes) => *bytes,
        }
    }

    #[cfg(feature = "axum")]
    fn add(&self, bytes: u64) {
        if let Self::Counted(sum) = self {
            sum.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// Counts what is read of this request's body from now on, if that is how its size is known.
pub(crate) fn count<B: 'static>(request: &mut Request<B>, record: &Record) {
    if matches!(record.request_size(), RequestSize::Counted(_)) {
        count_in_place(request.body_mut(), record);
    }
}

#[cfg(feature = "axum")]
fn can_count(body: &dyn Any) -> bool {
    body.is::<axum::body::Body>()
}

#[cfg(not(feature = "axum"))]
fn can_count(_: &dyn Any) -> bool {
    false
}

#[cfg(not(feature = "axum"))]
fn count_in_place(_: &mut dyn Any, _: &Record) {}

#[cfg(feature = "axum")]
fn count_in_place(body: &mut dyn Any, record: &Record) {
    if let Some(body) = body.downcast_mut::<axum::body::Body>() {
        let inner = std::mem::take(body);
        *body = axum::body::Body::new(counted::Counted::new(inner, record.clone()));
    }
}

#[cfg(feature = "axum")]
mod counted {
    use std::pin::Pin;
    use std::task::{self, Poll, ready};

    use bytes::Buf;
    use http_body::{Body, Frame, SizeHint};
    use pin_project_lite::pin_project;

    use crate::record::Record;

    pin_project! {
        /// A body that counts its bytes into the record.
        pub(super) struct Counted<B> {
            #[pin]
            inner: B,
            record: Record,
        }
    }

    impl<B> Counted<B> {
        pub(super) fn new(inner: B, record: Record) -> Self {
            Self { inner, record }
        }
    }

    impl<B: Body> Body for Counted<B> {
        type Data = B::Data;
        type Error = B::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            cx: &mut task::Context<'_>,
        ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
            let this = self.project();
            let frame = ready!(this.inner.poll_frame(cx));
            if let Some(Ok(frame)) = &frame
                && let Some(data) = frame.data_ref()
            {
                this.record.request_size().add(data.remaining() as u64);
            }
            Poll::Ready(frame)
        }

        fn is_end_stream(&self) -> bool {
            self.inner.is_end_stream()
        }

        fn size_hint(&self) -> SizeHint {
            self.inner.size_hint()
        }
    }
}
