//! What has to be known of a connection to end it well: whether it is in the middle of something.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::sleep,
};

use crate::{Phase, drain::Shared};

/// How long a connection may be silent that has sent nothing yet, or part of a request.
const UNFINISHED: Duration = Duration::from_secs(1);
/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_secs(30);
/// Long enough for the runtime to look at the socket once more.
const LAST_LOOK: Duration = Duration::from_millis(10);
/// The length of HTTP/2's preface: with fewer bytes it is not known yet what is spoken.
const PREFACE: u64 = 24;

/// One connection; it counts as open until everything that serves it is dropped, upgraded streams too.
pub(super) struct Gauge {
    pub(super) shared: Arc<Shared>,
    http2: AtomicBool,
    read: AtomicU64,
    /// `read` at the end of the last response.
    read_when_idle: AtomicU64,
    in_flight: AtomicUsize,
}

impl Gauge {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        shared.state.send_if_modified(|state| {
            state.connections += 1;
            false
        });
        Self {
            shared,
            http2: AtomicBool::new(false),
            read: AtomicU64::new(0),
            read_when_idle: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
        }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// How long the connection should be silent before it is told to go; none when it can be told now.
    ///
    /// With a request in flight hyper takes no more after it, and HTTP/2 has GOAWAY: neither loses anything.
    pub(super) fn patience(&self) -> Option<Duration> {
        let read = self.bytes_read();
        let told_safely = self.http2.load(Ordering::Relaxed) || self.in_flight.load(Ordering::Acquire) > 0;
        if read < PREFACE {
            Some(UNFINISHED)
        } else if told_safely {
            None
        } else if read > self.read_when_idle.load(Ordering::Relaxed) {
            Some(UNFINISHED)
        } else {
            Some(LAST_LOOK)
        }
    }

    /// Ends when the client has been about to send the same head for [`HEAD`], at most twice that.
    pub(super) async fn stalled(&self) {
        let mut before = self.awaited_since();
        loop {
            sleep(HEAD).await;
            let now = self.awaited_since();
            if now.is_some() && now == before {
                return;
            }
            before = now;
        }
    }

    /// How much had been read when the head that is awaited was begun. None between two requests: how long a client may be
    /// silent then is not for us to say, because others keep connections for later. HTTP/2 has frames that belong to no request.
    fn awaited_since(&self) -> Option<u64> {
        let (read, idle) = (self.bytes_read(), self.read_when_idle.load(Ordering::Relaxed));
        let speaks_http2 = self.http2.load(Ordering::Relaxed) && read >= PREFACE;
        let awaited =
            self.in_flight.load(Ordering::Acquire) == 0 && (read == 0 || read > idle) && !speaks_http2;
        awaited.then_some(idle)
    }

    fn has_read(&self, bytes: &[u8]) {
        // One task reads: no other thread adds.
        let before = self.read.load(Ordering::Relaxed);
        if before == 0 && bytes.starts_with(b"PRI ") {
            self.http2.store(true, Ordering::Relaxed);
        }
        self.read.store(before + bytes.len() as u64, Ordering::Relaxed);
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.shared.state.send_if_modified(|state| {
            state.connections -= 1;
            state.has_reached(Phase::Closing)
        });
    }
}

/// A request in flight, until the last byte of its response.
pub(super) struct Flight(Arc<Gauge>);

impl Flight {
    pub(super) fn begin(gauge: &Arc<Gauge>) -> Self {
        gauge.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(gauge))
    }

    /// Whether connections are asked to go.
    pub(super) fn is_among_the_last(&self) -> bool {
        self.0.shared.has_reached(Phase::Draining)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.read_when_idle.store(self.0.bytes_read(), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Release);
    }
}

pin_project! {
    /// A stream that tells its gauge what was read.
    pub(super) struct Gauged<I> {
        #[pin]
        io: I,
        gauge: Arc<Gauge>,
    }
}

impl<I> Gauged<I> {
    pub(super) fn new(io: I, gauge: Arc<Gauge>) -> Self {
        Self { io, gauge }
    }
}

impl<I: AsyncRead> AsyncRead for Gauged<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buf.filled().len();
        let polled = this.io.poll_read(cx, buf);
        if let Some(bytes) = buf.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            this.gauge.has_read(bytes);
        }
        polled
    }
}

impl<I: AsyncWrite> AsyncWrite for Gauged<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.project().io.poll_write(cx, buf)
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
        self.project().io.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
