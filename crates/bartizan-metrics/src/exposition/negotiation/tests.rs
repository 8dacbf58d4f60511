use super::*;

use Format::{OpenMetrics1, Protobuf, Text004};

fn negotiate(accept: &'static str) -> Format {
    Format::negotiate(Some(&HeaderValue::from_static(accept)))
}

#[test]
fn real_scrapers_get_what_they_prefer() {
    for (who, accept, format) in [
        (
            "Prometheus 2.42",
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OpenMetrics1,
        ),
        (
            "Prometheus 2.42 with native histograms",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
             application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Protobuf,
        ),
        (
            "Prometheus 2.49 to 2.55, Grafana Alloy, OpenTelemetry Collector",
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OpenMetrics1,
        ),
        (
            "Prometheus 2.49 to 2.55 with native histograms, Grafana Alloy with them",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,\
             application/openmetrics-text;version=1.0.0;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,\
             text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            Protobuf,
        ),
        (
            "Prometheus 3",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OpenMetrics1,
        ),
        (
            "Prometheus 3 with native histograms",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
             application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            Protobuf,
        ),
        (
            "Prometheus 3 told to use text 1.0.0",
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5",
            Text004,
        ),
        (
            "Prometheus 3 told to use text 0.0.4",
            "text/plain;version=0.0.4;escaping=underscores;q=0.6,*/*;q=0.5",
            Text004,
        ),
        (
            "Prometheus 2.0",
            "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OpenMetrics1,
        ),
        (
            "Prometheus 1",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
            Protobuf,
        ),
        ("curl, Go, Python", "*/*", Text004),
        (
            "Firefox",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            Text004,
        ),
        (
            "Chrome",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
             application/signed-exchange;v=b3;q=0.7",
            Text004,
        ),
        ("Datadog agent, text", "text/plain", Text004),
        (
            "Datadog agent, OpenMetrics",
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1",
            OpenMetrics1,
        ),
        ("Datadog agent, both", "application/openmetrics-text; version=0.0.1,text/plain;q=0.5", OpenMetrics1),
        ("Telegraf", "text/plain;version=0.0.4;q=1,*/*;q=0.1", Text004),
    ] {
        assert_eq!(negotiate(accept), format, "{who}");
    }
}

#[test]
fn weights_versions_and_order_decide() {
    for (accept, format) in [
        ("application/openmetrics-text", OpenMetrics1),
        ("Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=0.2", OpenMetrics1),
        ("application/openmetrics-text;version=2.0.0", Text004),
        ("application/openmetrics-text;q=0", Text004),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.4", Text004),
        ("application/openmetrics-text;q=0.001", OpenMetrics1),
        ("application/openmetrics-text,text/plain", OpenMetrics1),
        ("text/plain,application/openmetrics-text", Text004),
        ("*/*,application/openmetrics-text", OpenMetrics1),
        ("*/*;q=1,text/plain;q=0.1,application/openmetrics-text;q=0.5", OpenMetrics1),
        ("application/openmetrics-text;q=0.5,text/*;q=0.8", Text004),
        ("application/*", Text004),
        ("text/plain;q=0", Text004),
        ("application/vnd.google.protobuf", Text004),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text,\
             application/openmetrics-text;q=0.1",
            OpenMetrics1,
        ),
        ("application/vnd.google.protobuf;proto=other.Message;encoding=delimited", Text004),
        (
            "application/openmetrics-text;q=0.5,\
             application/vnd.google.protobuf;encoding=\"delimited\";proto=io.prometheus.client.MetricFamily;q=0.5",
            OpenMetrics1,
        ),
        (
            "application/openmetrics-text;q=0.4,\
             application/vnd.google.protobuf;encoding=\"delimited\";proto=io.prometheus.client.MetricFamily;q=0.5,\
             text/plain;q=0.5",
            Protobuf,
        ),
    ] {
        assert_eq!(negotiate(accept), format, "{accept}");
    }
}

#[test]
fn the_content_type_says_version_and_escaping_as_they_were_asked_for() {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    for (accept, content_type) in [
        ("application/openmetrics-text", OPEN_METRICS.to_owned()),
        (
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text; version=0.0.1; charset=utf-8".into(),
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
            format!("{OPEN_METRICS}; escaping=allow-utf-8"),
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=values",
            format!("{OPEN_METRICS}; escaping=values"),
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=dots",
            format!("{OPEN_METRICS}; escaping=underscores"),
        ),
        ("application/openmetrics-text;version=1.0.0;escaping=other", OPEN_METRICS.into()),
        ("text/plain;version=0.0.4;escaping=allow-utf-8", "text/plain; version=0.0.4; charset=utf-8".into()),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
                .into(),
        ),
    ] {
        let answer = Answer::to(Some(&HeaderValue::from_static(accept)));
        assert_eq!(answer.content_type(), content_type, "{accept}");
    }
}

#[test]
fn garbage_gets_text() {
    for accept in ["", ",,,", ";;;", "application/openmetrics-text;q=high", "=;q=0.5,", "q=1", "/"] {
        assert_eq!(negotiate(accept), Text004, "{accept}");
    }
    for q in ["2", "-1", "0.1234", "", "."] {
        let accept = HeaderValue::from_str(&format!("application/openmetrics-text;q={q}")).unwrap();
        assert_eq!(Format::negotiate(Some(&accept)), Text004, "{q}");
    }
    let binary = HeaderValue::from_bytes(b"application/openmetrics-text\xff").unwrap();
    assert_eq!(Format::negotiate(Some(&binary)), Text004);
    assert_eq!(Format::negotiate(None), Text004);
}
