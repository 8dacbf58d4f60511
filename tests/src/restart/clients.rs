//! Clients that keep their connection as long as they may, and repeat nothing that a server may have worked on.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::Client;

type Pick = Arc<dyn Fn() -> SocketAddr + Send + Sync>;
type Message = Request<Empty<Bytes>>;

/// A path, and what its answer holds.
type Path = (&'static str, &'static str);

fn request(path: &str, authority: SocketAddr) -> Message {
    let request = Request::get(format!("http://{authority}{path}")).header("host", authority.to_string());
    request.body(Empty::new()).unwrap()
}

async fn check(response: http::Response<Incoming>, expected: &str) -> Result<(), String> {
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| format!("receiving: {error:?}"))?;
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    if status == 200 && body.contains(expected) { Ok(()) } else { Err(format!("{status}: {body:?}")) }
}

async fn stream(address: SocketAddr) -> Result<TokioIo<TcpStream>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("connecting: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(TokioIo::new(stream))
}

/// HTTP/1.1 over one connection that is kept alive until the server says `connection: close`. A request that the server's
/// closing has crossed is lost.
pub struct Http1 {
    pick: Pick,
    paths: &'static [Path],
    turn: usize,
    sender: Option<http1::SendRequest<Empty<Bytes>>>,
}

impl Http1 {
    /// A client that connects to what `pick` says, each time that it connects.
    pub fn new(paths: &'static [Path], pick: impl Fn() -> SocketAddr + Send + Sync + 'static) -> Self {
        Self { pick: Arc::new(pick), paths, turn: 0, sender: None }
    }
}

impl Client for Http1 {
    async fn request(&mut self) -> Result<u64, String> {
        self.turn += 1;
        let (path, expected) = self.paths[self.turn % self.paths.len()];
        let address = (self.pick)();
        let kept = self.sender.take().filter(|sender| !sender.is_closed());
        let mut sender = if let Some(sender) = kept {
            sender
        } else {
            let handshake = http1::handshake(stream(address).await?).await;
            let (sender, connection) = handshake.map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            sender
        };
        let response = sender.send_request(request(path, address)).await;
        check(response.map_err(|error| format!("sending {path}: {error:?}"))?, expected).await?;
        // Not ready again means that the server has said `connection: close`.
        self.sender = sender.ready().await.is_ok().then_some(sender);
        Ok(1)
    }
}

/// HTTP/2 with several streams at once over one connection, until GOAWAY. A request that [nobody has looked at](was_not_processed) goes
/// over the next connection; any other is not repeated.
pub struct Http2 {
    pick: Pick,
    paths: &'static [Path],
    turn: usize,
    sender: Option<http2::SendRequest<Empty<Bytes>>>,
}

impl Http2 {
    /// As [`Http1::new`].
    pub fn new(paths: &'static [Path], pick: impl Fn() -> SocketAddr + Send + Sync + 'static) -> Self {
        Self { pick: Arc::new(pick), paths, turn: 0, sender: None }
    }

    async fn sender(&mut self) -> Result<http2::SendRequest<Empty<Bytes>>, String> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
        {
            self.sender = Some(sender.clone());
            return Ok(sender);
        }
        let io = stream((self.pick)()).await?;
        let handshake = http2::handshake(TokioExecutor::new(), io).await;
        let (sender, connection) = handshake.map_err(|error| format!("handshake: {error:?}"))?;
        tokio::spawn(connection);
        self.sender = Some(sender.clone());
        Ok(sender)
    }

    async fn send(
        mut sender: http2::SendRequest<Empty<Bytes>>,
        (path, expected): Path,
    ) -> Result<(), Result<Path, String>> {
        let message = request(path, SocketAddr::from(([127, 0, 0, 1], 80)));
        let response = sender.try_send_request(message).await;
        let response = response.map_err(|error: TrySendError<Message>| {
            let error = error.into_error();
            if was_not_processed(&error) {
                Ok((path, expected))
            } else {
                Err(format!("sending {path}: {error:?}"))
            }
        })?;
        check(response, expected).await.map_err(Err)
    }
}

/// Whether no server has worked on the request: hyper never sent it, or the server's GOAWAY says so, as the stream is above the last
/// one that it names (RFC 9113, section 6.8). Such a request is not lost: clients may send it again, whatever it is.
pub fn was_not_processed(error: &(dyn Error + 'static)) -> bool {
    if error.downcast_ref().is_some_and(hyper::Error::is_canceled) {
        return true;
    }
    let refused = |error: &h2::Error| {
        error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
    };
    error.downcast_ref().is_some_and(refused) || error.source().is_some_and(was_not_processed)
}

impl Client for Http2 {
    async fn request(&mut self) -> Result<u64, String> {
        self.turn += 3;
        let mut left: Vec<_> = (0..3).map(|n| self.paths[(self.turn + n) % self.paths.len()]).collect();
        while !left.is_empty() {
            let sender = self.sender().await?;
            let flying: Vec<_> =
                left.drain(..).map(|path| tokio::spawn(Self::send(sender.clone(), path))).collect();
            for each in flying {
                match each.await.map_err(|error| error.to_string())? {
                    Ok(()) => {}
                    Err(Ok(unsent)) => {
                        self.sender = None;
                        left.push(unsent);
                    }
                    Err(Err(lost)) => return Err(lost),
                }
            }
        }
        Ok(3)
    }
}

impl std::fmt::Debug for Http1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http1").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Http2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http2").finish_non_exhaustive()
    }
}
