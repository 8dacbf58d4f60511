//! A process that answers with OpenTelemetry's propagators for Python.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

const PACKAGES: &str = "opentelemetry-api opentelemetry-propagator-b3 opentelemetry-propagator-jaeger";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/propagators.py");

/// What is left of headers, here or there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) ids: Option<(String, String)>,
    pub(crate) sampled: bool,
    pub(crate) baggage: BTreeMap<String, String>,
}

impl Seen {
    /// Sampled or not; `None` if there is no context.
    pub(crate) fn decision(&self) -> Option<bool> {
        self.ids.as_ref().map(|_| self.sampled)
    }
}

pub(crate) struct Peer {
    process: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Peer {
    /// `None`, and a word about it, where the packages are not there and need not be.
    pub(crate) fn start() -> Option<Self> {
        let imports = "import opentelemetry.propagators.b3, opentelemetry.propagators.jaeger";
        let probe = Command::new("python3").args(["-c", imports]).stderr(Stdio::null()).status();
        if !probe.is_ok_and(|status| status.success()) {
            let reason = format!("python3 has not all of: pip install {PACKAGES}");
            let required = std::env::var("BARTIZAN_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
            assert!(!required, "{reason}");
            eprintln!("skipped: {reason}");
            return None;
        }
        let mut process = Command::new("python3")
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it has just run");
        let pipes = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Some(Self { process, pipes: RefCell::new(pipes) })
    }

    pub(crate) fn extract(&self, format: &str, headers: &HeaderMap) -> Seen {
        let mut map = BTreeMap::<&str, Vec<&str>>::new();
        for (name, value) in headers {
            // A server takes off the white space around a value.
            map.entry(name.as_str()).or_default().push(value.to_str().unwrap().trim_ascii());
        }
        let answer = self.ask(&json!({ "op": "extract", "format": format, "headers": map }));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Seen {
            ids: text(&answer["trace_id"]).zip(text(&answer["span_id"])),
            sampled: answer["sampled"].as_bool().unwrap(),
            baggage: serde_json::from_value(answer["baggage"].clone()).unwrap(),
        }
    }

    pub(crate) fn inject(&self, format: &str, context: &Seen) -> HeaderMap {
        let (trace_id, span_id) = context.ids.as_ref().unwrap();
        let (sampled, baggage) = (context.sampled, &context.baggage);
        let context =
            json!({ "trace_id": trace_id, "span_id": span_id, "sampled": sampled, "baggage": baggage });
        let answer = self.ask(&json!({ "op": "inject", "format": format, "context": context }));
        let pairs = answer.as_object().unwrap().iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), value)
        });
        pairs.collect()
    }

    fn ask(&self, question: &Value) -> Value {
        let (questions, answers) = &mut *self.pipes.borrow_mut();
        writeln!(questions, "{question}").expect("the peer listens");
        let mut answer = String::new();
        answers.read_line(&mut answer).expect("the peer answers");
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{question} has the answer {answer:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
