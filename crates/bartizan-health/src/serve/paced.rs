//! A pause between the two steps of GOAWAY.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::{Phase, drain::Shared};

/// How long a client has to send what it has queued.
const PAUSE: Duration = Duration::from_millis(100);

/// The first GOAWAY: last stream 2^31-1, NO_ERROR, no debug data (RFC 9113, sections 4.1 and 6.8).
const GOAWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];

pin_project! {
    /// A connection that gives an HTTP/2 client a moment between the two steps of GOAWAY: what
    /// [`Incoming`](crate::Incoming) accepts.
    ///
    /// The first step tells the client to begin no more streams; the answer to the PING after it is meant to say that all streams
    /// that it had begun have arrived. But clients on the crate `h2`, which are hyper's, tonic's and reqwest's, send that answer
    /// before requests that wait in their queue. Those would come too late. So after the first step nothing is written for 100 ms,
    /// once in the life of a connection, and only after the [closing](crate::Drain::closing).
    pub struct Paced<I> {
        #[pin]
        io: I,
        shared: Arc<Shared>,
        pace: Pace,
    }
}

enum Pace {
    Walking,
    Resting(Pin<Box<Sleep>>),
    Rested,
}

impl<I> Paced<I> {
    pub(super) fn new(io: I, shared: Arc<Shared>) -> Self {
        Self { io, shared, pace: Pace::Walking }
    }

    /// The connection as it was accepted.
    pub fn get_ref(&self) -> &I {
        &self.io
    }

    /// The connection as it was accepted, without the pause.
    pub fn into_inner(self) -> I {
        self.io
    }

    /// Whether what is written has to be looked at.
    fn is_watchful(&self) -> bool {
        !matches!(self.pace, Pace::Rested) && self.shared.has_reached(Phase::Closing)
    }
}

impl<I: AsyncRead> AsyncRead for Paced<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_read(cx, buf)
    }
}

impl<I: AsyncWrite> AsyncWrite for Paced<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let is_watchful = self.is_watchful();
        let this = self.project();
        if let Pace::Resting(rest) = this.pace {
            ready!(rest.as_mut().poll(cx));
            *this.pace = Pace::Rested;
        } else if is_watchful
            && let Some(start) = buf.windows(GOAWAY.len()).position(|window| window == GOAWAY)
            && let Some((through, _)) = buf.split_at_checked(start + GOAWAY.len())
        {
            let written = ready!(this.io.poll_write(cx, through))?;
            if written == through.len() {
                *this.pace = Pace::Resting(Box::pin(sleep(PAUSE)));
            }
            return Poll::Ready(Ok(written));
        }
        this.io.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_watchful() {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            return self.poll_write(cx, first.map_or(&[], |buf| buf));
        }
        self.project().io.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(feature = "tonic")]
impl<I: tonic::transport::server::Connected> tonic::transport::server::Connected for Paced<I> {
    type ConnectInfo = I::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.io.connect_info()
    }
}

impl<I> fmt::Debug for Paced<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paced").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::JoinHandle,
        time::Instant,
    };

    use super::*;
    use crate::{Drain, Registry};

    /// Writes `before`, GOAWAY, `after`; tells when each byte came, in milliseconds.
    async fn written(drain: &Drain, before: &[u8], after: &[u8]) -> Vec<(u8, u128)> {
        let (server, mut client) = duplex(1024);
        let mut server = Paced::new(server, Arc::clone(&drain.shared));
        let bytes = [before, &GOAWAY, after].concat();
        let expected = bytes.clone();
        let writing: JoinHandle<Paced<DuplexStream>> = tokio::spawn(async move {
            server.write_all(&bytes).await.unwrap();
            server
        });
        let began = Instant::now();
        let mut read = Vec::new();
        while read.len() < expected.len() {
            let byte = client.read_u8().await.unwrap();
            read.push((byte, began.elapsed().as_millis()));
        }
        assert!(read.iter().map(|(byte, _)| *byte).eq(expected));
        // Once in a connection's life.
        let mut server = writing.await.unwrap();
        let again = Instant::now();
        server.write_all(&[&GOAWAY[..], b"x"].concat()).await.unwrap();
        assert_eq!(again.elapsed(), Duration::ZERO);
        read
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_first_goaway_nothing_is_written_for_a_moment() {
        let drain = Drain::new(Registry::new()).delay(Duration::ZERO);
        drain.stop();
        drain.run(drain.closing()).await.unwrap();
        let read = written(&drain, b"data", b"ping").await;
        let (through, after) = read.split_at(4 + GOAWAY.len());
        assert!(through.iter().all(|(_, at)| *at == 0), "{read:?}");
        assert!(after.iter().all(|(_, at)| *at >= 100), "{read:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_closing_nothing_is_looked_at() {
        let drain = Drain::new(Registry::new());
        let read = written(&drain, b"data", b"ping").await;
        assert!(read.iter().all(|(_, at)| *at == 0), "{read:?}");
    }
}
