//! A test binary of its own: `tracing` caches for the whole process whether anybody listens to an event.

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bartizan_health::{Group, Health, Registry};
use tracing::{Event, Metadata, Subscriber, field::Field, span};

/// The events, a line each.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("bartizan_health")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| {
            let _ = write!(line, " {field}={value:?}");
        });
        self.0.lock().expect("no thread panicked").push(line);
    }
}

// R-HLT-10, R-HLT-11
#[tokio::test(start_paused = true)]
async fn worse_is_a_warning_and_better_is_information() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).unwrap();

    let runs = AtomicUsize::new(0);
    let check = move || {
        let health = match runs.fetch_add(1, Ordering::Relaxed) {
            1 | 2 => Health::unhealthy("postgres://app:s3cret@db refused"),
            _ => Health::healthy(),
        };
        async { health }
    };
    let registry = Registry::builder().register("db", check).build().unwrap();
    for _ in 0..5 {
        registry.report(Group::All).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    registry.drain();

    assert_eq!(
        *lines.0.lock().unwrap(),
        [
            "WARN message=health check got worse check=\"db\" from=\"healthy\" to=\"unhealthy\" \
             reason=\"postgres://[REDACTED]@db refused\"",
            "INFO message=health check got better check=\"db\" from=\"unhealthy\" to=\"healthy\"",
            "INFO message=draining: readiness is 503 from now on",
        ]
    );
}
