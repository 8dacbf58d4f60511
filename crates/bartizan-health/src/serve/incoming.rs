//! Connections until the closing, and then those that had come already.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use tokio::{
    net::{TcpListener, TcpStream},
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use super::Paced;
use crate::{Phase, drain::Shared};

/// How long to wait for file descriptors to come free.
const PAUSE: Duration = Duration::from_secs(1);
/// How many connections are still taken when the listener closes: more than a backlog usually has.
const LAST: usize = 4096;

/// The connections of a listener, from [`Drain::incoming`](crate::Drain::incoming). It ends at the
/// [closing](crate::Drain::closing), when the listener's backlog is empty.
///
/// Nagle's algorithm is off on the connections (`TCP_NODELAY`). An error is logged and not an item.
///
/// ```
/// # use std::time::Duration;
/// use bartizan_health::{Drain, Registry};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let drain = Drain::new(Registry::new()).delay(Duration::ZERO);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// let mut incoming = drain.incoming(listener);
///
/// let early = tokio::net::TcpStream::connect(address).await?;
/// drain.stop();
/// drain.run(async {
///     let (stream, _) = incoming.accept().await.expect("it had connected");
///     assert_eq!(stream.get_ref().peer_addr()?, early.local_addr()?);
///     assert!(incoming.accept().await.is_none());
///     Ok::<_, std::io::Error>(())
/// }).await??;
/// assert!(tokio::net::TcpStream::connect(address).await.is_err());
/// # Ok(())
/// # }
/// ```
pub struct Incoming {
    /// None once it is closed.
    listener: Option<TcpListener>,
    shared: Arc<Shared>,
    closing: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pause: Option<Pin<Box<Sleep>>>,
    last: usize,
}

impl Incoming {
    pub(super) fn new(listener: TcpListener, shared: Arc<Shared>) -> Self {
        shared.state.send_modify(|state| state.listeners += 1);
        let closing = {
            let shared = Arc::clone(&shared);
            Box::pin(async move { shared.until(|state| state.has_reached(Phase::Closing)).await })
        };
        Self { listener: Some(listener), shared, closing: Some(closing), pause: None, last: LAST }
    }

    /// The next connection and its peer; none once the listener has closed.
    pub async fn accept(&mut self) -> Option<(Paced<TcpStream>, SocketAddr)> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Paced<TcpStream>, SocketAddr)>> {
        let is_closing = match &mut self.closing {
            Some(closing) => closing.as_mut().poll(cx).is_ready(),
            None => true,
        };
        if is_closing {
            self.closing = None;
            return Poll::Ready(self.take_last(cx));
        }
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let Some(listener) = &self.listener else { return Poll::Ready(None) };
            match ready!(listener.poll_accept(cx)) {
                Ok(accepted) => return Poll::Ready(Some(self.paced(accepted))),
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
            }
        }
    }

    /// One of those that connected before the listener closes. Closes it after the last one.
    fn take_last(&mut self, cx: &mut Context<'_>) -> Option<(Paced<TcpStream>, SocketAddr)> {
        let listener = self.listener.as_ref()?;
        while let Some(left) = self.last.checked_sub(1) {
            self.last = left;
            // Unconstrained, as a runtime that wants to yield says `Pending` too.
            let accept = std::future::poll_fn(|cx| listener.poll_accept(cx));
            match std::pin::pin!(unconstrained(accept)).poll(cx) {
                Poll::Ready(Ok(accepted)) => return Some(self.paced(accepted)),
                Poll::Ready(Err(error)) if is_of_the_connection(&error) => {}
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
        self.close();
        None
    }

    fn paced(&self, (stream, peer): (TcpStream, SocketAddr)) -> (Paced<TcpStream>, SocketAddr) {
        // It fails only on a connection that is gone, which its reader will see.
        let _ = stream.set_nodelay(true);
        (Paced::new(stream, Arc::clone(&self.shared)), peer)
    }

    fn close(&mut self) {
        if self.listener.take().is_some() {
            self.shared.state.send_modify(|state| state.listeners -= 1);
        }
    }
}

/// Whether only the one connection failed, and the listener can go on.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

impl Stream for Incoming {
    type Item = io::Result<Paced<TcpStream>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_accept(cx).map(|accepted| accepted.map(|(stream, _)| Ok(stream)))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("listener", &self.listener).finish_non_exhaustive()
    }
}
