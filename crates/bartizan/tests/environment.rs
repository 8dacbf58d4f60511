//! What operators set goes before what the code says. One test a process: the stack is installed once.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};

use bartizan::Observability;
use bartizan::trace::Propagation;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_the_environment_sets_replaces_what_the_code_has_set_and_is_told() {
    let sink = Sink::default();
    let stack = Observability::builder("environment")
        .vars(|name| match name {
            "CORRELATION_ENABLED" => Some("false".to_owned()),
            "OTEL_PROPAGATORS" => Some("b3".to_owned()),
            _ => None,
        })
        .trace_layer(|layer| layer.propagation(Propagation::new()))
        .log_sink(sink.clone())
        .init()
        .unwrap();

    let service = stack.layer().layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    }));
    let request = Request::builder()
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1")
        .body(Full::new(Bytes::new()));
    let response = service.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.headers()["x-trace-id"], "80f198ee56343ba864fe8b2a57d3eff7");
    assert!(!response.headers().contains_key("x-correlation-id"));

    assert_eq!(stack.config()["correlation"]["enabled"], false);
    stack.shutdown().await.unwrap();
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("\"on\":\"log,health,trace context\""), "{log}");
}
