//! From the names that code gives to the names that Prometheus accepts.

use metrics::Unit;

use super::cell::Kind;

/// Longest metric name taken, in bytes.
pub(crate) const MAX_NAME: usize = 256;

/// A metric's name on the page, and its unit.
#[derive(Debug, PartialEq)]
pub(crate) struct Exposed {
    pub(crate) name: String,
    /// Only where the name says it too, as OpenMetrics demands.
    pub(crate) unit: Option<&'static str>,
}

/// The name under which a metric is shown.
///
/// A name with a dot is in OpenTelemetry's style and gets what Prometheus expects: underscores, its
/// unit, and `_total` on a counter. A name without one is meant as it stands.
pub(crate) fn exposed(raw: &str, unit: Option<Unit>, kind: Kind) -> Exposed {
    let unit = unit.and_then(unit_suffix);
    let mut name = metric_name(raw);
    if raw.contains('.') {
        let counter = kind == Kind::Counter;
        if counter && let Some(base) = name.strip_suffix("_total") {
            name.truncate(base.len());
        }
        if let Some(unit) = unit
            && !format!("_{name}_").contains(&format!("_{unit}_"))
        {
            name = format!("{name}_{unit}");
        }
        if counter {
            name.push_str("_total");
        }
    }
    let unit = unit.filter(|unit| {
        counter_base(&name, kind).strip_suffix(unit).is_some_and(|rest| rest.ends_with('_') && rest.len() > 1)
    });
    Exposed { name, unit }
}

/// A counter's name without `_total`, any other name as it is.
pub(crate) fn counter_base(name: &str, kind: Kind) -> &str {
    if kind == Kind::Counter { name.strip_suffix("_total").unwrap_or(name) } else { name }
}

/// Whether a name can stand on a page as it is.
pub(crate) fn is_metric_name(name: &str) -> bool {
    name.len() <= MAX_NAME && !name.is_empty() && metric_name(name) == name
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
fn metric_name(raw: &str) -> String {
    sanitised(raw, |c| c == ':')
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, without the two underscores that Prometheus keeps for itself.
pub(crate) fn label_name(raw: &str) -> String {
    let name = sanitised(raw, |_| false);
    match name.trim_start_matches('_') {
        rest if name.len() - rest.len() > 1 || rest.is_empty() => format!("_{rest}"),
        _ => name,
    }
}

fn sanitised(raw: &str, also: fn(char) -> bool) -> String {
    let mut name = String::with_capacity(raw.len() + 1);
    if raw.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(raw.chars().map(|c| if c.is_ascii_alphanumeric() || also(c) { c } else { '_' }));
    name
}

/// The unit as a part of a name; a count has none.
fn unit_suffix(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Count => None,
        Unit::CountPerSecond => Some("per_second"),
        other => Some(other.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(raw: &str, unit: Option<Unit>, kind: Kind) -> String {
        exposed(raw, unit, kind).name
    }

    #[test]
    fn dotted_names_get_unit_and_total() {
        use Kind::{Counter, Gauge, Histogram};
        for (raw, unit, kind, expected) in [
            (
                "http.server.request.duration",
                Some(Unit::Seconds),
                Histogram,
                "http_server_request_duration_seconds",
            ),
            (
                "http.server.request.body.size",
                Some(Unit::Bytes),
                Histogram,
                "http_server_request_body_size_bytes",
            ),
            ("http.server.active_requests", Some(Unit::Count), Gauge, "http_server_active_requests"),
            ("orders.placed", None, Counter, "orders_placed_total"),
            ("orders.placed.total", None, Counter, "orders_placed_total"),
            ("disk.io", Some(Unit::Bytes), Counter, "disk_io_bytes_total"),
            ("disk.bytes.read", Some(Unit::Bytes), Counter, "disk_bytes_read_total"),
            ("link.speed", Some(Unit::BitsPerSecond), Gauge, "link_speed_bits_per_second"),
            ("queue.rate", Some(Unit::CountPerSecond), Gauge, "queue_rate_per_second"),
        ] {
            assert_eq!(name(raw, unit, kind), expected);
        }
    }

    #[test]
    fn plain_names_stay_as_they_are() {
        assert_eq!(name("orders", None, Kind::Counter), "orders");
        assert_eq!(name("wait", Some(Unit::Seconds), Kind::Histogram), "wait");
        assert_eq!(name("job:errors:rate5m", None, Kind::Gauge), "job:errors:rate5m");
    }

    #[test]
    fn what_prometheus_refuses_becomes_an_underscore() {
        assert_eq!(name("2xx-räte {x}", None, Kind::Gauge), "_2xx_r_te__x_");
        assert_eq!(label_name("http.route"), "http_route");
        assert_eq!(label_name("a:b"), "a_b");
        assert_eq!(label_name("9"), "_9");
    }

    #[test]
    fn labels_cannot_take_reserved_names() {
        assert_eq!(label_name("__name__"), "_name__");
        assert_eq!(label_name("_x"), "_x");
        assert_eq!(label_name(""), "_");
        assert_eq!(label_name("__"), "_");
    }

    #[test]
    fn a_unit_is_told_only_if_the_name_ends_in_it() {
        let unit = |raw, unit, kind| exposed(raw, Some(unit), kind).unit;
        assert_eq!(unit("job_wait_seconds", Unit::Seconds, Kind::Histogram), Some("seconds"));
        assert_eq!(unit("io_bytes_total", Unit::Bytes, Kind::Counter), Some("bytes"));
        assert_eq!(unit("disk.io", Unit::Bytes, Kind::Counter), Some("bytes"));
        assert_eq!(unit("job_wait", Unit::Seconds, Kind::Histogram), None);
        assert_eq!(unit("seconds", Unit::Seconds, Kind::Gauge), None);
        assert_eq!(unit("milliseconds", Unit::Seconds, Kind::Gauge), None);
    }

    #[test]
    fn only_finished_names_are_names() {
        assert!(is_metric_name("bartizan_log_lines_dropped_total"));
        for bad in ["", "a.b", "9a", "a b", "ä", &"a".repeat(MAX_NAME + 1)] {
            assert!(!is_metric_name(bad), "{bad}");
        }
    }
}
