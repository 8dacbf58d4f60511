//! The page as an independent parser reads it: `prometheus_client` of Python.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::process::Service;

/// Reads a page, and says how many families, samples and exemplars it has.
const READ: &str = "
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
page = sys.stdin.read()
read = openmetrics.text_string_to_metric_families if sys.argv[1] == 'openmetrics' else parser.text_string_to_metric_families
families = list(read(page))
samples = [sample for family in families for sample in family.samples]
print(len(families), len(samples), sum(sample.exemplar is not None for sample in samples))
";

/// Whether Python has the parser. Without it the test is skipped, unless `BARTIZAN_REQUIRE_SERVICES` is set.
fn available() -> bool {
    let probe =
        Command::new("python3").args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
    let found = probe.is_ok_and(|status| status.success());
    if !found {
        let reason = "python3 has no prometheus_client: pip install prometheus-client";
        assert!(std::env::var_os("BARTIZAN_REQUIRE_SERVICES").is_none(), "{reason}");
        eprintln!("skipped: {reason}");
    }
    found
}

fn read(page: &str, format: &str) -> [usize; 3] {
    let mut python = Command::new("python3")
        .args(["-c", READ, format])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{error}\n{page}");
    let mut numbers = said.split_whitespace().map(|number| number.parse().unwrap());
    std::array::from_fn(|_| numbers.next().unwrap())
}

#[test]
fn a_strict_parser_of_openmetrics_takes_the_page() {
    if !available() {
        return;
    }
    // Sampled, for a collector that is not there.
    let service = Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    for path in ["/orders/1", "/fail", "/nowhere", "/health/ready", "/api/v1/items/%22%5C%0A"] {
        service.send("GET", path, &[], "");
    }
    let accept = |accept| service.send("GET", "/metrics", &[("accept", accept)], "").body;
    let page = accept("application/openmetrics-text");
    let [families, samples, exemplars] = read(&page, "openmetrics");
    let lines = |start: &str| page.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((families, samples), (lines("# TYPE "), page.lines().count() - lines("# ")), "{page}");
    assert_eq!(exemplars, page.matches(" # {trace_id=").count());
    assert!(exemplars >= 3, "{page}");
    let page = accept("text/plain");
    let lines = |start: &str| page.lines().filter(|line| line.starts_with(start)).count();
    let [families, samples, _] = read(&page, "text");
    assert_eq!((families, samples), (lines("# TYPE "), page.lines().count() - lines("# ")), "{page}");
}

#[test]
fn the_parser_refuses_what_is_wrong() {
    if !available() {
        return;
    }
    let refused = std::panic::catch_unwind(|| read("# TYPE a counter\na 1\n# EOF\n", "openmetrics"));
    assert!(refused.is_err());
}
