//! A log that ends in memory, and a JSON reader that forgives nothing.
#![allow(dead_code)]

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::TraceIds;
use bartizan_log::{LogBuilder, LogFormat};
use bartizan_mask::Masker;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use tracing_subscriber::layer::SubscriberExt;

pub(crate) type Object = Map<String, Value>;

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("lines are UTF-8")
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log to be tried.
pub(crate) struct Trial {
    builder: LogBuilder,
    memory: Memory,
}

impl Trial {
    pub(crate) fn new() -> Self {
        let memory = Memory::default();
        let builder = LogBuilder::new()
            .env(|_| None)
            .filter("trace")
            .format(LogFormat::Json)
            .capacity(64 * 1024 * 1024)
            .sink(memory.clone());
        Self { builder, memory }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(LogBuilder) -> LogBuilder) -> Self {
        self.builder = change(self.builder);
        self
    }

    pub(crate) fn masker(self, masker: Masker) -> Self {
        self.with(|builder| builder.masker(masker))
    }

    pub(crate) fn trace_ids(self, current: fn() -> Option<TraceIds>) -> Self {
        self.with(|builder| builder.trace_ids(current))
    }

    /// Everything that was written while `work` ran.
    pub(crate) fn text(self, work: impl FnOnce()) -> String {
        let (layer, guard) = self.builder.build().unwrap().into_layer();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        assert!(guard.shutdown(Duration::from_secs(30)));
        self.memory.text()
    }

    /// The lines that were written while `work` ran, each read strictly.
    pub(crate) fn lines(self, work: impl FnOnce()) -> Vec<Object> {
        read_lines(&self.text(work))
    }

    /// The lines that were written while the future ran, on a paused clock.
    pub(crate) fn lines_of(self, work: impl Future<Output = ()>) -> Vec<Object> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        self.lines(|| runtime.unwrap().block_on(work))
    }

    /// The one line that was written.
    pub(crate) fn line(self, work: impl FnOnce()) -> Object {
        let mut lines = self.lines(work);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.remove(0)
    }
}

pub(crate) fn lines(work: impl FnOnce()) -> Vec<Object> {
    Trial::new().lines(work)
}

pub(crate) fn line(work: impl FnOnce()) -> Object {
    Trial::new().line(work)
}

/// Reads lines of which each must be one flat JSON object, no longer than it may be, in which no name comes twice.
pub(crate) fn read_lines(text: &str) -> Vec<Object> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is not ended");
    let bad = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{2028}' | '\u{2029}');
    assert!(!text.contains(bad), "a control character stands in {text:?}");
    let lines = text.split_terminator('\n');
    lines
        .map(|line| {
            assert!(line.len() < 64 * 1024, "a line of {} bytes", line.len());
            serde_json::from_str::<Strict>(line).unwrap_or_else(|error| panic!("{error}: {line}")).0
        })
        .collect()
}

struct Strict(Object);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NoTwice;
        impl<'de> Visitor<'de> for NoTwice {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
                let mut object = Object::new();
                while let Some(name) = map.next_key::<String>()? {
                    let nested = matches!(name.as_str(), "request_headers" | "response_headers");
                    let value =
                        if nested { Value::Object(map.next_value::<Strict>()?.0) } else { map.next_value()? };
                    if value.is_array() || (value.is_object() && !nested) {
                        return Err(A::Error::custom(format!("{name} is not flat")));
                    }
                    if object.insert(name.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("{name} comes twice")));
                    }
                }
                Ok(Strict(object))
            }
        }
        deserializer.deserialize_map(NoTwice)
    }
}
