//! Serving HTTP/1.1 and HTTP/2 over hyper until a [`Drain`] says stop (feature `serve`).

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming as RequestBody;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::sleep,
};
use tower_service::Service;

use crate::{Drain, Phase};

mod gauge;
mod incoming;
mod paced;
mod told;

use self::{
    gauge::{Gauge, Gauged},
    told::Told,
};
pub use self::{incoming::Incoming, paced::Paced};

static STALLED: AtomicU64 = AtomicU64::new(0);

/// How many connections were closed so far in this process because their client took too long for the head of a request, see
/// [`Drain::serve`].
pub fn connections_stalled_total() -> u64 {
    STALLED.load(Ordering::Relaxed)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Drain {
    /// Accepts from this listener until the [closing](Drain::closing): for a server that takes a stream of connections, as
    /// tonic's does.
    ///
    /// ```no_run
    /// # use bartizan_health::{Drain, Registry};
    /// # async fn run<S>(health: bartizan_health::Registry) -> Result<(), Box<dyn std::error::Error>> {
    /// let drain = Drain::new(health);
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:50051").await?;
    /// let incoming = drain.incoming(listener);
    /// // Server::builder().add_service(..).serve_with_incoming_shutdown(incoming, drain.closing())
    /// # Ok(())
    /// # }
    /// ```
    pub fn incoming(&self, listener: TcpListener) -> Incoming {
        Incoming::new(listener, Arc::clone(&self.shared))
    }

    /// Serves a tower service over HTTP/1.1 and HTTP/2 until the last request after the [closing](Drain::closing) has ended:
    /// an axum `Router`, tonic's `Routes`, or any other `Service<Request<hyper::body::Incoming>>`.
    ///
    /// Connections are told to go in the order of the [module](crate::drain#why-no-request-is-lost). Requests carry the peer's
    /// address ([`PeerAddress::of`](bartizan_core::PeerAddress::of); with the feature `axum` as `ConnectInfo<SocketAddr>`, with `tonic`
    /// for the `remote_addr` of gRPC requests). An upgraded connection counts as a request until it is dropped.
    ///
    /// Unlike tonic's own server this does not enforce `grpc-timeout`: a call ends when its client gives it up.
    ///
    /// ```no_run
    /// use std::convert::Infallible;
    /// use bartizan_health::{Drain, Registry};
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::Full;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let hello = tower::service_fn(|_: Request<hyper::body::Incoming>| async {
    ///     Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
    /// });
    /// let drain = Drain::new(Registry::new());
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// drain.run(drain.serve(listener, hello)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Failure
    ///
    /// A connection that cannot be accepted is logged; if that is for want of file descriptors or memory, accepting pauses for a
    /// second. No error of a connection or of the service ends the server.
    ///
    /// A connection whose client sends no request, or no end of its head, is closed after 30 to 60 seconds, and counted in
    /// [`connections_stalled_total`]. A client may take as long as it likes for a body, as the service reads it, and be silent between
    /// two requests: on the open internet that, and how many connections there are, is for the service or a proxy in front to limit.
    pub async fn serve<S, B>(&self, listener: TcpListener, service: S)
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<BoxError>,
    {
        let mut incoming = self.incoming(listener);
        while let Some((stream, peer)) = incoming.accept().await {
            let (drain, service) = (self.clone(), service.clone());
            let stream = stream.into_inner(); // It is paced below.
            tokio::spawn(async move { drain.serve_connection(stream, Some(peer), service).await });
        }
        self.served().await;
    }

    /// Serves one connection, and tells it to go when the time has come: for accept loops of your own, such as over TLS.
    ///
    /// Accept from [`incoming`](Self::incoming), run this in a task, and wait for [`served`](Self::served) at the end.
    pub async fn serve_connection<I, S, B>(&self, io: I, peer: Option<SocketAddr>, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<BoxError>,
    {
        let gauge = Arc::new(Gauge::new(Arc::clone(&self.shared)));
        let service = Told::new(TowerToHyperService::new(service), peer, Arc::clone(&gauge));
        let io = Paced::new(io, Arc::clone(&self.shared));
        let io = TokioIo::new(Gauged::new(io, Arc::clone(&gauge)));
        let mut http = auto::Builder::new(TokioExecutor::new());
        // For WebSockets over HTTP/2.
        http.http2().enable_connect_protocol();
        let mut connection = std::pin::pin!(http.serve_connection_with_upgrades(io, service));

        // In each step the connection is polled first: what has arrived is read before anything is decided.
        tokio::select! {
            biased;
            ended = &mut connection => return log(ended),
            () = self.reached(Phase::Closing) => {}
            () = gauge.stalled() => {
                STALLED.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        while let Some(patience) = gauge.patience() {
            let seen = gauge.bytes_read();
            tokio::select! {
                biased;
                ended = &mut connection => return log(ended),
                // Timers and sockets are looked at together: when this one fires, what has arrived is known.
                () = sleep(patience) => {}
            }
            if gauge.bytes_read() == seen {
                break;
            }
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            ended = &mut connection => log(ended),
            () = self.reached(Phase::Cut) => {}
        }
    }

    /// Waits for the [closing](Drain::closing), and then until no connection of this drain is left.
    pub async fn served(&self) {
        self.shared.until(|state| state.has_reached(Phase::Closing) && state.connections == 0).await;
    }

    async fn reached(&self, phase: Phase) {
        self.shared.until(|state| state.has_reached(phase)).await;
    }
}

fn log(ended: Result<(), BoxError>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;
