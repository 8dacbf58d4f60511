//! The service as a stranger meets it: a process, a socket, a log on standard output.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod process;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use process::Service;
use serde_json::Value;
use tokio::net::TcpSocket;

#[test]
fn every_route_answers_is_logged_and_counted() {
    let service = Service::start(&[]);
    for (method, path, status, route) in [
        ("GET", "/orders/7?token=planted-query", 200, "/orders/{id}"),
        ("POST", "/orders", 201, "/orders"),
        ("GET", "/slow?ms=5", 200, "/slow"),
        ("GET", "/fail", 500, "/fail"),
        ("GET", "/panic", 500, "/panic"),
        ("GET", "/api/v1/items/3", 200, "/api/v1/items/{id}"),
        ("GET", "/files/a/b", 200, "/files/{*path}"),
        ("GET", "/log?n=3", 200, "/log"),
        ("GET", "/nowhere", 404, "unmatched"),
        ("BREW", "/nowhere", 404, "unmatched"),
        ("DELETE", "/orders/7", 405, "/orders/{id}"),
    ] {
        let answer =
            service.send(method, path, &[("content-type", "application/json")], "{\"item\":\"lamp\"}");
        assert_eq!(answer.status, status, "{method} {path}");
        let id = answer.header("x-correlation-id").expect("every answer has its id");
        let line = service.completed(&id);
        assert_eq!(line["route"], route);
        assert_eq!(line["status"], status);
        assert_eq!(line["trace_id"], answer.header("x-trace-id").unwrap());
        let method = if method == "BREW" { "_OTHER" } else { method };
        let labels = format!(
            "endpoint=\"{route}\",method=\"{method}\",outcome={},status=\"{status}\"",
            line["outcome"]
        );
        assert!(service.metrics().contains(&format!("http_requests_total{{{labels}}} 1")), "{labels}");
    }
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "username=bob&password=planted-form"),
        ("application/json", "{\"user\":\"bob\",\"password\":\"planted-json\"}"),
    ] {
        assert_eq!(service.send("POST", "/login", &[("content-type", kind)], body).status, 200);
    }
    let busy = service
        .metrics()
        .lines()
        .filter(|line| line.starts_with("http_requests_in_flight") && !line.ends_with(" 0"))
        .count();
    assert_eq!(busy, 0);
    let (page, log) = (service.metrics(), service.log());
    for text in ["planted", "hunter2"] {
        assert!(!page.contains(text) && !log.contains(text), "{text} leaked");
    }
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
}

#[test]
fn streams_and_broken_bodies_are_measured_to_their_end() {
    let service = Service::start(&[]);
    let answer = service.send("GET", "/stream?chunks=5&ms=20", &[], "");
    let line = service.completed(&answer.header("x-correlation-id").unwrap());
    assert_eq!(line["response_bytes"], 50);
    assert!(
        line["duration_ms"].as_f64().unwrap() >= 100.0 && line["first_byte_ms"].as_f64().unwrap() < 100.0
    );

    let answer = service.send("GET", "/broken", &[], "");
    assert_eq!(answer.status, 200);
    let line = service.completed(&answer.header("x-correlation-id").unwrap());
    assert_eq!((&line["outcome"], &line["status"]), (&"body_error".into(), &200.into()));

    // The client hangs up before the head, and in the middle of the body.
    drop(service.begin("GET", "/slow?ms=60000", "gone-early"));
    let mut stream = service.begin("GET", "/stream?chunks=1000&ms=20", "gone-late");
    process::read_until(&mut stream, b"ten bytes");
    drop(stream);
    assert_eq!(service.completed("gone-early")["outcome"], "cancelled_before_head");
    assert_eq!(service.completed("gone-late")["outcome"], "cancelled_mid_body");
}

#[test]
fn every_line_of_a_request_has_its_ids_and_what_was_bound() {
    let service = Service::start(&[]);
    let answer = service.send("GET", "/log?n=3", &[("x-correlation-id", "bound-1")], "");
    assert_eq!(answer.header("x-correlation-id").as_deref(), Some("bound-1"));
    service.completed("bound-1");
    let lines = service.lines_of("bound-1");
    assert_eq!(lines.len(), 5, "three lines, one from a task, and the end");
    for line in &lines {
        assert_eq!((&line["tenant_id"], &line["user_id"]), (&"acme".into(), &42.into()), "{line}");
        assert_eq!(line["trace_id"].as_str().map(str::len), Some(32));
        assert_eq!(line["span_id"].as_str().map(str::len), Some(16));
    }
}

#[test]
fn health_config_and_their_aliases_answer() {
    let service = Service::start(&[("GRAFANA_URL", "https://me:planted@grafana.example.com/d")]);
    for path in ["/health/live", "/livez", "/health/liveness"] {
        assert_eq!(service.send("GET", path, &[], "").body, r#"{"status":"alive"}"#, "{path}");
    }
    for path in ["/health/ready", "/readyz", "/ready", "/health/readiness"] {
        let ready: Value = serde_json::from_str(&service.send("GET", path, &[], "").body).unwrap();
        assert_eq!((&ready["status"], &ready["checks"]["orders"]), (&"ready".into(), &"ok".into()), "{path}");
        assert_eq!(ready["health"]["checks"][0]["name"], "orders");
    }
    assert_eq!(service.send("HEAD", "/health", &[], "").status, 200);
    assert_eq!(service.send("GET", "/health/startup", &[], "").status, 200);
    let tools = service.send("GET", "/health/tools", &[], "").body;
    assert!(
        tools.contains("grafana.example.com") && tools.contains("null") && !tools.contains("planted"),
        "{tools}"
    );
    let config: Value =
        serde_json::from_str(&service.send("GET", "/observability/config", &[], "").body).unwrap();
    assert_eq!((&config["service"], &config["metrics"]["enabled"]), (&"quickstart".into(), &true.into()));
}

#[test]
fn a_signal_fails_readiness_lets_requests_finish_and_exits_with_0() {
    let mut service = Service::start(&[]);
    let mut slow = service.begin("GET", "/slow?ms=2000", "in-flight");
    service.wait_for_line(|line| line["message"] == "listening");
    service.signal("TERM");
    service.wait_for_line(|line| line["message"] == "draining");
    assert_eq!(service.send("GET", "/health/ready", &[], "").status, 503);
    assert_eq!(service.send("GET", "/health/live", &[], "").status, 200);
    assert_eq!(service.send("GET", "/orders/1", &[], "").status, 200, "requests are still served");
    let answer = process::read_until(&mut slow, b"slept_ms");
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    // A second signal cuts the delay short.
    service.signal("INT");
    assert_eq!(service.wait(), Some(0));
    assert!(service.log().contains("service stopped"), "the last line is written");
}

#[test]
fn the_drain_delay_of_the_environment_counts() {
    let mut service = Service::start(&[("DRAIN_DELAY", "0")]);
    let asked = Instant::now();
    service.signal("TERM");
    assert_eq!(service.wait(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(4), "that is not the default");
}

#[test]
fn requests_that_last_longer_than_the_deadline_are_cut_off_and_the_service_says_so() {
    let mut service = Service::start(&[("DRAIN_DELAY", "0"), ("DRAIN_DEADLINE", "200ms")]);
    let _slow = service.begin("GET", "/slow?ms=60000", "too-long");
    service.signal("TERM");
    assert_eq!(service.wait(), Some(1));
    assert_eq!(service.completed("too-long")["outcome"], "cancelled_before_head", "logged before the end");
    assert!(service.log().contains("were cut off"));
}

#[test]
fn the_service_starts_once_what_it_waits_for_is_there() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    // Nobody else can take the port, and nobody listens there yet.
    let other = TcpSocket::new_v4().unwrap();
    other.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = other.local_addr().unwrap().to_string();
    let missing = "a startup check has not passed";
    let mut listening = None;
    let service = Service::start_after(&[("WAIT_FOR", &address)], missing, || {
        listening = Some(other.listen(8).unwrap());
    });
    let missed = service.wait_for_line(|line| line["message"] == missing);
    assert_eq!(missed["check"], "wait-for");
    assert_eq!(service.send("GET", "/health/startup", &[], "").status, 200);
}

#[test]
fn a_startup_check_that_does_not_pass_is_one_error_and_exit_code_69() {
    let vars = [("WAIT_FOR", "127.0.0.1:1"), ("STARTUP_DEADLINE", "300ms")];
    let (code, error) = Service::fail(&vars);
    assert_eq!(code, Some(69));
    assert_eq!(error.trim().lines().count(), 1, "{error}");
    assert!(
        error.contains("`wait-for`") && error.contains("refused") && error.contains("exit code 69"),
        "{error}"
    );
}

#[test]
fn a_signal_ends_a_service_that_is_still_starting() {
    let code = Service::stop_before_it_listens(&[("WAIT_FOR", "127.0.0.1:1")], "has not passed");
    assert_eq!(code, Some(143));
}

#[test]
fn spans_reach_the_collector_before_the_service_ends() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut service =
        Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "60000")]);
    let answer = service.send("GET", "/orders/7?token=planted", &[("cookie", "session=planted")], "");
    let trace_id = answer.header("x-trace-id").unwrap();
    let receiver = std::thread::spawn(move || process::collect(&collector));
    service.signal("TERM");
    service.wait_for_line(|line| line["message"] == "draining");
    service.signal("TERM");
    let request = receiver.join().unwrap();
    assert_eq!(service.wait(), Some(0));
    // The protobuf has ids as raw bytes and names as they are.
    let id: Vec<u8> = (0..16).map(|i| u8::from_str_radix(&trace_id[2 * i..2 * i + 2], 16).unwrap()).collect();
    let has = |bytes: &[u8]| request.windows(bytes.len()).any(|window| window == bytes);
    assert!(has(b"POST /v1/traces") && has(&id) && has(b"GET /orders/{id}") && has(b"quickstart"));
    assert!(!has(b"planted"));
}

#[test]
fn bodies_of_failed_requests_are_logged_masked_where_that_is_switched_on() {
    let service = Service::start(&[("LOG_BODIES", "failure")]);
    let json = |id| [("content-type", "application/json"), ("x-correlation-id", id)];
    let answer = service.send("POST", "/login", &json("refused"), r#"{"user":"ada","pin":4711}"#);
    assert_eq!(answer.status, 422);
    let line = service.completed("refused");
    assert_eq!(line["request_body"], r#"{"user":"ada","pin":"[REDACTED]"}"#);
    assert!(line["response_body"].as_str().unwrap().contains("password"), "{line}");
    service.send("GET", "/fail", &json("failed"), "");
    assert_eq!(service.completed("failed")["response_body"], r#"{"error":"out of stock"}"#);
    service.send("POST", "/login", &json("fine"), r#"{"user":"ada","password":"hunter2"}"#);
    assert!(service.completed("fine").get("request_body").is_none());
    assert!(!service.log().contains("4711") && !service.log().contains("hunter2"));
}

#[test]
fn a_wrong_variable_is_one_error_that_names_it() {
    for (name, value) in [
        ("ENABLE_METRICS", "perhaps"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "quickstart=loud"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("GRAFANA_URL", "not a url"),
        ("TRUSTED_PROXIES", "everyone"),
        ("STARTUP_DEADLINE", "60"),
        ("DRAIN_DELAY", "soon"),
        ("DRAIN_DEADLINE", "-1s"),
        ("FLUSH_DEADLINE", "a while"),
    ] {
        let (code, error) = Service::fail(&[(name, value)]);
        assert_eq!(code, Some(78), "{name}");
        assert!(error.contains(name), "{name}: {error}");
        assert_eq!(error.trim().lines().count(), 1, "{error}");
    }
}

#[test]
fn metrics_can_be_switched_off() {
    let service = Service::start(&[("ENABLE_METRICS", "false")]);
    assert_eq!(service.send("GET", "/orders/1", &[], "").status, 200);
    let answer = service.send("GET", "/metrics", &[], "");
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("ENABLE_METRICS=true"));
}

/// The median of some requests, in seconds.
fn median(service: &Service) -> f64 {
    let mut times: Vec<f64> = (0..101)
        .map(|_| {
            let started = Instant::now();
            assert_eq!(service.send("GET", "/orders/1", &[], "").status, 200);
            started.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[50]
}

#[test]
fn a_dead_collector_and_a_full_log_pipe_do_not_slow_requests() {
    // A port that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let healthy = Service::start(&[]);
    let bound = median(&healthy) * 5.0 + 0.005;

    let dead = Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let slow = median(&dead);
    assert!(slow < bound, "{slow} s with a dead collector, {bound} s allowed");

    // Nobody reads its log: the pipe is full after 64 KiB, and the queue after some megabytes.
    let stuck = Service::start_unread(&[]);
    for _ in 0..20 {
        assert_eq!(stuck.send("GET", "/log?n=5000", &[], "").status, 200);
    }
    let before = stuck.resident_kib();
    let slow = median(&stuck);
    assert!(slow < bound, "{slow} s with a full pipe, {bound} s allowed");
    for _ in 0..20 {
        assert_eq!(stuck.send("GET", "/log?n=5000", &[], "").status, 200);
    }
    let grown = stuck.resident_kib().saturating_sub(before);
    assert!(grown < 4096, "memory grew by {grown} KiB while the pipe was full");
    let dropped = stuck.metrics();
    let dropped = dropped.lines().find(|line| line.starts_with("bartizan_log_lines_dropped_total")).unwrap();
    assert!(!dropped.ends_with(" 0"), "{dropped}");
}
