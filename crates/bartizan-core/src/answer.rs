//! For layers that answer some requests themselves and pass the others on: their future and their body.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use bytes::Bytes;
use http::Response;
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
        kind: BodyKind<R>,
    }
}

pin_project! {
    #[project = BodyProjection]
    #[derive(Debug)]
    enum BodyKind<R> {
        Inner { #[pin] body: R },
        Full { bytes: Bytes },
    }
}

impl<R> AnswerBody<R> {
    /// The inner service's body.
    #[inline]
    pub fn inner(body: R) -> Self {
        Self { kind: BodyKind::Inner { body } }
    }

    /// A complete answer.
    #[inline]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self { kind: BodyKind::Full { bytes: bytes.into() } }
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
            BodyProjection::Inner { body } => body.poll_frame(cx),
            BodyProjection::Full { bytes } if bytes.is_empty() => Poll::Ready(None),
            BodyProjection::Full { bytes } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes).into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            BodyKind::Inner { body } => body.is_end_stream(),
            BodyKind::Full { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            BodyKind::Inner { body } => body.size_hint(),
            BodyKind::Full { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

pin_project! {
    /// The inner service's future, or `A`, which answers in its place.
    ///
    /// ```
    /// use bartizan_core::AnswerFuture;
    /// use bytes::Bytes;
    /// use http::Response;
    /// use std::future::{Ready, ready};
    ///
    /// type Inner = Ready<Result<Response<http_body_util::Full<Bytes>>, std::convert::Infallible>>;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let answer = ready(Response::new(Bytes::from_static(b"alive")));
    /// let response = AnswerFuture::<Inner, _>::answer(answer).await.unwrap();
    /// assert_eq!(response.status(), 200);
    /// # });
    /// ```
    pub struct AnswerFuture<F, A> {
        #[pin]
        kind: FutureKind<F, A>,
    }
}

pin_project! {
    #[project = FutureProjection]
    enum FutureKind<F, A> {
        Inner { #[pin] future: F },
        Answer { #[pin] answer: A },
    }
}

impl<F, A> AnswerFuture<F, A> {
    /// The inner service's future.
    #[inline]
    pub fn inner(future: F) -> Self {
        Self { kind: FutureKind::Inner { future } }
    }

    /// A future that answers in its place.
    #[inline]
    pub fn answer(answer: A) -> Self {
        Self { kind: FutureKind::Answer { answer } }
    }
}

impl<F, A, R, E> Future for AnswerFuture<F, A>
where
    F: Future<Output = Result<Response<R>, E>>,
    A: Future<Output = Response<Bytes>>,
{
    type Output = Result<Response<AnswerBody<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project().kind.project() {
            FutureProjection::Inner { future } => ready!(future.poll(cx))?.map(AnswerBody::inner),
            FutureProjection::Answer { answer } => ready!(answer.poll(cx)).map(AnswerBody::full),
        }))
    }
}

impl<F, A> fmt::Debug for AnswerFuture<F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerFuture").finish_non_exhaustive()
    }
}
