//! The beginning: startup checks before the listener opens, or beside it.

use std::sync::PoisonError;

use bartizan_health::StartupError;
use thiserror::Error;

use crate::observability::Observability;

/// Why [`start`](Observability::start) did not let the service begin.
#[derive(Error)]
#[non_exhaustive]
pub enum StartError {
    /// A startup check has not passed in time.
    #[error(transparent)]
    Check(#[from] StartupError),
    /// SIGTERM or SIGINT came first.
    #[error("told to stop before the startup checks had passed")]
    Stopped,
}

impl Observability {
    /// Runs the [startup checks](bartizan_health::startup) until they pass. Call it before the listener is bound, so that nobody can
    /// connect to a service that cannot work yet.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use bartizan::health::{CheckOptions, Startup};
    /// use bartizan::{Exit, Observability};
    ///
    /// #[tokio::main]
    /// async fn main() -> Exit {
    ///     run().await.into()
    /// }
    ///
    /// async fn run() -> Result<(), Box<dyn std::error::Error>> {
    ///     let startup = Startup::new().deadline(Duration::from_secs(30));
    ///     let observability = Observability::builder("orders").startup(startup).init()?;
    ///     let ping = || async { Ok::<_, std::io::Error>(()) };
    ///     observability.health().register_with("database", ping, CheckOptions::new().startup(true))?;
    ///     observability.start().await?;
    ///     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    ///     // observability.serve(listener, app).await?;
    ///     # drop(listener);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StartError`] if they have not passed at the deadline, or a signal to stop came before. Logs and spans are flushed by then.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer and I/O enabled, as `#[tokio::main]` makes it.
    pub async fn start(&self) -> Result<(), StartError> {
        self.listen_for_signals();
        let started = tokio::select! {
            started = self.health().start(self.0.startup) => started.map_err(StartError::from),
            () = self.drain().stop_requested() => Err(StartError::Stopped),
        };
        if started.is_err() {
            // What cannot be flushed was logged; the first error is the one that matters.
            let _ = self.shutdown().await;
        }
        started
    }

    /// Runs the startup checks in a task, while the service listens already: `/health/startup` and `/health/ready` are 503 until they
    /// have passed. If they do not pass in time, [`serve`](Self::serve) and [`run`](Self::run) end with the error.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_while_serving(&self) {
        let (this, started) = (self.clone(), self.health().start(self.0.startup));
        tokio::spawn(async move {
            if let Err(error) = started.await {
                *this.0.not_started.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                // Nobody was sent here yet: there is no need for the delay.
                this.drain().stop();
                this.drain().stop();
            }
        });
    }
}
