//! The quickstart as a process on a free port, and a small HTTP/1.1 client.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "no test file uses all of it, and a test may fail anywhere"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running quickstart. It is killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<String>>,
    /// Reads the log to its end.
    reader: Option<JoinHandle<()>>,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }
}

fn command(vars: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.env_clear().env("PORT", "0").env("LOG_FORMAT", "json").envs(vars.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Service {
    /// Starts it with these variables, and reads its log.
    pub(crate) fn start(vars: &[(&str, &str)]) -> Self {
        let mut child = command(vars).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self::read(child, out, Arc::default())
    }

    /// The same, where it does not listen before it has logged this and `then` has happened.
    pub(crate) fn start_after(vars: &[(&str, &str)], message: &str, then: impl FnOnce()) -> Self {
        let mut child = command(vars).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        line_with(&mut out, &log, message);
        then();
        Self::read(child, out, log)
    }

    fn read(child: Child, mut out: BufReader<ChildStdout>, log: Arc<Mutex<String>>) -> Self {
        let address = listening(&mut out, &log);
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            while out.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { child, address, log, reader: Some(reader) }
    }

    /// Starts it, and stops reading its log once it listens; the pipe stays open.
    pub(crate) fn start_unread(vars: &[(&str, &str)]) -> Self {
        let mut child = command(vars).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        let address = listening(&mut out, &log);
        child.stdout = Some(out.into_inner());
        Self { child, address, log, reader: None }
    }

    /// Starts it with variables that keep it from listening, and sends SIGTERM once it has logged this: its exit code.
    pub(crate) fn stop_before_it_listens(vars: &[(&str, &str)], message: &str) -> Option<i32> {
        let mut child = command(vars).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut service =
            Self { child, address: ([127, 0, 0, 1], 0).into(), log: Arc::default(), reader: None };
        let mut line = String::new();
        while !line.contains(message) {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "it ended before it was told to");
        }
        service.signal("TERM");
        service.wait()
    }

    /// Starts it with variables that it must refuse: its exit code and what it says.
    pub(crate) fn fail(vars: &[(&str, &str)]) -> (Option<i32>, String) {
        let output = command(vars).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Sends a request and reads the answer to the end of the connection.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.connect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status for {method} {path}: {answer:?}"));
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Sends a request with this correlation id, and reads nothing; it is under way when this returns.
    pub(crate) fn begin(&self, method: &str, path: &str, id: &str) -> TcpStream {
        let mut stream = self.connect();
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-correlation-id: {id}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let route = path.split('?').next().unwrap();
        let gauge = format!("http_requests_in_flight{{endpoint=\"{route}\",method=\"{method}\"}} 1");
        let started = Instant::now();
        while !self.metrics().contains(&gauge) {
            assert!(started.elapsed() < PATIENCE, "{id} is not under way");
            std::thread::sleep(Duration::from_millis(2));
        }
        stream
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn metrics(&self) -> String {
        self.send("GET", "/metrics", &[], "").body
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The lines of the request with this correlation id so far.
    pub(crate) fn lines_of(&self, id: &str) -> Vec<Value> {
        let log = self.log();
        log.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Value| line["correlation_id"] == id)
            .collect()
    }

    /// The line that ends the request with this correlation id.
    pub(crate) fn completed(&self, id: &str) -> Value {
        self.wait_for_line(|line| line["correlation_id"] == id && line["message"] == "request completed")
    }

    pub(crate) fn wait_for_line(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let log = self.log();
            let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(line) = lines.find(&wanted) {
                return line;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("the line did not come:\n{}", self.log());
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end: the exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let code = self.child.wait().unwrap().code();
        self.reader.take().map(JoinHandle::join).transpose().unwrap();
        code
    }

    /// Resident memory.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log until the service says where it listens.
fn listening(out: &mut impl BufRead, log: &Mutex<String>) -> SocketAddr {
    line_with(out, log, "listening")["address"].as_str().unwrap().parse().unwrap()
}

/// Reads the log up to the line with this message.
fn line_with(out: &mut impl BufRead, log: &Mutex<String>, message: &str) -> Value {
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).unwrap() > 0, "the service ended before it said {message:?}");
        log.lock().unwrap().push_str(&line);
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["message"] == message {
            return line;
        }
    }
}

/// Gets a document from another server; `None` while it does not answer.
pub(crate) fn fetch(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// Reads until these bytes have come, and returns all that was read.
pub(crate) fn read_until(stream: &mut TcpStream, wanted: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.windows(wanted.len()).any(|window| window == wanted) {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).unwrap();
        assert!(n > 0, "the connection closed first");
        read.extend_from_slice(&chunk[..n]);
    }
    read
}

/// Takes one export request by HTTP, and answers it.
pub(crate) fn collect(collector: &TcpListener) -> Vec<u8> {
    let (mut stream, _) = collector.accept().unwrap();
    let mut request = read_until(&mut stream, b"\r\n\r\n");
    let head = String::from_utf8_lossy(&request).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4 + length.unwrap();
    while request.len() < end {
        let mut chunk = vec![0; end - request.len()];
        stream.read_exact(&mut chunk).unwrap();
        request.extend_from_slice(&chunk);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    request
}
