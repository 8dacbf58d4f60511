//! A future that is timed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::timer::Timer;

pin_project! {
    /// A future whose result a [`Timer`] records: [`Timer::run`] makes it.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Timed<F> {
        #[pin]
        future: F,
        timer: Option<Timer>,
    }
}

impl<F> Timed<F> {
    pub(super) fn new(future: F, timer: Timer) -> Self {
        Self { future, timer: Some(timer) }
    }
}

impl<F, T, E> Future for Timed<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.future.poll(cx));
        Poll::Ready(match this.timer.take() {
            Some(timer) => timer.finish(result),
            None => result,
        })
    }
}
