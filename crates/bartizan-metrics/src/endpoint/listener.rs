//! A listener for the metrics paths alone (feature `listener`).

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{MetricsEndpoint, PageService};

/// Connections at a time; others wait to be accepted.
const CONNECTIONS: usize = 64;

/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection is kept, and how long its last answer may take then.
const LIFE: Duration = Duration::from_mins(10);
const LAST: Duration = Duration::from_secs(30);

impl MetricsEndpoint {
    /// Serves the metrics paths on a listener of their own, over HTTP/1.1, until the future is dropped, which ends its connections.
    ///
    /// Bind it to loopback (`127.0.0.1:9464`) or a network that only your Prometheus reaches. At most 64 connections are open at a
    /// time, each for ten minutes at most.
    ///
    /// ```no_run
    /// # async fn run() -> std::io::Result<()> {
    /// use bartizan_metrics::{MetricsEndpoint, Store};
    ///
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:9464").await?;
    /// tokio::spawn(MetricsEndpoint::new(Store::new()).serve(listener));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn serve(self, listener: TcpListener) {
        let service = PageService::new(Arc::new(self));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            if connections.len() >= CONNECTIONS {
                connections.join_next().await;
                continue;
            }
            match listener.accept().await {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, service.clone()));
                }
                // No file descriptors, say: that passes.
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

/// What goes wrong on a connection is its client's affair.
async fn serve_connection(stream: TcpStream, service: PageService) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(LIFE) => connection.as_mut().graceful_shutdown(),
    }
    let _ = timeout(LAST, connection).await;
}
