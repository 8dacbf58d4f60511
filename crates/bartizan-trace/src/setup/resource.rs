//! What produces the spans: service, instance, host, process, SDK.

use std::collections::HashMap;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::conventions::{HOST_NAME, PROCESS_PID, SCHEMA_URL, SERVICE_INSTANCE_ID, SERVICE_NAME};

/// Attributes by name; what is set wins over what is found out.
pub(super) type Attributes = HashMap<String, String>;

/// The resource with `attributes` and all that can be found out and was not set.
pub(super) fn build(attributes: &Attributes) -> Resource {
    let found = [
        (SERVICE_NAME, Some(default_service_name())),
        (SERVICE_INSTANCE_ID, Some(instance_id())),
        (HOST_NAME, host_name()),
    ];
    let found = found
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| KeyValue::new(name, value)))
        .chain([KeyValue::new(PROCESS_PID, i64::from(std::process::id()))])
        .filter(|found| !attributes.contains_key(found.key.as_str()));
    let set = attributes.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_schema_url(found.chain(set).collect::<Vec<_>>(), SCHEMA_URL)
        .build()
}

/// The specification's name for a service without one.
fn default_service_name() -> String {
    let exe = std::env::current_exe().ok();
    match exe.as_deref().and_then(|path| path.file_name()).and_then(|name| name.to_str()) {
        Some(name) => format!("unknown_service:{name}"),
        None => "unknown_service".to_owned(),
    }
}

/// A random UUID, version 4.
fn instance_id() -> String {
    uuid::Builder::from_random_bytes(RandomIdGenerator::default().new_trace_id().to_bytes())
        .into_uuid()
        .to_string()
}

/// The name of the host, where it can be had without a system call of our own.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::Key;

    fn get(resource: &Resource, name: &'static str) -> Option<String> {
        resource.get(&Key::from_static_str(name)).map(|value| value.to_string())
    }

    #[test]
    fn what_can_be_found_out_is_filled_in() {
        let resource = build(&Attributes::new());
        assert!(get(&resource, SERVICE_NAME).unwrap().starts_with("unknown_service:bartizan_trace"));
        assert_eq!(get(&resource, SERVICE_INSTANCE_ID).unwrap().len(), 36);
        assert_eq!(get(&resource, PROCESS_PID).unwrap(), std::process::id().to_string());
        assert_eq!(get(&resource, "telemetry.sdk.language").unwrap(), "rust");
        assert_eq!(resource.schema_url(), Some(SCHEMA_URL));
    }

    #[test]
    fn what_is_set_wins() {
        let attributes = [(SERVICE_NAME, "orders"), (HOST_NAME, "me"), ("team", "blue")];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let resource = build(&attributes);
        for (name, value) in &attributes {
            assert_eq!(resource.get(&Key::from(name.clone())).unwrap().to_string(), *value);
        }
    }

    #[test]
    fn every_instance_has_its_own_id() {
        assert_ne!(instance_id(), instance_id());
    }
}
