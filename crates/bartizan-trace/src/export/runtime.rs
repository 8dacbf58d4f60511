//! A runtime of our own for the transports.

use std::future::Future;
use std::io;
use std::thread;

use opentelemetry::Context;
use tokio::runtime::{Builder, EnterGuard, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// One thread that drives connections, whatever runtime the application has, or has not.
///
/// It also reads from connections nobody uses at the moment, so that a closed one is known to be
/// closed before the next batch. The thread ends after this value is dropped; nobody waits for it.
#[derive(Debug)]
pub(super) struct ExportRuntime {
    handle: Handle,
    /// Dropping it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl ExportRuntime {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new().name("bartizan-otlp".to_owned()).spawn(move || {
            // Spans about sending spans would be sent by sending spans.
            let _no_telemetry = Context::enter_telemetry_suppressed_scope();
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self { handle, _stop: stop })
    }

    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    pub(super) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.handle.spawn(future)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_runs_here_makes_no_telemetry() {
        let runtime = ExportRuntime::start().unwrap();
        let suppressed = runtime.spawn(async { Context::is_current_telemetry_suppressed() });
        assert!(suppressed.await.unwrap());
        assert!(!Context::is_current_telemetry_suppressed());
    }

    #[tokio::test]
    async fn the_runtime_ends_with_its_owner_even_while_something_runs() {
        let runtime = ExportRuntime::start().unwrap();
        let endless = runtime.spawn(std::future::pending::<()>());
        drop(runtime);
        assert!(endless.await.unwrap_err().is_cancelled());
    }
}
