//! The answers: from a report to a status and a JSON document.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde::{Serialize, Serializer};
use serde_json::Value;
use time::{
    OffsetDateTime,
    format_description::well_known::{
        Iso8601,
        iso8601::{Config, EncodedConfig, TimePrecision},
    },
};

use crate::{CheckReport, Report, Status};

/// The answer to a probe, for a host that is no tower service; [`Endpoints::answer`](crate::Endpoints::answer)
/// makes it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// 200, 204, 405 or 503.
    pub status: StatusCode,
    /// The type of the document; none where there is no document.
    pub content_type: Option<&'static str>,
    /// The document; empty for HEAD, OPTIONS and 405.
    pub body: Bytes,
    /// The document's length, which HEAD tells too.
    length: Option<usize>,
    allow: bool,
}

const JSON: &str = "application/json";
const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

impl Answer {
    /// A refusal that needs no report: OPTIONS, or a method that is not served. None for GET and HEAD.
    pub(crate) fn without_document(method: &Method) -> Option<Self> {
        let status = match *method {
            Method::GET | Method::HEAD => return None,
            Method::OPTIONS => StatusCode::NO_CONTENT,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        let length = (status != StatusCode::NO_CONTENT).then_some(0);
        Some(Self { status, content_type: None, body: Bytes::new(), length, allow: true })
    }

    pub(crate) fn document(status: StatusCode, document: &impl Serialize) -> Self {
        // Nothing in our documents can fail to be JSON; an empty object is still one.
        let body = serde_json::to_vec(document).map_or(Bytes::from_static(b"{}"), Bytes::from);
        Self { status, content_type: Some(JSON), length: Some(body.len()), body, allow: false }
    }

    pub(crate) fn for_method(mut self, method: &Method) -> Self {
        if method == Method::HEAD {
            self.body = Bytes::new();
        }
        self
    }

    /// The answer as a response, with `cache-control: no-store` and the length.
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(length) = self.length {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        if self.allow {
            headers.insert(header::ALLOW, ALLOW);
        }
        response
    }
}

/// `/health/live`.
pub(crate) fn live() -> Answer {
    #[derive(Serialize)]
    struct Live {
        status: &'static str,
    }
    Answer::document(StatusCode::OK, &Live { status: "alive" })
}

/// `/health`.
pub(crate) fn health(report: &Report, full: bool, unhealthy_as_503: bool) -> Answer {
    Answer::document(health_code(report, unhealthy_as_503), &Health::new(report, full))
}

/// `/health/detailed`.
pub(crate) fn detailed(report: &Report, full: bool, unhealthy_as_503: bool) -> Answer {
    #[derive(Serialize)]
    struct Detailed<'a> {
        #[serde(flatten)]
        health: Health<'a>,
        failed_checks: Vec<&'a str>,
        total_checks: usize,
        passed_checks: usize,
    }
    let failed = report.checks.iter().filter(|check| check.status == Status::Unhealthy);
    let failed_checks: Vec<_> = failed.map(|check| &*check.name).collect();
    let detailed = Detailed {
        health: Health::new(report, full),
        total_checks: report.checks.len(),
        passed_checks: report.checks.len() - failed_checks.len(),
        failed_checks,
    };
    Answer::document(health_code(report, unhealthy_as_503), &detailed)
}

/// `/health/ready`.
pub(crate) fn ready(report: &Report, full: bool) -> Answer {
    #[derive(Serialize)]
    struct Ready<'a> {
        status: &'static str,
        health: Health<'a>,
        checks: Verdicts<'a>,
    }
    let (code, status) = verdict(report.is_ready(), "ready", "not_ready");
    let (health, checks) = (Health::new(report, full), Verdicts { report, full });
    Answer::document(code, &Ready { status, health, checks })
}

/// `/health/startup`.
pub(crate) fn startup(report: &Report, full: bool) -> Answer {
    #[derive(Serialize)]
    struct Startup<'a> {
        status: &'static str,
        checks: Verdicts<'a>,
    }
    let (code, status) = verdict(report.started, "started", "not_started");
    Answer::document(code, &Startup { status, checks: Verdicts { report, full } })
}

fn verdict(good: bool, yes: &'static str, no: &'static str) -> (StatusCode, &'static str) {
    if good { (StatusCode::OK, yes) } else { (StatusCode::SERVICE_UNAVAILABLE, no) }
}

fn health_code(report: &Report, unhealthy_as_503: bool) -> StatusCode {
    verdict(!unhealthy_as_503 || report.status < Status::Unhealthy, "", "").0
}

#[derive(Serialize)]
struct Health<'a> {
    status: Status,
    timestamp: String,
    checks: Vec<Check<'a>>,
}

impl<'a> Health<'a> {
    fn new(report: &'a Report, full: bool) -> Self {
        let checks = report.checks.iter().map(|check| Check::new(check, full)).collect();
        Self { status: report.status, timestamp: rfc3339(report.timestamp), checks }
    }
}

#[derive(Serialize)]
struct Check<'a> {
    name: &'a str,
    status: Status,
    message: Option<&'a str>,
    latency_ms: f64,
    details: Option<&'a Value>,
    checked_at: String,
}

impl<'a> Check<'a> {
    fn new(check: &'a CheckReport, full: bool) -> Self {
        Self {
            name: &check.name,
            status: check.status,
            message: check.message.as_deref().filter(|_| full),
            // Whole microseconds: three decimals.
            latency_ms: check.latency.as_micros() as f64 / 1_000.0,
            details: check.details.as_ref().map(Arc::as_ref).filter(|_| full),
            checked_at: rfc3339(check.checked_at),
        }
    }
}

/// `{name: "ok" | "error: .."}`; degraded is ok, as it keeps no traffic away.
struct Verdicts<'a> {
    report: &'a Report,
    full: bool,
}

impl Serialize for Verdicts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.report.checks.iter().map(|check| {
            let message = check.message.as_deref().filter(|_| self.full).unwrap_or("unhealthy");
            let unhealthy = check.status == Status::Unhealthy;
            (&*check.name, if unhealthy { format!("error: {message}") } else { "ok".into() })
        }))
    }
}

const MILLISECONDS: EncodedConfig = Config::DEFAULT
    .set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) })
    .encode();

/// RFC 3339 in UTC with milliseconds; a clock before 1970 or past 9999 reads as 1970.
fn rfc3339(time: SystemTime) -> String {
    let nanos = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let nanos = i128::try_from(nanos).unwrap_or(0);
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Iso8601::<MILLISECONDS>).unwrap_or_else(|_| "1970-01-01T00:00:00.000Z".into())
}

#[cfg(test)]
mod tests;
