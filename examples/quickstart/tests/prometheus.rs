//! A real Prometheus scrapes the service, and `promtool` finds nothing to complain about.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod process;

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use process::{Service, fetch};
use serde_json::Value;

/// Whether a program is there. Without it the test is skipped, unless `BARTIZAN_REQUIRE_SERVICES` is set.
fn installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("BARTIZAN_REQUIRE_SERVICES").is_none(), "{program} is not installed");
        eprintln!("skipped: {program} is not installed");
    }
    found
}

struct Prometheus {
    child: Child,
    address: std::net::SocketAddr,
    folder: PathBuf,
}

impl Prometheus {
    fn scraping(service: &Service) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = std::env::temp_dir().join(format!("bartizan-prometheus-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n\
             scrape_configs: [{{job_name: quickstart, static_configs: [{{targets: ['{}']}}]}}]\n",
            service.address
        );
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address, folder }
    }

    /// The value of a query, once there is one that is wanted.
    fn wait_for(&self, query: &str, wanted: impl Fn(f64) -> bool) -> f64 {
        let started = Instant::now();
        let mut last = String::new();
        while started.elapsed() < Duration::from_secs(30) {
            if let Some(answer) = fetch(self.address, &format!("/api/v1/query?query={query}")) {
                let document: Value = serde_json::from_str(&answer).unwrap_or_default();
                let value =
                    document["data"]["result"][0]["value"][1].as_str().and_then(|value| value.parse().ok());
                if let Some(value) = value.filter(|value| wanted(*value)) {
                    return value;
                }
                last = answer;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{query} did not get there: {last}");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn prometheus_scrapes_the_service_and_reads_what_it_counted() {
    if !installed("prometheus") {
        return;
    }
    let service = Service::start(&[]);
    for _ in 0..7 {
        assert_eq!(service.send("GET", "/orders/1", &[], "").status, 200);
    }
    service.send("GET", "/stream?chunks=5&ms=20", &[], "");
    let prometheus = Prometheus::scraping(&service);
    prometheus.wait_for("up", |up| (up - 1.0).abs() < f64::EPSILON);
    let counted =
        prometheus.wait_for("http_requests_total%7Bendpoint%3D%22%2Forders%2F%7Bid%7D%22%7D", |n| n > 0.0);
    assert!((counted - 7.0).abs() < f64::EPSILON);
    let slow = "histogram_quantile(0.5,http_request_duration_seconds_bucket%7Bendpoint%3D%22%2Fstream%22%7D)";
    assert!(prometheus.wait_for(slow, f64::is_finite) >= 0.1);
    service.send("GET", "/health/ready", &[], "");
    prometheus.wait_for("health_check_status%7Bcheck%3D%22orders%22%7D", |status| {
        (status - 1.0).abs() < f64::EPSILON
    });
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    if !installed("promtool") {
        return;
    }
    let service = Service::start(&[]);
    for path in ["/orders/1", "/fail", "/nowhere", "/health/ready"] {
        service.send("GET", path, &[], "");
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(service.metrics().as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn the_page_is_text_or_openmetrics_as_asked_and_compressed_if_asked() {
    let service = Service::start(&[]);
    let page = service.send("GET", "/metrics", &[], "");
    assert_eq!(page.header("content-type").as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    let page =
        service.send("GET", "/metrics", &[("accept", "application/openmetrics-text; version=1.0.0")], "");
    let kind = page.header("content-type");
    assert_eq!(kind.as_deref(), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(page.body.ends_with("# EOF\n"));
    let page = service.send("GET", "/metrics", &[("accept-encoding", "gzip")], "");
    assert_eq!(page.header("content-encoding").as_deref(), Some("gzip"));
}
