//! What other subscribers see of a request.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::service::{Service, get};
use crate::support::{Memory, read_lines};

/// Notes the fields of events and spans of the request's target.
#[derive(Clone, Default)]
struct Foreign {
    events: Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>,
    span: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

struct Notes<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Notes<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Foreign {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Notes(&mut fields));
        self.events.lock().unwrap().push(fields);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut Notes(&mut self.span.lock().unwrap()));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Notes(&mut self.span.lock().unwrap()));
    }
}

#[test]
fn they_get_the_same_fields_masked_and_the_ids_on_a_span_that_our_lines_leave_out() {
    let memory = Memory::default();
    let log = bartizan_log::LogBuilder::new()
        .env(|_| None)
        .format(bartizan_log::LogFormat::Json)
        .sink(memory.clone())
        .build()
        .unwrap();
    let (layer, guard) = log.into_layer();
    let foreign = Foreign::default();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer).with(foreign.clone());
    tracing::subscriber::with_default(subscriber, || {
        let service = Service::new(|| async {
            let id = http::HeaderValue::from_static("order-17");
            let record = bartizan_core::Context::current().record().cloned().unwrap();
            record.set_correlation_id(bartizan_core::CorrelationId::new(id).unwrap());
            "hi"
        })
        .layered(|layer| layer.request_headers(true));
        let mut request = get("/users/7?token=hunter2");
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("Bearer hunter2"));
        runtime.block_on(service.call(request));
    });
    assert!(guard.shutdown(std::time::Duration::from_secs(30)));

    let events = foreign.events.lock().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["message"], "\"request completed\"");
    assert_eq!(events[0]["query"], "\"token=[REDACTED]\"");
    assert_eq!(events[0]["status"], "200");
    assert_eq!(events[0]["request_headers"], r#""{\"authorization\":\"[REDACTED]\"}""#);
    assert!(!events[0].contains_key("correlation_id") && !events[0].contains_key("error_type"));
    let span = foreign.span.lock().unwrap();
    assert_eq!((span["method"].as_str(), span["correlation_id"].as_str()), ("\"GET\"", "\"order-17\""));

    let lines = read_lines(&memory.text());
    assert_eq!((&lines[0]["correlation_id"], &lines[0]["method"]), (&json!("order-17"), &json!("GET")));
}

#[test]
fn the_span_of_a_request_is_not_made_for_our_layer_alone() {
    let (layer, _guard) = bartizan_log::LogBuilder::new()
        .env(|_| None)
        .filter("trace")
        .sink(Memory::default())
        .build()
        .unwrap()
        .into_layer();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(
            Service::new(|| async {
                let record = bartizan_core::Context::current().record().cloned().unwrap();
                assert!(record.span().is_disabled());
                assert!(tracing::Span::current().is_disabled());
            })
            .call(get("/")),
        );
    });
}
