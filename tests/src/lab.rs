//! The whole stack in this process, with its log, its metrics page and its spans at hand.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bartizan::core::Routes;
use bartizan::trace::opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use bartizan::trace::{MaskedExporter, TraceSettings};
use bartizan::{Observability, ObservabilityBuilder};
use serde_json::{Map, Value};

/// The stack of this process and what it has put out. There is one a process, so tests of one file tell their requests
/// apart by route or correlation id.
#[derive(Debug)]
pub struct Lab {
    /// The stack.
    pub stack: Observability,
    lines: Arc<Mutex<Vec<u8>>>,
    spans: InMemorySpanExporter,
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        // The stack's panic hook stands in for the default one: a failing test must still say why.
        for line in String::from_utf8_lossy(bytes).lines().filter(|line| line.contains("panic.message")) {
            eprintln!("{}", line.split(",\"backtrace\"").next().unwrap_or(line));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lab {
    /// The lab of this process.
    pub fn get() -> &'static Self {
        static LAB: OnceLock<Lab> = OnceLock::new();
        LAB.get_or_init(|| Self::start(|builder| builder))
    }

    /// Starts one with other settings: the only one of its process.
    pub fn start(change: impl FnOnce(ObservabilityBuilder) -> ObservabilityBuilder) -> Self {
        let lines = Arc::<Mutex<Vec<u8>>>::default();
        let spans = InMemorySpanExporter::default();
        let exporter = MaskedExporter::new(spans.clone(), bartizan::mask::Masker::default());
        let builder = Observability::builder("lab")
            .vars(|_| None)
            .metrics(true)
            .log_sink(Sink(Arc::clone(&lines)))
            .routes(Routes::new().prefix("/files/{*path}").unwrap())
            .trace(TraceSettings::new().customize(|provider| provider.with_simple_exporter(exporter)));
        let stack = change(builder).init().unwrap();
        Self { stack, lines, spans }
    }

    /// Every log line so far, each one a JSON object without duplicate keys.
    pub fn lines(&self) -> Vec<Map<String, Value>> {
        // The writer's thread lingers for some milliseconds: the last line says that all before it are there.
        let mark = format!("mark-{:?}", std::time::Instant::now());
        bartizan::core::Context::default().enter(|| tracing::error!(target: "lab", mark, "mark"));
        let text = loop {
            let text = String::from_utf8(self.lines.lock().unwrap().clone()).unwrap();
            if text.contains(&mark) && text.ends_with('\n') {
                break text;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        text.lines().map(object).collect()
    }

    /// The log lines with this value under this key.
    pub fn lines_with(&self, key: &str, value: &str) -> Vec<Map<String, Value>> {
        self.lines().into_iter().filter(|line| line.get(key).and_then(Value::as_str) == Some(value)).collect()
    }

    /// The raw text of the log so far.
    pub fn log_text(&self) -> String {
        self.lines();
        String::from_utf8(self.lines.lock().unwrap().clone()).unwrap()
    }

    /// The metrics page.
    pub fn page(&self) -> String {
        let page = self.stack.store().unwrap().page(&http::HeaderMap::new());
        String::from_utf8(page.body.to_vec()).unwrap()
    }

    /// The value of the one sample that begins with this name and has all these labels.
    pub fn sample(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let page = self.page();
        let mut found = page.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|(key, value)| line.contains(&format!("{key}=\"{value}\"")))
        });
        let line = found.next()?;
        assert!(found.next().is_none(), "more than one sample of {name} {labels:?}");
        line.rsplit(' ').next().unwrap().parse().ok()
    }

    /// The finished spans.
    pub fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }
}

/// Parses a line that must be one JSON object without duplicate keys.
pub fn object(line: &str) -> Map<String, Value> {
    struct Strict(BTreeMap<String, Value>);

    impl<'de> serde::Deserialize<'de> for Strict {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Strict;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
                    let mut members = BTreeMap::new();
                    while let Some((key, value)) = map.next_entry::<String, Value>()? {
                        if members.insert(key.clone(), value).is_some() {
                            return Err(serde::de::Error::custom(format!("{key} twice")));
                        }
                    }
                    Ok(Strict(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    let strict: Strict = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    strict.0.into_iter().collect()
}
