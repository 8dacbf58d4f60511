//! The end of a service without a lost request.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_health::{Drain, Phase, Registry};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let drain = Drain::new(registry.clone()).delay(Duration::from_millis(10)).deadline(Duration::from_secs(30));
//!
//! let server = {
//!     let drain = drain.clone();
//!     async move {
//!         // The signal of the server's own graceful shutdown: `axum::serve(..).with_graceful_shutdown(drain.closing())`.
//!         drain.closing().await;
//!     }
//! };
//! drain.stop(); // what SIGTERM does
//! drain.run(server).await?;
//! assert!(registry.is_draining() && drain.phase() == Phase::Closing);
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! 1. [`Drain::stop`]: readiness is 503 and gRPC health NOT_SERVING from that moment, liveness stays as it is, and the
//!    open gRPC watches end. **Everything is still served** for the [`delay`](Drain::delay), as load balancers, proxies
//!    and kube-proxy go on sending requests until word of it has reached them.
//! 2. After the delay the listener closes: first it accepts whoever has connected already. Requests in flight have
//!    until the [`deadline`](Drain::deadline) to finish.
//! 3. What is still running then is cut off, and [`Unfinished`] says so.
//!
//! Another call of `stop` skips to the next step: a second signal cuts the delay short, a third one the requests.
//!
//! # Why no request is lost
//!
//! A load balancer is no more than half of it: clients and proxies keep connections open, and go on using them. Over
//! HTTP/1.1 a server cannot refuse a request on a connection that it closes: if a request is under way while the server
//! closes an idle connection, the client reads the end of the connection instead of an answer, and cannot know whether
//! the request was worked on. That is the request which most servers lose when they stop. So, with the feature `serve`,
//! [`Drain::serve`] does this (other servers do what their own graceful shutdown does):
//!
//! - **HTTP/1.1 in the delay.** Every answer says `connection: close`. The client is told before it can send another
//!   request, and opens its next connection elsewhere. Whoever sends anything at all in the delay is gone before the
//!   listener closes.
//! - **HTTP/1.1 after it.** What is left was idle for the whole delay. A connection that has sent nothing yet, or part of
//!   a request, gets a second to send the rest: a new connection is not opened to send nothing. One that is idle between
//!   two requests is read once more before it is closed, so that a request that has arrived is answered. A request that
//!   is on the wire at that very moment is lost; HTTP/1.1 has no means against it (RFC 9112, section 9.6), which is why
//!   clients may send an idempotent one again. A client that pauses for longer than the delay meets this once
//!   in as many restarts as its pause is longer than a round trip.
//! - **HTTP/2** and gRPC have such a means, GOAWAY, and it has two steps (RFC 9113, section 6.8). The first one forbids
//!   new streams but promises to serve those that are on their way; a PING follows it, and with its answer everything sent
//!   before is known to have arrived. Then the second one names the last stream, and the connection closes when that
//!   has ended. Between the two the client has 100 ms, as many clients answer the PING before they send what they have
//!   queued. A request that comes too late all the same is one above that last stream: the client knows that nobody has looked at
//!   it, and may send it again whatever it is. GOAWAY is sent at the end of the delay: sent earlier it would only make clients connect to this instance anew,
//!   for as long as they are still sent here.
//! - **The backlog.** A connection that the kernel has taken but nobody has accepted is reset when the listener closes.
//!   So the listener is emptied first.
//!
//! What stays open for long (WebSockets, server-sent events, streaming calls) should look at [`Registry::draining`] and
//! end by itself; else it is cut off at the deadline.
//!
//! # Times
//!
//! The whole takes up to delay + deadline, and the flush of logs and spans comes after it. On Kubernetes
//! `terminationGracePeriodSeconds` must be longer than the sum. The delay must be longer than it takes until nobody
//! sends new connections: a failed readiness probe (`periodSeconds` × `failureThreshold`) where a load balancer finds out
//! by asking; about a second on Kubernetes, which takes the pod out of its Service when it is deleted, without asking.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::Registry;

/// How long connections may take to fall apart once they are cut off.
const FALL: Duration = Duration::from_secs(1);

/// How far a service is on its way down. Phases only go forward, and compare so.
///
/// ```
/// use bartizan_health::{Drain, Phase, Registry};
///
/// assert_eq!(Drain::new(Registry::new()).phase(), Phase::Serving);
/// assert!(Phase::Draining < Phase::Closing);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Nobody has asked it to stop.
    #[default]
    Serving,
    /// Readiness fails, and everything is served.
    Draining,
    /// No new connections; requests in flight finish.
    Closing,
    /// The deadline has passed: what is still running is cut off.
    Cut,
}

/// Requests were still running at the [deadline](Drain::deadline), or when a further [`stop`](Drain::stop) came; they were
/// cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "requests were still running {waited:.1?} after the listener closed and were cut off, at the drain deadline or by a \
     further signal: raise the deadline, or end long streams when the draining begins"
)]
#[non_exhaustive]
pub struct Unfinished {
    /// How long they were waited for.
    pub waited: Duration,
}

/// Stops a service in steps: see the [module](self). A clone is a handle to the same steps.
///
/// ```no_run
/// use bartizan_health::{Drain, Registry};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let drain = Drain::new(Registry::new());
/// let on_signal = drain.clone();
/// tokio::spawn(async move {
///     while tokio::signal::ctrl_c().await.is_ok() {
///         on_signal.stop();
///     }
/// });
/// drain.run(async { drain.closing().await /* your server */ }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Drain {
    registry: Registry,
    delay: Duration,
    deadline: Duration,
    pub(crate) shared: Arc<Shared>,
}

/// What the handles and every connection share.
#[derive(Default)]
pub(crate) struct Shared {
    /// For every request to read.
    phase: AtomicU8,
    pub(crate) state: watch::Sender<State>,
}

#[derive(Default)]
pub(crate) struct State {
    phase: Phase,
    stops: u32,
    /// Listeners that have not been emptied.
    pub(crate) listeners: usize,
    /// Of those that this crate serves.
    pub(crate) connections: usize,
}

impl State {
    pub(crate) fn has_reached(&self, phase: Phase) -> bool {
        self.phase >= phase
    }
}

impl Shared {
    pub(crate) fn has_reached(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) >= phase as u8
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.state.send_modify(|state| state.phase = phase);
    }

    pub(crate) async fn until(&self, reached: impl FnMut(&State) -> bool) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.state.subscribe().wait_for(reached).await;
    }
}

impl Drain {
    /// A delay of 5 seconds and a deadline of 30 seconds.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        let (delay, deadline) = (Duration::from_secs(5), Duration::from_secs(30));
        Self { registry, delay, deadline, shared: Arc::default() }
    }

    /// How long everything is still served while readiness fails. Default 5 s; zero in tests.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// How long requests in flight may take once the listener has closed. Default 30 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Asks to stop, as a signal does. Again: the delay is over; and again: so is the deadline.
    ///
    /// It acts while [`run`](Self::run) runs; called before, it is remembered.
    pub fn stop(&self) {
        self.shared.state.send_modify(|state| state.stops = state.stops.saturating_add(1));
    }

    /// Waits until [`stop`](Self::stop) is called, or was.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let drain = bartizan_health::Drain::new(bartizan_health::Registry::new());
    /// drain.stop();
    /// drain.stop_requested().await;
    /// # }
    /// ```
    pub async fn stop_requested(&self) {
        self.stopped(1).await;
    }

    /// How far it has come.
    pub fn phase(&self) -> Phase {
        let phases = [Phase::Cut, Phase::Closing, Phase::Draining];
        phases.into_iter().find(|phase| self.shared.has_reached(*phase)).unwrap_or(Phase::Serving)
    }

    /// Waits until the delay is over and every listener of this drain is empty and closed: what a server's graceful shutdown
    /// takes as its signal.
    pub fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        async move {
            shared.until(|state| state.has_reached(Phase::Closing) && state.listeners == 0).await;
        }
    }

    /// Runs a server until it ends, and takes it through the steps when [`stop`](Self::stop) is called. The server has to
    /// end by itself after [`closing`](Self::closing), when its last request has.
    ///
    /// Call it once.
    ///
    /// # Errors
    ///
    /// [`Unfinished`] if the server had not ended at the deadline.
    pub async fn run<F: Future>(&self, server: F) -> Result<F::Output, Unfinished> {
        let mut server = std::pin::pin!(server);
        tokio::select! {
            output = &mut server => return Ok(output),
            () = self.stopped(1) => {}
        }
        tracing::info!(
            delay_ms = self.delay.as_millis() as u64,
            deadline_ms = self.deadline.as_millis() as u64,
            "draining"
        );
        self.registry.drain();
        self.shared.enter(Phase::Draining);
        tokio::select! {
            output = &mut server => return Ok(output),
            () = sleep(self.delay) => {}
            () = self.stopped(2) => {}
        }
        tracing::info!("closing: no new connections, requests in flight finish");
        let began = tokio::time::Instant::now();
        let stops = self.shared.state.borrow().stops;
        self.shared.enter(Phase::Closing);
        tokio::select! {
            output = &mut server => return Ok(output),
            () = sleep(self.deadline) => {}
            () = self.stopped(stops.saturating_add(1)) => {}
        }
        self.shared.enter(Phase::Cut);
        let unfinished = Unfinished { waited: began.elapsed() };
        tracing::error!(connections = self.shared.state.borrow().connections, "{unfinished}");
        // Gives what is cut off the time to say so in the log.
        let _ = timeout(FALL, server).await;
        Err(unfinished)
    }

    async fn stopped(&self, times: u32) {
        self.shared.until(|state| state.stops >= times).await;
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("phase", &self.phase())
            .field("delay", &self.delay)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
