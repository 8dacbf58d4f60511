//! A Prometheus of our own, on a free port.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::fetch;

/// Whether a program is there. Without it the test is skipped, unless `BARTIZAN_REQUIRE_SERVICES` is set.
pub(crate) fn installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("BARTIZAN_REQUIRE_SERVICES").is_none(), "{program} is not installed");
        eprintln!("skipped: {program} is not installed");
    }
    found
}

pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Prometheus {
    /// Starts one that scrapes this address five times a second.
    pub(crate) fn scraping(target: SocketAddr, features: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let name = format!("bartizan-prometheus-{}-{}", std::process::id(), address.port());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n\
             scrape_configs: [{{job_name: quickstart, static_configs: [{{targets: ['{target}']}}]}}]\n",
        );
        let file = folder.join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--enable-feature={features}"))
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, address, folder }
    }

    /// The data of an answer of its API; `null` while there is none.
    pub(crate) fn get(&self, path: &str, query: &str) -> Value {
        let answer = fetch(self.address, &format!("/api/v1/{path}?{query}")).unwrap_or_default();
        serde_json::from_str(&answer).map_or(Value::Null, |document: Value| document["data"].clone())
    }

    /// The value of a query, once there is one that is wanted.
    pub(crate) fn wait_for(&self, query: &str, wanted: impl Fn(f64) -> bool) -> f64 {
        let started = Instant::now();
        let mut last = Value::Null;
        while started.elapsed() < Duration::from_secs(30) {
            last = self.get("query", &format!("query={}", encode(query)));
            let value = last["result"][0]["value"][1].as_str().and_then(|value| value.parse().ok());
            if let Some(value) = value.filter(|value| wanted(*value)) {
                return value;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{query} did not get there: {last}\n{}", self.log());
    }

    /// The trace ids of the exemplars of a query, once there are as many as wanted.
    pub(crate) fn exemplars(&self, query: &str, wanted: usize) -> Vec<String> {
        let started = Instant::now();
        let query = format!("query={}&start=0&end=9999999999", encode(query));
        let mut last = Value::Null;
        while started.elapsed() < Duration::from_secs(30) {
            last = self.get("query_exemplars", &query);
            let series = last.as_array().into_iter().flatten();
            let exemplars = series.flat_map(|series| series["exemplars"].as_array().into_iter().flatten());
            let ids: Vec<_> = exemplars
                .filter_map(|exemplar| exemplar["labels"]["trace_id"].as_str().map(str::to_owned))
                .collect();
            if ids.len() >= wanted {
                return ids;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the exemplars did not come: {last}\n{}", self.log());
    }

    /// Fails if any scrape went wrong so far.
    pub(crate) fn assert_content(&self) {
        let targets = self.get("targets", "state=active");
        let target = &targets["activeTargets"][0];
        assert_eq!((&target["health"], &target["lastError"]), (&"up".into(), &"".into()), "{target}");
        let log = self.log();
        let complaint = |line: &&str| {
            line.contains("scrape") && (line.contains("level=warn") || line.contains("level=error"))
        };
        assert_eq!(log.lines().find(complaint), None);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A query as a part of a URL.
fn encode(query: &str) -> String {
    query
        .bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
