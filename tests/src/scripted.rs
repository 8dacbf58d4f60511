//! A body that follows a script, frame by frame.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// What a [`ScriptedBody`] does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// A data frame.
    Data(&'static str),
    /// Trailers.
    Trailers(HeaderMap),
    /// An error.
    Error,
    /// A panic.
    Panic,
    /// Nothing, this once: lets the host flush what it has.
    Yield,
    /// Nothing, ever again.
    Hang,
}

/// The error of [`Step::Error`].
#[derive(Debug)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body broke")
    }
}

impl std::error::Error for Broken {}

/// A body that follows a script and then ends. It never says so ahead of time, as a stream would not, unless it
/// is told to.
#[derive(Debug, Clone, Default)]
pub struct ScriptedBody {
    steps: VecDeque<Step>,
    tells_end: bool,
    exact: Option<u64>,
}

impl ScriptedBody {
    /// A body of these steps.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    /// Makes `is_end_stream` true as soon as nothing is left.
    #[must_use]
    pub fn that_tells_its_end(mut self) -> Self {
        self.tells_end = true;
        self
    }

    /// Makes `size_hint` exact.
    #[must_use]
    pub fn of_exactly(mut self, bytes: u64) -> Self {
        self.exact = Some(bytes);
        self
    }
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(data.as_bytes()))))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Error) => Poll::Ready(Some(Err(Broken))),
            Some(Step::Panic) => panic!("the script says so"),
            Some(Step::Yield) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Hang) => {
                self.steps.push_front(Step::Hang);
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
