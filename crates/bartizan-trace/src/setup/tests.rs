use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::Key;

use super::*;
use crate::conventions::{DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME};
use crate::export::Batch;

fn read(vars: &[(&str, &str)]) -> Result<TraceSettings, SetupError> {
    let vars: HashMap<_, _> = vars.iter().copied().collect();
    TraceSettings::new().read_vars(|name| vars.get(name).map(|value| (*value).to_owned()))
}

fn error(vars: &[(&str, &str)]) -> String {
    read(vars).and_then(TraceSettings::build).unwrap_err().to_string()
}

fn off(settings: TraceSettings) -> String {
    let tracing = settings.build().unwrap();
    assert!(!tracing.is_enabled() && tracing.provider().is_none() && tracing.tracer().is_none());
    tracing.status().to_string()
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");

#[test]
fn without_an_endpoint_tracing_is_off_and_says_so() {
    assert_eq!(off(read(&[]).unwrap()), "off, because there is no endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)");
    assert_eq!(
        off(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "  ")]).unwrap()),
        "off, because there is no endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)"
    );
}

#[test]
fn each_switch_turns_tracing_off() {
    for switch in [
        ("OTEL_ENABLED", "false"),
        ("OTEL_ENABLED", "0"),
        ("OTEL_ENABLED", "off"),
        ("OTEL_SDK_DISABLED", "TRUE"),
        ("OTEL_SDK_DISABLED", "yes"),
    ] {
        assert!(off(read(&[ENDPOINT, switch]).unwrap()).contains("switched off"));
    }
    assert!(
        off(read(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]).unwrap()).contains("OTEL_TRACES_EXPORTER")
    );
    assert!(off(TraceSettings::new().endpoint("http://127.0.0.1:9").enabled(false)).contains("switched off"));
}

#[test]
fn what_is_switched_off_is_not_checked() {
    off(read(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "nonsense")]).unwrap());
}

#[test]
fn every_malformed_variable_is_an_error_that_names_it_and_shows_the_form() {
    for (name, value, form) in [
        ("OTEL_ENABLED", "maybe", "true or false"),
        ("OTEL_SDK_DISABLED", "yes!", "true or false"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp or none"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team", "key1=value1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "an http:// or https:// URL"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "tcp://c", "an http:// or https:// URL"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "grpc or http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp", "grpc or http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key", "key1=value1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "=x", "key1=value1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "-1", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip or none"),
        ("OTEL_TRACES_SAMPLER", "xray", "one of always_on"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "from 1 to 1000000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "99999999999999", "from 1 to 1000000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1", "from 1 to 1000000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "no more than the queue holds"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon", "milliseconds"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1e3", "milliseconds"),
    ] {
        let error = error(&[(name, value)]);
        assert!(error.starts_with(name) && error.contains(form), "{name}={value}: {error}");
    }
}

#[test]
fn secrets_show_up_in_no_error_and_no_debug() {
    let error = error(&[("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2,hunter2")]);
    assert!(!error.contains("hunter2"), "{error}");
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c/hunter2?key=hunter2"),
    ])
    .unwrap()
    .header("other", "hunter2");
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn variables_for_traces_win_over_general_ones() {
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces/in"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"),
    ])
    .unwrap();
    let endpoint = settings.endpoint.unwrap();
    assert_eq!((endpoint.url.as_str(), endpoint.complete), ("http://traces/in", true));
    assert_eq!(settings.protocol, Some(Protocol::Grpc));
    assert_eq!(settings.timeout, Duration::from_secs(2));
    assert_eq!(settings.headers.resolve().unwrap().keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_later_call_wins_over_an_earlier_one() {
    let vars = |name: &str| (name == "OTEL_SERVICE_NAME").then(|| "from-env".to_owned());
    let before = TraceSettings::new().service_name("from-code").read_vars(vars).unwrap();
    assert_eq!(before.attributes[SERVICE_NAME], "from-env");
    let after = TraceSettings::new().read_vars(vars).unwrap().service_name("from-code");
    assert_eq!(after.attributes[SERVICE_NAME], "from-code");
}

#[test]
fn the_service_name_variable_wins_over_the_resource_attributes() {
    let settings = read(&[
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=pro%20duction"),
        ("OTEL_SERVICE_NAME", "b"),
    ])
    .unwrap();
    let resource = resource::build(&settings.attributes);
    assert_eq!(resource.get(&Key::from_static_str(SERVICE_NAME)).unwrap().to_string(), "b");
    assert_eq!(
        resource.get(&Key::from_static_str(DEPLOYMENT_ENVIRONMENT_NAME)).unwrap().to_string(),
        "pro duction"
    );
}

#[test]
fn batch_variables_are_read() {
    let settings = read(&[
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "300"),
    ])
    .unwrap();
    let Batch { queue, size, delay, limit } = settings.batch;
    assert_eq!((queue, size, delay.as_millis(), limit.as_millis()), (100, 10, 200, 300));
}

#[test]
fn a_time_of_zero_is_no_limit_or_no_pause() {
    let zero = |name| read(&[(name, "0")]).unwrap();
    let longest = Duration::from_mins(10);
    assert_eq!(zero("OTEL_EXPORTER_OTLP_TIMEOUT").timeout, longest);
    assert_eq!(zero("OTEL_BSP_EXPORT_TIMEOUT").batch.limit, longest);
    assert_eq!(zero("OTEL_BSP_SCHEDULE_DELAY").batch.delay, Duration::from_millis(1));
}

#[test]
fn the_case_of_a_name_out_of_a_list_does_not_matter() {
    let settings = read(&[
        ("OTEL_TRACES_EXPORTER", "None"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "GRPC"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
        ("OTEL_TRACES_SAMPLER", "Always_Off"),
    ])
    .unwrap();
    assert_eq!((settings.otlp, settings.protocol, settings.gzip), (false, Some(Protocol::Grpc), true));
    assert_eq!(format!("{:?}", settings.sampler), "AlwaysOff");
}

#[cfg(not(feature = "_otlp"))]
#[test]
fn an_endpoint_without_a_transport_is_an_error_that_names_the_feature() {
    let error = error(&[ENDPOINT]);
    assert!(
        error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT asks for") && error.contains("`otlp` (of bartizan,"),
        "{error}"
    );
}

#[cfg(all(feature = "_otlp", not(feature = "otlp-tls")))]
#[test]
fn https_without_tls_is_an_error_that_names_the_feature() {
    let error = error(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317")]);
    assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT asks for https") && error.contains("`otlp-tls`"));
}

#[cfg(feature = "otlp-grpc")]
#[test]
fn the_status_names_where_spans_go_and_hides_the_path() {
    let settings = read(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4317/hunter2")]).unwrap();
    let tracing = settings.build().unwrap();
    assert_eq!(tracing.status().to_string(), "spans go to http://127.0.0.1:4317 by grpc");
    tracing.shutdown(Duration::from_secs(1)).unwrap();
}
