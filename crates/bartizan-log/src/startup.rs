//! The first line of a service.

/// Logs `service started` at `INFO`, with what runs where and what is switched on. Target `bartizan`.
///
/// ```
/// bartizan_log::startup_event("orders", "1.4.2", "production", &["metrics", "traces"]);
/// ```
pub fn startup_event(service: &str, version: &str, environment: &str, on: &[&str]) {
    tracing::info!(target: "bartizan", service, version, environment, on = on.join(","), "service started");
}
