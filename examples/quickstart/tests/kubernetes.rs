//! The files of `examples/deploy/kubernetes`: valid, in agreement with each other, and with what the code serves.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod process;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use process::Service;
use serde::Deserialize;
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/kubernetes");

fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

fn env(deployment: &Value) -> BTreeMap<&str, &str> {
    let env = container(deployment)["env"].as_array().unwrap();
    env.iter().map(|var| (var["name"].as_str().unwrap(), var["value"].as_str().unwrap())).collect()
}

/// What of a ServiceMonitor is used here: anything else is a mistake.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ServiceMonitor {
    api_version: String,
    kind: String,
    #[expect(dead_code, reason = "its form matters")]
    metadata: Metadata,
    spec: Monitor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its form matters")]
struct Metadata {
    name: String,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Monitor {
    selector: Selector,
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Endpoint {
    port: String,
    path: String,
    interval: String,
    scrape_timeout: String,
}

#[test]
fn the_files_are_what_kubernetes_takes() {
    let required = std::env::var("BARTIZAN_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    let files = ["deployment.yaml", "service.yaml"].map(|file| format!("{FOLDER}/{file}"));
    match Command::new("kubernetes-validate").arg("--strict").args(files).output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(output.status.success() && said.matches(" passed ").count() == 2, "{said}");
        }
        Err(error) if required => panic!("kubernetes-validate: {error}"),
        Err(_) => eprintln!("skipped: kubernetes-validate is not there: pip install kubernetes-validate"),
    }
}

#[test]
fn labels_and_ports_lead_from_the_monitor_to_the_container() {
    let (deployment, service): (Value, Value) = (read("deployment.yaml"), read("service.yaml"));
    let monitor: ServiceMonitor = read("servicemonitor.yaml");
    assert_eq!((&*monitor.api_version, &*monitor.kind), ("monitoring.coreos.com/v1", "ServiceMonitor"));

    let pod = &deployment["spec"]["template"]["metadata"]["labels"];
    for selector in [&deployment["spec"]["selector"]["matchLabels"], &service["spec"]["selector"]] {
        for (label, value) in selector.as_object().unwrap() {
            assert_eq!(&pod[label], value);
        }
    }
    for (label, value) in &monitor.spec.selector.match_labels {
        assert_eq!(service["metadata"]["labels"][label], **value);
    }
    let port = &container(&deployment)["ports"][0];
    let served = &service["spec"]["ports"][0];
    assert_eq!(served["targetPort"], port["name"]);
    assert_eq!(port["containerPort"].to_string(), env(&deployment)["PORT"]);
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(container(&deployment)[probe]["httpGet"]["port"], port["name"], "{probe}");
    }
    for endpoint in &monitor.spec.endpoints {
        assert_eq!(served["name"], *endpoint.port);
        let time = |text: &str| humantime::parse_duration(text).unwrap();
        assert!(time(&endpoint.scrape_timeout) < time(&endpoint.interval));
    }
}

#[test]
fn probes_and_scrapes_ask_for_what_the_service_serves() {
    let deployment: Value = read("deployment.yaml");
    let monitor: ServiceMonitor = read("servicemonitor.yaml");
    let mut vars = env(&deployment);
    vars.extend([("HOST", "127.0.0.1"), ("PORT", "0"), ("DRAIN_DELAY", "60s")]);
    let vars: Vec<_> = vars.into_iter().collect();
    let service = Service::start(&vars);
    let path = |probe: &str| container(&deployment)[probe]["httpGet"]["path"].as_str().unwrap().to_owned();
    let status = |path: &str| service.send("GET", path, &[], "").status;
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(status(&path(probe)), 200, "{probe}");
    }
    assert_eq!(status("/orders/7"), 200);
    for endpoint in &monitor.spec.endpoints {
        let page = service.send("GET", &endpoint.path, &[], "");
        assert!(page.status == 200 && page.body.contains("# TYPE http_requests_total counter"));
    }
    // Each of them tells what its probe is for.
    service.signal("TERM");
    service.wait_for_line(|line| line["message"] == "draining");
    while status(&path("readinessProbe")) != 503 {}
    assert_eq!(status(&path("livenessProbe")), 200);
}

#[test]
fn the_grace_period_is_longer_than_everything_that_has_to_fit_in() {
    let deployment: Value = read("deployment.yaml");
    let vars = env(&deployment);
    let time = |name: &str| humantime::parse_duration(vars[name]).unwrap();
    let grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap();
    let stopping = time("DRAIN_DELAY") + time("DRAIN_DEADLINE") + 2 * time("FLUSH_DEADLINE");
    assert!(Duration::from_secs(grace) > stopping + Duration::from_secs(5), "{stopping:?}");
    let probe = &container(&deployment)["startupProbe"];
    let number = |name: &str| probe[name].as_u64().unwrap();
    let starting = Duration::from_secs(number("periodSeconds") * number("failureThreshold"));
    assert!(starting > time("STARTUP_DEADLINE"), "{starting:?}");
}
