//! A server, a client, and what the stack said of a call.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bartizan::trace::opentelemetry::trace::Status as SpanStatus;
use bartizan::trace::opentelemetry_sdk::trace::SpanData;
use bartizan_tests::Lab;
use grpc_example::Echo;
use grpc_example::pb::EchoRequest;
use grpc_example::pb::echo_client::EchoClient;
use grpc_example::pb::echo_server::EchoServer;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard};
use tonic::codec::CompressionEncoding;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request};

/// All tests of this process share one metrics page, so they take turns.
pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    Lab::get();
    TURN.lock().await
}

/// Serves `Echo` under the stack's layer, and connects to it.
pub(crate) async fn channel() -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = EchoServer::new(Echo)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let server = Server::builder().layer(Lab::get().stack.layer()).add_service(echo);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

pub(crate) async fn client() -> EchoClient<Channel> {
    EchoClient::new(channel().await)
}

/// A request with a correlation id of its own.
pub(crate) fn request<T>(message: T) -> (String, Request<T>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("grpc-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-correlation-id", id.parse().unwrap());
    (id, request)
}

pub(crate) fn ask(code: Code, replies: u32) -> EchoRequest {
    EchoRequest { text: "hi".to_owned(), code: code as u32, replies, ..EchoRequest::default() }
}

pub(crate) fn hang(replies: u32) -> EchoRequest {
    EchoRequest { text: "hi".to_owned(), replies, hang: true, ..EchoRequest::default() }
}

/// What must be told of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    /// The path of the method, or `_OTHER`.
    pub(crate) route: &'a str,
    pub(crate) code: &'a str,
    pub(crate) outcome: &'a str,
    pub(crate) error_type: Option<&'a str>,
    pub(crate) span_fails: bool,
    pub(crate) messages: (Option<u64>, Option<u64>),
}

impl<'a> Told<'a> {
    /// Of a call that ended with a status of the service's own.
    pub(crate) fn status(route: &'a str, code: &'a str, read: u64, sent: u64) -> Self {
        let server =
            ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];
        let fails = server.contains(&code);
        Self {
            route,
            code,
            outcome: if code == "OK" {
                "ok"
            } else if fails {
                "server_error"
            } else {
                "client_error"
            },
            error_type: fails.then_some(code),
            span_fails: fails,
            messages: (Some(read), Some(sent)),
        }
    }

    fn labels(&self) -> [(&'a str, &'a str); 2] {
        match self.route.strip_prefix('/').and_then(|path| path.split_once('/')) {
            Some((service, method)) => [("grpc_service", service), ("grpc_method", method)],
            None => [("grpc_service", self.route), ("grpc_method", self.route)],
        }
    }

    /// How many such calls the page has counted so far.
    pub(crate) fn handled(&self) -> f64 {
        let [service, method] = self.labels();
        let labels = [service, method, ("grpc_code", self.code), ("outcome", self.outcome)];
        Lab::get().sample("grpc_server_handled_total", &labels).unwrap_or_default()
    }

    /// Waits for the call's end, and compares log line, span and page; `before` is what was handled before the call.
    pub(crate) async fn check(&self, id: &str, before: f64) {
        let line = completed(id).await;
        let text = |key: &str| line.get(key).and_then(Value::as_str);
        let number = |key: &str| line.get(key).and_then(Value::as_u64);
        assert_eq!(text("route"), Some(self.route), "{id}: {self:?}");
        assert_eq!(text("grpc_code"), Some(self.code), "{id}: {self:?}");
        assert_eq!(text("outcome"), Some(self.outcome), "{id}: {self:?}");
        assert_eq!(text("error_type"), self.error_type, "{id}: {self:?}");
        assert_eq!(
            (number("request_messages"), number("response_messages")),
            self.messages,
            "{id}: {self:?}"
        );
        assert_eq!(text("client_address"), Some("127.0.0.1"), "{id}");

        let span = span(id);
        let attribute = |key: &str| attribute(&span, key);
        let known = self.route.strip_prefix('/');
        assert_eq!(span.name, known.unwrap_or("grpc"), "{id}: {self:?}");
        assert_eq!(attribute("rpc.system.name").as_deref(), Some("grpc"), "{id}");
        assert_eq!(attribute("rpc.method").as_deref(), Some(known.unwrap_or("_OTHER")), "{id}: {self:?}");
        assert_eq!(attribute("rpc.method_original").is_some(), known.is_none(), "{id}: {self:?}");
        assert_eq!(attribute("rpc.response.status_code").as_deref(), Some(self.code), "{id}: {self:?}");
        assert_eq!(attribute("error.type").as_deref(), self.error_type, "{id}: {self:?}");
        assert_eq!(matches!(span.status, SpanStatus::Error { .. }), self.span_fails, "{id}: {self:?}");
        assert_eq!(attribute("network.peer.address").as_deref(), Some("127.0.0.1"), "{id}");
        let foreign = ["http.", "url.", "user_agent."];
        for pair in &span.attributes {
            assert!(!foreign.iter().any(|prefix| pair.key.as_str().starts_with(prefix)), "{id}: {pair:?}");
        }

        assert_eq!(self.handled(), before + 1.0, "{id}: {self:?}");
        let [service, method] = self.labels();
        let lab = Lab::get();
        assert_eq!(lab.sample("grpc_server_in_flight", &[service, method]).unwrap_or_default(), 0.0, "{id}");
        assert!(!lab.page().contains("http_requests_total{"), "{id}: a gRPC call is no HTTP request");
    }
}

/// The log line of the call with this id, once it is over.
pub(crate) async fn completed(id: &str) -> Map<String, Value> {
    logged(id, "request completed").await
}

/// The log line with this message of the call with this id, once it is there.
pub(crate) async fn logged(id: &str, message: &'static str) -> Map<String, Value> {
    let id = id.to_owned();
    let wait = move || {
        for _ in 0..2_000 {
            let lines = Lab::get().lines_with("correlation_id", &id);
            let mut found = lines.into_iter().filter(|line| line["message"] == message);
            if let Some(line) = found.next() {
                assert!(found.next().is_none(), "{id}: {message} twice");
                return line;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{id}: no {message}");
    };
    tokio::task::spawn_blocking(wait).await.unwrap()
}

pub(crate) fn span(id: &str) -> SpanData {
    let of_call = |span: &SpanData| attribute(span, "correlation_id").as_deref() == Some(id);
    let mut spans = Lab::get().spans().into_iter().filter(of_call);
    let span = spans.next().unwrap_or_else(|| panic!("no span of {id}"));
    assert!(spans.next().is_none(), "{id} has two spans");
    span
}

pub(crate) fn attribute(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.to_string())
}
