//! How much of a request's body is read.
//!
//! The body's type stays as it is, because services name it. So bytes and gRPC messages are counted in place where the host's body
//! type can hold another body (axum's and tonic's); elsewhere the length counts that the body promises, if it does.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use http::Request;
use http_body::Body;

use crate::record::Record;
use crate::tap::RequestTap;

/// What is known of the size of a request's body.
pub(crate) enum RequestSize {
    /// So many bytes and gRPC messages have been read.
    Counted { bytes: AtomicU64, messages: AtomicU64, tap: OnceLock<Arc<dyn RequestTap>> },
    /// The body's promise.
    Promised(Option<u64>),
}

impl RequestSize {
    pub(crate) fn of<B: Body + 'static>(body: &B) -> Self {
        if body.is_end_stream() {
            Self::Promised(Some(0))
        } else if can_count(body) {
            Self::Counted { bytes: AtomicU64::new(0), messages: AtomicU64::new(0), tap: OnceLock::new() }
        } else {
            Self::Promised(body.size_hint().exact())
        }
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Counted { bytes, .. } => Some(bytes.load(Ordering::Relaxed)),
            Self::Promised(bytes) => *bytes,
        }
    }

    pub(crate) fn messages(&self) -> Option<u64> {
        match self {
            Self::Counted { messages, .. } => Some(messages.load(Ordering::Relaxed)),
            Self::Promised(bytes) => bytes.filter(|bytes| *bytes == 0),
        }
    }

    pub(crate) fn set_tap(&self, new: Arc<dyn RequestTap>) -> bool {
        match self {
            Self::Counted { tap, .. } => tap.set(new).is_ok(),
            Self::Promised(_) => false,
        }
    }

    #[cfg(any(feature = "axum", feature = "tonic"))]
    fn add(&self, data: &[u8]) {
        if let Self::Counted { bytes, tap, .. } = self {
            bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
            if let Some(tap) = tap.get() {
                tap.data(data);
            }
        }
    }

    #[cfg(any(feature = "axum", feature = "tonic"))]
    fn end(&self) {
        if let Self::Counted { tap, .. } = self
            && let Some(tap) = tap.get()
        {
            tap.end();
        }
    }

    #[cfg(any(feature = "axum", feature = "tonic"))]
    fn set_messages(&self, read: u64) {
        if let Self::Counted { messages, .. } = self {
            messages.store(read, Ordering::Relaxed);
        }
    }
}

/// Counts what is read of this request's body from now on, if that is how its size is known.
pub(crate) fn count<B: 'static>(request: &mut Request<B>, record: &Record) {
    if matches!(record.request_size(), RequestSize::Counted { .. }) {
        count_in_place(request.body_mut(), record);
    }
}

fn can_count(body: &dyn Any) -> bool {
    #[cfg(feature = "axum")]
    if body.is::<axum::body::Body>() {
        return true;
    }
    #[cfg(feature = "tonic")]
    if body.is::<tonic::body::Body>() {
        return true;
    }
    let _ = body;
    false
}

fn count_in_place(body: &mut dyn Any, record: &Record) {
    #[cfg(feature = "axum")]
    if let Some(body) = body.downcast_mut::<axum::body::Body>() {
        let inner = std::mem::take(body);
        *body = axum::body::Body::new(counted::Counted::new(inner, record.clone()));
        return;
    }
    #[cfg(feature = "tonic")]
    if let Some(body) = body.downcast_mut::<tonic::body::Body>() {
        let inner = std::mem::take(body);
        *body = tonic::body::Body::new(counted::Counted::new(inner, record.clone()));
        return;
    }
    let _ = (body, record);
}

#[cfg(any(feature = "axum", feature = "tonic"))]
mod counted {
    use std::pin::Pin;
    use std::task::{self, Poll, ready};

    use bytes::Bytes;
    use http_body::{Body, Frame, SizeHint};
    use pin_project_lite::pin_project;

    use crate::grpc::Protocol;
    use crate::grpc::framing::Framing;
    use crate::record::Record;

    pin_project! {
        /// A body that counts its bytes and messages into the record.
        pub(super) struct Counted<B> {
            #[pin]
            inner: B,
            record: Record,
            framing: Option<Framing>,
        }
    }

    impl<B> Counted<B> {
        pub(super) fn new(inner: B, record: Record) -> Self {
            let framing = (record.protocol() == Protocol::Grpc).then(Framing::default);
            Self { inner, record, framing }
        }
    }

    impl<B: Body<Data = Bytes>> Body for Counted<B> {
        type Data = Bytes;
        type Error = B::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            cx: &mut task::Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
            let mut this = self.project();
            let frame = ready!(this.inner.as_mut().poll_frame(cx));
            let size = this.record.request_size();
            if let Some(Ok(frame)) = &frame
                && let Some(data) = frame.data_ref()
            {
                size.add(data);
                if let Some(framing) = this.framing {
                    framing.push(data);
                    size.set_messages(framing.messages().unwrap_or_default());
                }
            }
            if frame.is_none() || this.inner.is_end_stream() {
                size.end();
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
