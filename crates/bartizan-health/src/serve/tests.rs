use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bartizan_core::PeerAddress;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    task::JoinHandle,
    time::{Instant, Sleep, sleep, timeout},
};

use crate::{Drain, Phase, Registry, Unfinished, connections_stalled_total};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Two chunks, this long apart.
struct Slow(Option<Pin<Box<Sleep>>>, u8);

impl Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.1 == 0 {
            self.1 = 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"one ")))));
        }
        if let Some(sleep) = &mut self.0 {
            std::task::ready!(sleep.as_mut().poll(cx));
            self.0 = None;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"two")))));
        }
        Poll::Ready(None)
    }
}

/// A connection to a service: `/{n}` answers after `n` milliseconds, `/body/{n}` with a body that takes that long.
struct Lab {
    drain: Drain,
    running: JoinHandle<Result<(), Unfinished>>,
    began: Instant,
}

impl Lab {
    fn new() -> Self {
        let drain = Drain::new(Registry::new()).delay(ms(5000)).deadline(ms(30_000));
        let running = tokio::spawn({
            let drain = drain.clone();
            async move { drain.run(drain.served()).await }
        });
        Self { drain, running, began: Instant::now() }
    }

    fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let service = tower::service_fn(|request: Request<hyper::body::Incoming>| async move {
            let path = request.uri().path().to_owned();
            let (slow_body, wait) = match path.strip_prefix("/body/") {
                Some(wait) => (true, wait.parse().unwrap()),
                None => (false, path.trim_start_matches('/').parse().unwrap_or(0)),
            };
            let peer = PeerAddress::of(request.extensions()).unwrap();
            let response = Response::builder().header("peer", peer.to_string());
            if !slow_body {
                sleep(ms(wait)).await;
            }
            let body = if slow_body { Some(Box::pin(sleep(ms(wait)))) } else { None };
            Ok::<_, Infallible>(response.body(Slow(body, 0)).unwrap())
        });
        let (drain, peer) = (self.drain.clone(), SocketAddr::from(([192, 0, 2, 7], 4000)));
        tokio::spawn(async move { drain.serve_connection(server, Some(peer), service).await });
        client
    }

    /// After the beginning, in milliseconds.
    fn at(&self) -> u128 {
        self.began.elapsed().as_millis()
    }

    async fn reach(&self, phase: Phase) {
        if self.drain.phase() == Phase::Serving {
            self.drain.stop();
        }
        self.drain.reached(phase).await;
    }

    async fn ended(self) -> (Result<(), Unfinished>, u128) {
        let result = self.running.await.unwrap();
        (result, self.began.elapsed().as_millis())
    }
}

async fn send(stream: &mut DuplexStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
}

/// Reads to the end of the chunked body.
async fn receive(stream: &mut DuplexStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"0\r\n\r\n") {
        let mut chunk = [0; 1024];
        let n = stream.read(&mut chunk).await.unwrap();
        assert!(n > 0, "the connection ended in {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&chunk[..n]);
    }
    String::from_utf8(read).unwrap().to_ascii_lowercase()
}

async fn end(stream: &mut DuplexStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    rest
}

fn closes(answer: &str) -> bool {
    answer.contains("\r\nconnection: close\r\n")
}

#[tokio::test(start_paused = true)]
async fn in_the_delay_each_http1_answer_tells_the_client_to_go() {
    let lab = Lab::new();
    let mut client = lab.connect();
    for _ in 0..3 {
        send(&mut client, "/0").await;
        let answer = receive(&mut client).await;
        assert!(answer.starts_with("http/1.1 200") && !closes(&answer), "{answer}");
        assert!(answer.contains("peer: 192.0.2.7:4000"));
    }
    lab.reach(Phase::Draining).await;
    sleep(ms(100)).await;
    send(&mut client, "/10").await;
    assert!(closes(&receive(&mut client).await));
    assert_eq!(end(&mut client).await, b"");
    // New connections are served in the delay as before.
    let mut client = lab.connect();
    send(&mut client, "/0").await;
    assert!(closes(&receive(&mut client).await));
    let (result, at) = lab.ended().await;
    assert_eq!((result, at), (Ok(()), 5000));
}

#[tokio::test(start_paused = true)]
async fn an_idle_http1_connection_stays_until_the_closing() {
    let lab = Lab::new();
    let mut client = lab.connect();
    send(&mut client, "/0").await;
    receive(&mut client).await;
    lab.drain.stop();
    assert_eq!(end(&mut client).await, b"");
    assert_eq!(lab.at(), 5010);
    assert_eq!(lab.ended().await.0, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_as_the_connection_is_about_to_close_is_answered() {
    let lab = Lab::new();
    let mut client = lab.connect();
    send(&mut client, "/0").await;
    receive(&mut client).await;
    lab.reach(Phase::Closing).await;
    sleep(ms(9)).await;
    send(&mut client, "/2000").await;
    assert!(closes(&receive(&mut client).await));
    assert_eq!(end(&mut client).await, b"");
    assert_eq!(lab.ended().await, (Ok(()), 7009));
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_and_half_a_request_have_a_second() {
    let lab = Lab::new();
    let (mut fresh, mut half, mut silent) = (lab.connect(), lab.connect(), lab.connect());
    send(&mut half, "/0").await;
    receive(&mut half).await;
    half.write_all(b"GET /0 HTTP/1.1\r\nhost: somewhere.example").await.unwrap();
    lab.reach(Phase::Closing).await;
    sleep(ms(900)).await;
    send(&mut fresh, "/0").await;
    half.write_all(b".com\r\n\r\n").await.unwrap();
    assert!(closes(&receive(&mut fresh).await));
    assert!(closes(&receive(&mut half).await));
    assert_eq!(end(&mut silent).await, b"");
    assert_eq!(lab.ended().await, (Ok(()), 6000));
}

#[tokio::test(start_paused = true)]
async fn who_takes_too_long_for_the_head_of_a_request_is_let_go() {
    let before = connections_stalled_total();
    let lab = Lab::new();
    let (mut silent, mut dripping) = (lab.connect(), lab.connect());
    let (mut half, mut idle, mut busy) = (lab.connect(), lab.connect(), lab.connect());
    let (mut http2, _connection) = http2(lab.connect()).await;
    send(&mut busy, "/90000").await;
    for client in [&mut half, &mut idle] {
        send(client, "/0").await;
        receive(client).await;
    }
    half.write_all(b"GET /0 HTTP/1.1\r\nhost: a").await.unwrap();
    let dripping = tokio::spawn(async move {
        while dripping.write_all(b"G").await.is_ok() {
            sleep(ms(5000)).await;
        }
    });

    assert_eq!(end(&mut silent).await, b"");
    assert_eq!(lab.at(), 30_000);
    assert_eq!(end(&mut half).await, b"");
    dripping.await.unwrap();
    assert!((60_000..=65_000).contains(&lab.at()), "{}", lab.at());
    receive(&mut busy).await;
    sleep(ms(600_000)).await;
    // Who keeps a connection for later may.
    send(&mut idle, "/0").await;
    receive(&mut idle).await;
    assert_eq!(http2.send_request(request("/0")).await.unwrap().status(), 200);
    assert!(connections_stalled_total() >= before + 3);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_has_begun_is_sent_to_its_end_and_then_the_connection_closes() {
    let lab = Lab::new();
    let mut client = lab.connect();
    send(&mut client, "/body/8000").await;
    sleep(ms(1)).await;
    lab.drain.stop();
    let answer = receive(&mut client).await;
    assert!(answer.contains("one ") && answer.contains("two") && !closes(&answer), "{answer}");
    assert_eq!(end(&mut client).await, b"");
    assert_eq!(lab.ended().await, (Ok(()), 8000));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_requests_are_cut_off() {
    let lab = Lab::new();
    let mut client = lab.connect();
    send(&mut client, "/60000").await;
    lab.drain.stop();
    assert_eq!(end(&mut client).await, b"");
    assert_eq!(lab.ended().await, (Err(Unfinished { waited: ms(30_000) }), 35_000));
}

type Sender = hyper::client::conn::http2::SendRequest<Empty<Bytes>>;

async fn http2(stream: DuplexStream) -> (Sender, JoinHandle<hyper::Result<()>>) {
    let io = TokioIo::new(stream);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    (sender, tokio::spawn(connection))
}

fn request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://a{path}")).body(Empty::new()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn http2_has_goaway_at_the_closing_and_its_streams_end() {
    let lab = Lab::new();
    let (mut sender, connection) = http2(lab.connect()).await;
    lab.reach(Phase::Draining).await;
    let answer = sender.send_request(request("/0")).await.unwrap();
    assert!(!answer.headers().contains_key("connection"));
    let slow = tokio::spawn(sender.send_request(request("/body/9000")));
    lab.reach(Phase::Closing).await;
    sleep(ms(50)).await;
    let mut refused = sender.try_send_request(request("/0")).await.unwrap_err();
    assert!(refused.take_message().is_some(), "told to go: nothing was sent");
    let body = slow.await.unwrap().unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "one two");
    connection.await.unwrap().unwrap();
    assert_eq!(lab.ended().await, (Ok(()), 9000));
}

#[tokio::test(start_paused = true)]
async fn http2_streams_sent_before_goaway_is_known_are_served() {
    // The client keeps sending until it is told: each request has an answer or is handed back unsent.
    let lab = Lab::new();
    let (mut sender, _connection) = http2(lab.connect()).await;
    let answered = Arc::new(AtomicUsize::new(0));
    lab.drain.stop();
    let mut flying = Vec::new();
    while sender.ready().await.is_ok() {
        let response = sender.try_send_request(request("/700"));
        let answered = Arc::clone(&answered);
        flying.push(tokio::spawn(async move {
            match response.await {
                Ok(response) => {
                    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "one ");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Err(mut error) => assert!(error.take_message().is_some(), "lost: {}", error.error()),
            }
        }));
        sleep(ms(7)).await;
    }
    for each in flying {
        each.await.unwrap();
    }
    assert!(answered.load(Ordering::Relaxed) > 700);
    let (result, at) = lab.ended().await;
    assert!(result.is_ok() && (5690..5710).contains(&at), "{at}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_ends_at_the_closing() {
    let lab = Lab::new();
    let (_sender, connection) = http2(lab.connect()).await;
    lab.drain.stop();
    connection.await.unwrap().unwrap();
    assert_eq!(lab.ended().await, (Ok(()), 5100));
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_is_left_alone_and_waited_for() {
    let drain = Drain::new(Registry::new()).delay(ms(100));
    let (mut client, server) = tokio::io::duplex(1024);
    let upgraded = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&upgraded);
    let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
        let keep = Arc::clone(&keep);
        async move {
            tokio::spawn(async move {
                let socket = hyper::upgrade::on(request).await.unwrap();
                *keep.lock().unwrap() = Some(socket);
            });
            let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            let response = response.header("connection", "upgrade").header("upgrade", "echo");
            Ok::<_, Infallible>(response.body(Empty::<Bytes>::new()).unwrap())
        }
    });
    let serving = drain.clone();
    tokio::spawn(async move { serving.serve_connection(server, None, service).await });
    let running = tokio::spawn({
        let drain = drain.clone();
        async move { drain.run(drain.served()).await }
    });
    drain.stop();
    sleep(ms(50)).await;
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .await
        .unwrap();
    let mut head = vec![0; 1024];
    let n = client.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..n]).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("connection: upgrade"), "{head}");
    sleep(ms(5000)).await;
    assert_eq!(drain.phase(), Phase::Closing);
    assert!(!running.is_finished(), "somebody is still using the connection");
    drop(upgraded.lock().unwrap().take());
    assert_eq!(timeout(ms(10), running).await.unwrap().unwrap(), Ok(()));
}
