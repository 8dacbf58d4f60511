//! SIGTERM and SIGINT, or Ctrl-C where there are no signals.

use std::sync::PoisonError;

use crate::observability::Observability;

impl Observability {
    /// From now on each signal asks the drain to stop. Once listened to, a signal ends no process by itself any more, so this goes on
    /// for as long as the runtime does.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O enabled.
    pub(crate) fn listen_for_signals(&self) {
        let mut listening = self.0.signals.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            let (drain, mut signals) = (self.drain().clone(), Signals::listen());
            *listening = Some(tokio::spawn(async move {
                loop {
                    signals.next().await;
                    drain.stop();
                }
            }));
        }
    }
}

/// The signals that ask a service to stop, from the moment of [`listen`](Self::listen) on: none is missed between two calls of
/// [`next`](Self::next). One that cannot be listened to never comes.
struct Signals {
    #[cfg(unix)]
    signals: [Option<tokio::signal::unix::Signal>; 2],
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok());
        Self { signals }
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.signals;
        tokio::select! {
            Some(()) = next(terminate) => {}
            Some(()) = next(interrupt) => {}
            else => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
async fn next(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    signal.as_mut()?.recv().await
}

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
