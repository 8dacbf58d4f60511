//! SIGTERM and SIGINT, or Ctrl-C where there are no signals.

/// The signals that ask a service to stop, from the moment of [`listen`](Self::listen) on: none is missed between two calls of
/// [`next`](Self::next). One that cannot be listened to never comes.
pub(crate) struct Signals {
    #[cfg(unix)]
    signals: [Option<tokio::signal::unix::Signal>; 2],
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok());
        Self { signals }
    }

    pub(crate) async fn next(&mut self) {
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
    pub(crate) fn listen() -> Self {
        Self {}
    }

    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
