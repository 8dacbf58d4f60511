//! Masking spans on their way out: the application's own attributes and events are masked by the same rules as its logs.

use bartizan_mask::Masker;
use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// An exporter that masks before another one exports: attributes by name, texts by the names in them.
///
/// The OTLP export of [`TraceSettings`](crate::TraceSettings) has it built in; an exporter that is added by
/// [`customize`](crate::TraceSettings::customize) may be wrapped in it.
///
/// ```
/// use bartizan_mask::Masker;
/// use bartizan_trace::MaskedExporter;
/// use bartizan_trace::opentelemetry::KeyValue;
/// use bartizan_trace::opentelemetry::trace::{Span, Tracer, TracerProvider};
/// use bartizan_trace::opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
///
/// let spans = InMemorySpanExporter::default();
/// let masked = MaskedExporter::new(spans.clone(), Masker::default());
/// let provider = SdkTracerProvider::builder().with_simple_exporter(masked).build();
///
/// let mut span = provider.tracer("shop").start("login");
/// span.set_attribute(KeyValue::new("password", "hunter2"));
/// span.end();
/// assert_eq!(spans.get_finished_spans().unwrap()[0].attributes, [KeyValue::new("password", "[REDACTED]")]);
/// ```
#[derive(Debug)]
pub struct MaskedExporter<E> {
    inner: E,
    masker: Masker,
}

impl<E> MaskedExporter<E> {
    /// Wraps an exporter.
    pub fn new(inner: E, masker: Masker) -> Self {
        Self { inner, masker }
    }

    fn mask(&self, span: &mut SpanData) {
        self.mask_attributes(&mut span.attributes);
        for event in &mut span.events.events {
            self.mask_text(&mut event.name);
            self.mask_attributes(&mut event.attributes);
        }
        for link in &mut span.links.links {
            self.mask_attributes(&mut link.attributes);
        }
        if let Status::Error { description } = &mut span.status {
            self.mask_text(description);
        }
    }

    fn mask_attributes(&self, attributes: &mut [KeyValue]) {
        for KeyValue { key, value, .. } in attributes {
            if let Value::String(text) = value
                && let Some(masked) = self.masker.mask_value(key.as_str(), text.as_str())
            {
                *text = masked.into_owned().into();
                continue;
            }
            match (self.masker.censor_for(key.as_str()), value) {
                (Some(_), Value::String(_)) => {}
                (Some(censor), value) => *value = Value::from(censor.to_owned()),
                (None, Value::String(text)) if matches!(key.as_str(), "db.statement" | "db.query.text") => {
                    let mut masked = String::new();
                    // Writing to a string does not fail.
                    let _ = self.masker.sql(text.as_str(), &mut masked);
                    *text = masked.into();
                }
                (None, Value::String(text)) => self.mask_string(text),
                (None, Value::Array(Array::String(texts))) => {
                    for text in texts {
                        self.mask_string(text);
                    }
                }
                (None, _) => {}
            }
        }
    }

    fn mask_string(&self, text: &mut StringValue) {
        if let std::borrow::Cow::Owned(masked) = self.masker.text_cow(text.as_str()) {
            *text = masked.into();
        }
    }

    fn mask_text(&self, text: &mut std::borrow::Cow<'static, str>) {
        if let std::borrow::Cow::Owned(masked) = self.masker.text_cow(text) {
            *text = masked.into();
        }
    }
}

impl<E: SpanExporter> SpanExporter for MaskedExporter<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        for span in &mut batch {
            self.mask(span);
        }
        self.inner.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Span, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    use super::*;

    #[test]
    fn no_secret_of_a_span_an_event_or_a_status_is_exported() {
        let spans = InMemorySpanExporter::default();
        let masked = MaskedExporter::new(spans.clone(), Masker::default());
        let provider = SdkTracerProvider::builder().with_simple_exporter(masked).build();
        let mut span = provider.tracer("test").start("work");
        span.set_attribute(KeyValue::new("api_key", 4_711_001));
        span.set_attribute(KeyValue::new("note", "password=plain-4711002"));
        let texts = vec![StringValue::from("token: plain-4711003"), StringValue::from("fine")];
        span.set_attribute(KeyValue::new("notes", Value::Array(Array::String(texts))));
        span.set_attribute(KeyValue::new("db.query.text", "SELECT * FROM t WHERE a = 'plain-4711007'"));
        span.add_event("secret=plain-4711004", vec![KeyValue::new("session_token", "plain-4711005")]);
        span.set_status(Status::error("postgres://app:plain-4711006@db"));
        span.end();
        let shown = format!("{:?}", spans.get_finished_spans().unwrap());
        assert!(!shown.contains("4711"), "{shown}");
        assert!(shown.contains("fine") && shown.contains("work"), "{shown}");
    }
}
