//! A body that is either the inner service's or a complete answer of our own.

use std::pin::Pin;
use std::task::{self, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The inner service's body, or a complete answer in its place.
    ///
    /// ```
    /// use bartizan_core::AnswerBody;
    /// use bytes::Bytes;
    /// use http_body::Body;
    /// use http_body_util::Full;
    ///
    /// let answer: AnswerBody<Full<Bytes>> = AnswerBody::full(Bytes::from_static(b"alive"));
    /// assert_eq!(answer.size_hint().exact(), Some(5));
    /// ```
    #[derive(Debug)]
    pub struct AnswerBody<R> {
        #[pin]
        kind: Kind<R>,
    }
}

pin_project! {
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<R> {
        Inner { #[pin] body: R },
        Full { bytes: Bytes },
    }
}

impl<R> AnswerBody<R> {
    /// The inner service's body.
    pub fn inner(body: R) -> Self {
        Self { kind: Kind::Inner { body } }
    }

    /// A complete answer.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Full { bytes: bytes.into() } }
    }
}

impl<R> Body for AnswerBody<R>
where
    R: Body,
    R::Data: From<Bytes>,
{
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        match self.project().kind.project() {
            KindProjection::Inner { body } => body.poll_frame(cx),
            KindProjection::Full { bytes } if bytes.is_empty() => Poll::Ready(None),
            KindProjection::Full { bytes } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes).into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Full { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Full { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
