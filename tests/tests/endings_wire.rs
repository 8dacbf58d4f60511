//! The outcomes over a real hyper connection: what hyper does to bodies and futures when clients behave, and when they do not.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use bartizan_core::{CatchLayer, Observe, ObserveLayer, Outcome};
use bartizan_tests::{ScriptedBody, Step, Witness};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};

type Answer = Response<Either<ScriptedBody, Full<Bytes>>>;

fn streamed(steps: impl IntoIterator<Item = Step>) -> Answer {
    Response::new(Either::Left(ScriptedBody::new(steps)))
}

fn full(body: &'static str) -> Answer {
    Response::new(Either::Right(Full::new(Bytes::from_static(body.as_bytes()))))
}

async fn respond<B>(request: Request<B>) -> Result<Answer, Infallible> {
    Ok(match request.uri().path() {
        "/full" | "/head" => full("exactly 16 bytes"),
        "/length" => {
            let mut answer = streamed([Step::Data("12345"), Step::Data("67890")]);
            answer.headers_mut().insert("content-length", 10.into());
            answer
        }
        "/chunked" => streamed([Step::Data("12345"), Step::Data("67890")]),
        "/empty" => full(""),
        "/204" | "/304" => {
            let mut answer = full("");
            let code = request.uri().path()[1..].parse().unwrap();
            *answer.status_mut() = StatusCode::from_u16(code).unwrap();
            answer
        }
        "/never" => pending().await,
        "/hang" => streamed([Step::Data("first"), Step::Hang]),
        "/upgrade" => {
            let mut answer = full("");
            *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = answer.headers_mut();
            headers.insert("connection", http::HeaderValue::from_static("upgrade"));
            headers.insert("upgrade", http::HeaderValue::from_static("echo"));
            answer
        }
        "/broken" => streamed([Step::Data("first"), Step::Yield, Step::Error]),
        "/panic" => panic!("in the handler"),
        "/panic-body" => streamed([Step::Data("first"), Step::Yield, Step::Panic]),
        other => panic!("no such path: {other}"),
    })
}

/// Serves on a free port: HTTP/1.1 and HTTP/2 with prior knowledge, a panic catcher innermost.
async fn serve(witness: &Witness) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service: Observe<_, Witness> =
        ObserveLayer::new(witness.clone()).layer(CatchLayer::new().layer(service_fn(respond)));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let mut server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                server.http1().half_close(false);
                let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

#[derive(Clone, Copy, Debug)]
enum Version {
    Http1,
    Http2,
}

const BOTH: [Version; 2] = [Version::Http1, Version::Http2];

/// One request over a connection of its own; the response's head, and its body or the error that cut it short.
async fn fetch(
    address: SocketAddr,
    version: Version,
    method: &str,
    path: &str,
) -> (StatusCode, Result<Bytes, hyper::Error>) {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let request = Request::builder().method(method).uri(format!("http://{address}{path}"));
    let request = request.header("host", "test").body(Empty::<Bytes>::new()).unwrap();
    let response = match version {
        Version::Http1 => {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
        Version::Http2 => {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
    };
    let status = response.status();
    (status, response.into_body().collect().await.map(http_body_util::Collected::to_bytes))
}

#[tokio::test]
async fn every_kind_of_body_ends_ok_with_its_true_size() {
    for version in BOTH {
        for (method, path, status, size) in [
            ("GET", "/full", 200, 16),
            ("HEAD", "/full", 200, 0),
            ("GET", "/length", 200, 10),
            ("HEAD", "/length", 200, 0),
            ("GET", "/chunked", 200, 10),
            ("HEAD", "/chunked", 200, 0),
            ("GET", "/empty", 200, 0),
            ("GET", "/204", 204, 0),
            ("GET", "/304", 304, 0),
        ] {
            if matches!(version, Version::Http2) && method == "HEAD" {
                // Over HTTP/2 hyper sends a HEAD's body if the service gives one, and clients refuse it.
                continue;
            }
            let witness = Witness::default();
            let address = serve(&witness).await;
            let (sent, body) = fetch(address, version, method, path).await;
            assert_eq!((sent.as_u16(), body.unwrap().len()), (status, size), "{version:?} {method} {path}");
            let seen = witness.wait_for(1).await.remove(0);
            assert_eq!(seen.ending.outcome, Outcome::Ok, "{version:?} {method} {path}");
            assert_eq!(seen.ending.response_bytes, size as u64, "{version:?} {method} {path}");
            assert_eq!(witness.in_flight(), 0);
        }
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_with_a_500_that_says_panicked() {
    for version in BOTH {
        let witness = Witness::default();
        let address = serve(&witness).await;
        let (status, body) = fetch(address, version, "GET", "/panic").await;
        assert_eq!(status, 500);
        assert_eq!(&body.unwrap()[..], br#"{"error":"internal_server_error","request_id":null}"#);
        assert_eq!(witness.wait_for(1).await[0].ending.outcome, Outcome::Panicked);
    }
}

#[tokio::test]
async fn a_body_that_breaks_or_panics_is_cut_short_and_counted() {
    for version in BOTH {
        for (path, outcome) in [("/broken", Outcome::BodyError), ("/panic-body", Outcome::Panicked)] {
            let witness = Witness::default();
            let address = serve(&witness).await;
            let (status, body) = fetch(address, version, "GET", path).await;
            assert_eq!(status, 200);
            assert!(body.is_err(), "{version:?} {path}: the client must notice");
            let seen = witness.wait_for(1).await.remove(0);
            assert_eq!((seen.ending.outcome, seen.ending.response_bytes), (outcome, 5), "{version:?} {path}");
        }
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_head_is_cancelled_before_head() {
    let witness = Witness::default();
    let address = serve(&witness).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /never HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    while witness.in_flight() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(stream);
    let ending = witness.wait_for(1).await.remove(0).ending;
    assert_eq!((ending.outcome, ending.status), (Outcome::CancelledBeforeHead, None));
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_of_the_body_is_cancelled_mid_body() {
    let witness = Witness::default();
    let address = serve(&witness).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /hang HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    let mut read = Vec::new();
    while !read.windows(5).any(|window| window == b"first") {
        stream.read_buf(&mut read).await.unwrap();
    }
    assert_eq!(witness.in_flight(), 1);
    drop(stream);
    let ending = witness.wait_for(1).await.remove(0).ending;
    assert_eq!((ending.outcome, ending.status), (Outcome::CancelledMidBody, Some(StatusCode::OK)));
}

#[tokio::test]
async fn a_reset_http2_stream_is_cancelled_and_its_connection_lives_on() {
    let witness = Witness::default();
    let address = serve(&witness).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let get =
        |path: &str| Request::get(format!("http://{address}{path}")).body(Empty::<Bytes>::new()).unwrap();
    let never = sender.send_request(get("/never"));
    let hang = sender.send_request(get("/hang")).await.unwrap();
    while witness.in_flight() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(never);
    drop(hang);
    let full = sender.send_request(get("/full")).await.unwrap();
    full.into_body().collect().await.unwrap();
    let mut outcomes: Vec<_> =
        witness.wait_for(3).await.into_iter().map(|seen| seen.ending.outcome.as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["cancelled_before_head", "cancelled_mid_body", "ok"]);
}

#[tokio::test]
async fn an_upgrade_ends_the_exchange_while_the_connection_lives_on() {
    let witness = Witness::default();
    let address = serve(&witness).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /upgrade HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_buf(&mut read).await.unwrap();
    }
    assert!(read.starts_with(b"HTTP/1.1 101"));
    let ending = witness.wait_for(1).await.remove(0).ending;
    assert_eq!((ending.outcome, ending.status), (Outcome::Upgraded, Some(StatusCode::SWITCHING_PROTOCOLS)));
}
