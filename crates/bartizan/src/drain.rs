//! The beginning of the end: signals, and readiness that fails before the listener closes.

use crate::observability::Observability;

impl Observability {
    /// Waits for SIGTERM or Ctrl-C, turns readiness to 503, and returns after the
    /// [drain delay](crate::ObservabilityBuilder::drain_delay) or at a second signal: when the listener may close.
    ///
    /// For hosts that [`serve`](Self::serve) is not made for:
    ///
    /// ```no_run
    /// # async fn run(observability: bartizan::Observability, server: impl Future<Output = ()>) {
    /// tokio::select! {
    ///     () = server => {}
    ///     () = observability.drained() => {}
    /// }
    /// let _ = observability.shutdown().await;
    /// # }
    /// ```
    pub async fn drained(&self) {
        signal().await;
        let delay = self.times().drain_delay;
        tracing::info!(target: "bartizan", delay_ms = delay.as_millis() as u64, "draining");
        self.health().drain();
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = signal() => {}
        }
    }
}

/// SIGTERM, or Ctrl-C. Where a signal cannot be listened to, the other one still counts.
async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
