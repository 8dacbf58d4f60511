//! The behaviours that the test suite of W3C trace-context asks for, over real sockets and with raw headers.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "1234567890123456";

/// The service as a process, and a place where its calls arrive.
struct Suite {
    process: Child,
    service: SocketAddr,
    callback: SocketAddr,
    arrived: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Drop for Suite {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

type Arrived = Arc<Mutex<Vec<HeaderMap>>>;

async fn arrive(State(arrived): State<Arrived>, headers: HeaderMap) -> &'static str {
    arrived.lock().unwrap().push(headers);
    "thanks"
}

impl Suite {
    async fn start() -> Self {
        let arrived = Arrived::default();
        let app = Router::new().route("/callback", post(arrive)).with_state(Arc::clone(&arrived));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let callback = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

        // A port that is free now.
        let service = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_propagation"))
            .env("PORT", service.port().to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let suite = Self { process, service, callback, arrived };
        let up = async {
            while TcpStream::connect(suite.service).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.expect("the service starts");
        suite
    }

    /// Has the service make so many calls, with these raw header lines on the request; returns the headers of the calls.
    async fn calls(&self, headers: &[&str], count: usize) -> Vec<HeaderMap> {
        let call = format!(r#"{{"url":"http://{}/callback","arguments":[]}}"#, self.callback);
        let body = format!("[{}]", vec![call; count].join(","));
        let mut request = format!(
            "POST /test HTTP/1.1\r\nhost: suite\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n",
            body.len()
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(&body);
        let mut stream = TcpStream::connect(self.service).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 200"), "{headers:?}: {response}");
        let arrived = std::mem::take(&mut *self.arrived.lock().unwrap());
        assert_eq!(arrived.len(), count, "{headers:?}");
        arrived
    }

    /// Has the service make one call; returns its `traceparent` in parts, and its `tracestate`.
    async fn call(&self, headers: &[&str]) -> (Ids, Option<String>) {
        let calls = self.calls(headers, 1).await;
        (parent(&calls[0]), state(&calls[0]))
    }
}

#[derive(Debug)]
struct Ids {
    trace: String,
    parent: String,
    flags: String,
}

/// The one valid `traceparent` that there must be.
fn parent(headers: &HeaderMap) -> Ids {
    let mut values = headers.get_all("traceparent").iter();
    let value = values.next().expect("a traceparent").to_str().unwrap().to_owned();
    assert!(values.next().is_none(), "one traceparent");
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, parent, flags] = parts[..] else { panic!("four parts: {value}") };
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    assert!(version == "00" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2), "{value}");
    assert!(trace.bytes().any(|byte| byte != b'0') && parent.bytes().any(|byte| byte != b'0'), "{value}");
    Ids { trace: trace.to_owned(), parent: parent.to_owned(), flags: flags.to_owned() }
}

fn state(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> =
        headers.get_all("tracestate").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn traceparent(value: &str) -> String {
    format!("traceparent: {value}")
}

fn valid() -> String {
    traceparent(&format!("00-{TRACE}-{PARENT}-01"))
}

#[tokio::test]
async fn a_valid_traceparent_goes_on_under_a_new_parent_id() {
    let suite = Suite::start().await;
    for value in [
        format!("00-{TRACE}-{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}-00"),
        format!("cc-{TRACE}-{PARENT}-01"),
        format!("cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"),
        // White space around a value is not a part of it.
        format!("  \t00-{TRACE}-{PARENT}-01 \t "),
    ] {
        let (parent, state) = suite.call(&[&traceparent(&value)]).await;
        assert_eq!(parent.trace, TRACE, "{value}");
        assert_ne!(parent.parent, PARENT, "{value}");
        assert_eq!(state, None);
        let sampled = if value.ends_with("-00") { "00" } else { "01" };
        assert_eq!(parent.flags, sampled, "{value}");
    }
    let (parent, _) = suite.call(&[&format!("TraceParent: 00-{TRACE}-{PARENT}-01")]).await;
    assert_eq!(parent.trace, TRACE, "names of headers have no case");
    let (parent, _) = suite.call(&[&traceparent(&format!("00-{TRACE}-{PARENT}-03"))]).await;
    assert_eq!(parent.flags, "03", "the random flag goes on");
    let (parent, _) = suite.call(&[&traceparent(&format!("00-{TRACE}-{PARENT}-ff"))]).await;
    assert_eq!(parent.flags, "03", "unknown flags do not");
}

#[tokio::test]
async fn anything_else_restarts_the_trace() {
    let suite = Suite::start().await;
    let (zero_trace, zero_parent) = ("0".repeat(32), "0".repeat(16));
    let values = [
        format!("00-{TRACE}-{PARENT}-01."),
        format!("00-{TRACE}-{PARENT}-01-what-the-future-will-be-like"),
        format!("cc-{TRACE}-{PARENT}-01.what-the-future-will-not-be-like"),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!(".0-{TRACE}-{PARENT}-01"),
        format!("0.-{TRACE}-{PARENT}-01"),
        format!("000-{TRACE}-{PARENT}-01"),
        format!("0000-{TRACE}-{PARENT}-01"),
        format!("0-{TRACE}-{PARENT}-01"),
        format!("00-{zero_trace}-{PARENT}-01"),
        format!("00-.2345678901234567890123456789012-{PARENT}-01"),
        format!("00-1234567890123456789012345678901.-{PARENT}-01"),
        format!("00-{TRACE}3-{PARENT}-01"),
        format!("00-{}-{PARENT}-01", &TRACE[..31]),
        format!("00-{TRACE}-{zero_parent}-01"),
        format!("00-{TRACE}-.234567890123456-01"),
        format!("00-{TRACE}-123456789012345.-01"),
        format!("00-{TRACE}-{PARENT}7-01"),
        format!("00-{TRACE}-{}-01", &PARENT[..15]),
        format!("00-{TRACE}-{PARENT}-.0"),
        format!("00-{TRACE}-{PARENT}-0."),
        format!("00-{TRACE}-{PARENT}-001"),
        format!("00-{TRACE}-{PARENT}-1"),
        format!("00-{}-{PARENT}-01", "ABCDEF0123456789ABCDEF0123456789"),
        String::new(),
    ];
    for value in values {
        let (parent, state) = suite.call(&[&traceparent(&value), "tracestate: foo=1"]).await;
        assert_ne!(parent.trace, TRACE, "{value}");
        assert_ne!(parent.trace, "abcdef0123456789abcdef0123456789");
        assert_eq!(state, None, "{value}: the state belonged to the other trace");
    }
    let second = traceparent(&format!("00-{TRACE}-6543210987654321-01"));
    let (parent, _) = suite.call(&[&valid(), &second]).await;
    assert_ne!(parent.trace, TRACE, "two traceparents");
    for name in ["trace-parent", "trace.parent"] {
        let (parent, _) = suite.call(&[&format!("{name}: 00-{TRACE}-{PARENT}-01")]).await;
        assert_ne!(parent.trace, TRACE, "{name}");
    }
    let (_, state) = suite.call(&["tracestate: foo=1"]).await;
    assert_eq!(state, None, "a state without a traceparent");
    suite.call(&[]).await;
}

#[tokio::test]
async fn a_valid_tracestate_is_kept_and_a_bad_one_spoils_nothing_else() {
    let suite = Suite::start().await;
    let key = format!("{}@{}", "t".repeat(241), "v".repeat(14));
    let longest = format!("{}=1", "z".repeat(256));
    let tenant = format!("{key}=1");
    let members: Vec<String> = (1..=32).map(|n| format!("bar{n:02}={n:02}")).collect();
    let full = members.join(",");
    let kept: [(&[&str], &str); 9] = [
        (&["foo=1,bar=2"], "foo=1,bar=2"),
        (&["foo=1", "bar=2"], "foo=1,bar=2"),
        (&["foo=1", ""], "foo=1"),
        (&["", "foo=1"], "foo=1"),
        (&["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (&["foo@bar=1,0a@v=2"], "foo@bar=1,0a@v=2"),
        (&[&longest], &longest),
        (&[&tenant], &tenant),
        (&[&full], &full),
    ];
    for (values, expected) in kept {
        let mut headers = vec![valid()];
        headers.extend(values.iter().map(|value| format!("tracestate: {value}")));
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let (parent, state) = suite.call(&headers).await;
        assert_eq!(parent.trace, TRACE);
        let members: Option<Vec<String>> =
            state.map(|state| state.split(',').map(|member| member.trim().to_owned()).collect());
        let expected: Vec<String> = expected.split(',').map(str::to_owned).collect();
        assert_eq!(members, Some(expected), "{values:?}");
    }
    let one_more = format!("{full},bar33=33");
    let too_long = format!("{}=1", "z".repeat(257));
    for bad in ["foo=1,fOo=2", "foo =1", "foo=1=2", &one_more, &too_long, "foo"] {
        let (parent, state) = suite.call(&[&valid(), &format!("tracestate: {bad}")]).await;
        assert_eq!(parent.trace, TRACE, "{bad}");
        assert_eq!(state, None, "{bad}");
    }
}

#[tokio::test]
async fn many_calls_are_one_trace_and_each_has_a_parent_id_of_its_own() {
    let suite = Suite::start().await;
    let (valid, illegal) = (valid(), traceparent("illegal"));
    let cases: [(&[&str], Option<&str>); 3] = [(&[&valid], Some(TRACE)), (&[], None), (&[&illegal], None)];
    for (headers, expected) in cases {
        let calls = suite.calls(headers, 3).await;
        let parents: Vec<Ids> = calls.iter().map(parent).collect();
        assert!(parents.iter().all(|parent| parent.trace == parents[0].trace), "{parents:?}");
        let ids: std::collections::BTreeSet<_> = parents.iter().map(|parent| &parent.parent).collect();
        assert_eq!(ids.len(), 3, "{parents:?}");
        assert!(!ids.contains(&PARENT.to_owned()));
        assert!(expected.is_none_or(|expected| parents[0].trace == expected));
    }
}

#[tokio::test]
async fn the_correlation_id_goes_along_and_a_call_that_fails_is_a_502() {
    let suite = Suite::start().await;
    let calls = suite.calls(&["x-correlation-id: order-17"], 2).await;
    assert!(calls.iter().all(|headers| headers["x-correlation-id"] == "order-17"));

    let body = r#"[{"url":"http://127.0.0.1:1/","arguments":[]}]"#;
    let request = format!(
        "POST /test HTTP/1.1\r\nhost: suite\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(suite.service).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 502"), "{response}");
}
