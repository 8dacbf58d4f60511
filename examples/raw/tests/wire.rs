//! The service over HTTP/1.1, HTTP/2 and a WebSocket: routes from the function, upgrades apart from requests.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

struct Service {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Service {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(vars: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_raw"));
        command.env_clear().env("PORT", "0").env("LOG_FORMAT", "json").stdout(Stdio::piped());
        command.envs(vars.iter().copied());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = Arc::<Mutex<Vec<Value>>>::default();
        let address = lines.by_ref().find_map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            line["address"].as_str()?.parse().ok()
        });
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, address: address.unwrap(), log }
    }

    /// The end of the request on this path.
    async fn completed(&self, path: &str) -> Value {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(10) {
            let wanted = |line: &&Value| line["message"] == "request completed" && line["path"] == path;
            if let Some(line) = self.log.lock().unwrap().iter().find(wanted) {
                return line.clone();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("no line for {path}: {:?}", self.log.lock().unwrap());
    }

    async fn get(&self, path: &str, second: bool) -> (StatusCode, String) {
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let request = Request::get(format!("http://{}{path}", self.address)).header("host", "localhost");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = if second {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        } else {
            let (mut sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        };
        let status = response.status();
        (
            status,
            String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap(),
        )
    }

    /// Waits until the page has this line.
    async fn counted(&self, wanted: &str) {
        let started = Instant::now();
        let mut page = String::new();
        while started.elapsed() < Duration::from_secs(10) {
            page = self.get("/metrics", false).await.1;
            if page.lines().any(|line| line == wanted) {
                return;
            }
        }
        panic!("{wanted} is not on the page:\n{page}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn both_versions_have_routes_logs_and_health() {
    let service = Service::start();
    for (second, version) in [(false, "1.1"), (true, "2")] {
        let path = format!("/hello/{version}");
        assert_eq!(service.get(&path, second).await, (StatusCode::OK, format!("hello, {version}\n")));
        let line = service.completed(&path).await;
        assert_eq!((&line["route"], &line["http_version"]), (&"/hello/{name}".into(), &version.into()));
        assert_eq!((&line["outcome"], &line["client_address"]), (&"ok".into(), &"127.0.0.1".into()));
        assert_eq!(service.get("/health/live", second).await.1, r#"{"status":"alive"}"#);
        let nowhere = format!("/nowhere/{version}");
        assert_eq!(service.get(&nowhere, second).await.0, StatusCode::NOT_FOUND);
        assert_eq!(service.completed(&nowhere).await["route"], "unmatched");
    }
    service
        .counted(r#"http_requests_total{endpoint="/hello/{name}",method="GET",outcome="ok",status="200"} 2"#)
        .await;
}

#[tokio::test]
async fn tokens_and_the_listener_of_its_own_count_on_any_host() {
    let service = Service::start_with(&[("METRICS_TOKEN", "s3cret"), ("HEALTH_TOKEN", "s3cret")]);
    for path in ["/metrics", "/metrics/business"] {
        assert_eq!(service.get(path, false).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    let config: Value = serde_json::from_str(&service.get("/observability/config", false).await.1).unwrap();
    assert_eq!((&config["service"], &config["metrics"]["enabled"]), (&"raw".into(), &true.into()));

    let service = Service::start_with(&[("METRICS_PORT", "0")]);
    for path in ["/metrics", "/metrics/business"] {
        assert_eq!(service.get(path, false).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_websocket_is_an_upgrade_and_its_life_is_measured_apart() {
    let service = Service::start();
    let url = format!("ws://{}/ws", service.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let line = service.completed("/ws").await;
    assert_eq!((&line["status"], &line["outcome"]), (&101.into(), &"upgraded".into()));
    socket.send(Message::text("echo me")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("echo me"));
    service.counted(r#"http_upgraded_connections{endpoint="/ws"} 1"#).await;
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    service.counted(r#"http_upgraded_connections{endpoint="/ws"} 0"#).await;
    service.counted(r#"http_upgraded_connection_duration_seconds_count{endpoint="/ws"} 1"#).await;
    service.counted(r#"http_requests_in_flight{endpoint="/ws",method="GET"} 0"#).await;
}

#[tokio::test]
async fn a_websocket_ends_by_itself_when_the_service_is_told_to_stop() {
    let mut service = Service::start_with(&[("DRAIN_DELAY", "0"), ("DRAIN_DEADLINE", "10s")]);
    let url = format!("ws://{}/ws", service.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Message::text("echo me")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("echo me"));
    let pid = service.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let end = socket.next().await.unwrap().unwrap();
    assert!(end.is_close(), "{end:?}");
    while let Some(Ok(_)) = socket.next().await {}
    assert!(service.child.wait().unwrap().success());
}
