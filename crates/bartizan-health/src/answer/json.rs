//! The plain JSON documents.

use std::{sync::Arc, time::SystemTime};

use serde::{Serialize, Serializer};
use serde_json::Value;
use time::{
    OffsetDateTime,
    format_description::well_known::{
        Iso8601,
        iso8601::{Config, EncodedConfig, TimePrecision},
    },
};

use super::{Answer, Verdict, code};
use crate::{CheckReport, Criticality, Report, Status, exposure::Sight};

/// `/health/live`.
pub(crate) fn live(report: &Report, sight: Sight) -> Answer {
    #[derive(Serialize)]
    struct Live<'a> {
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        checks: Option<Verdicts<'a>>,
    }
    let alive = Verdict::Alive.of(report);
    let status = if alive { "alive" } else { "dead" };
    let checks = (!alive).then_some(Verdicts { report, sight });
    Answer::json(code(alive), &Live { status, checks })
}

/// `/health`, and any group.
pub(crate) fn health(report: &Report, sight: Sight, as_200: bool) -> Answer {
    Answer::json(code(as_200), &Health::new(report, sight, Check::new))
}

/// `/health/detailed`.
pub(crate) fn detailed(report: &Report, sight: Sight, as_200: bool) -> Answer {
    #[derive(Serialize)]
    struct Detailed<'a> {
        #[serde(flatten)]
        health: Health<DetailedCheck<'a>>,
        failed_checks: Vec<&'a str>,
        total_checks: Option<usize>,
        passed_checks: Option<usize>,
    }
    let failed = report.checks.iter().filter(|check| check.status == Status::Unhealthy);
    let failed: Vec<_> = failed.map(|check| &*check.name).collect();
    let shown = sight >= Sight::Names;
    let document = Detailed {
        health: Health::new(report, sight, DetailedCheck::new),
        total_checks: shown.then_some(report.checks.len()),
        passed_checks: shown.then_some(report.checks.len() - failed.len()),
        failed_checks: if shown { failed } else { Vec::new() },
    };
    Answer::json(code(as_200), &document)
}

/// `/health/ready`.
pub(crate) fn ready(report: &Report, sight: Sight) -> Answer {
    #[derive(Serialize)]
    struct Ready<'a> {
        status: &'static str,
        health: Health<Check<'a>>,
        checks: Verdicts<'a>,
    }
    let ready = Verdict::Ready.of(report);
    let status = if ready { "ready" } else { "not_ready" };
    let (health, checks) = (Health::new(report, sight, Check::new), Verdicts { report, sight });
    Answer::json(code(ready), &Ready { status, health, checks })
}

/// `/health/startup`.
pub(crate) fn startup(report: &Report, sight: Sight) -> Answer {
    #[derive(Serialize)]
    struct Startup<'a> {
        status: &'static str,
        checks: Verdicts<'a>,
    }
    let started = Verdict::Started.of(report);
    let status = if started { "started" } else { "not_started" };
    Answer::json(code(started), &Startup { status, checks: Verdicts { report, sight } })
}

#[derive(Serialize)]
struct Health<C> {
    status: Status,
    timestamp: String,
    checks: Vec<C>,
}

impl<C> Health<C> {
    fn new<'a>(report: &'a Report, sight: Sight, check: fn(&'a CheckReport, Sight) -> C) -> Self {
        let shown = report.checks.iter().filter(|_| sight >= Sight::Names);
        let checks = shown.map(|report| check(report, sight)).collect();
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
    fn new(check: &'a CheckReport, sight: Sight) -> Self {
        Self {
            name: &check.name,
            status: check.status,
            message: message(check, sight),
            latency_ms: milliseconds(check.latency),
            details: check.details.as_ref().map(Arc::as_ref).filter(|_| sight == Sight::All),
            checked_at: rfc3339(check.checked_at),
        }
    }
}

#[derive(Serialize)]
struct DetailedCheck<'a> {
    #[serde(flatten)]
    check: Check<'a>,
    criticality: Criticality,
    age_ms: Option<f64>,
    stale: bool,
    failures: u32,
}

impl<'a> DetailedCheck<'a> {
    fn new(report: &'a CheckReport, sight: Sight) -> Self {
        let CheckReport { criticality, stale, failures, .. } = *report;
        let age_ms = report.age.map(milliseconds);
        Self { check: Check::new(report, sight), criticality, age_ms, stale, failures }
    }
}

/// `{name: "ok" | "error: .."}`; degraded is ok, as it keeps no traffic away.
struct Verdicts<'a> {
    report: &'a Report,
    sight: Sight,
}

impl Serialize for Verdicts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.report.checks.iter().filter(|_| self.sight >= Sight::Names);
        serializer.collect_map(shown.map(|check| {
            let message = message(check, self.sight).unwrap_or("unhealthy");
            let unhealthy = check.status == Status::Unhealthy;
            (&*check.name, if unhealthy { format!("error: {message}") } else { "ok".into() })
        }))
    }
}

pub(super) fn message(check: &CheckReport, sight: Sight) -> Option<&str> {
    check.message.as_deref().filter(|_| sight == Sight::All)
}

/// Whole microseconds: three decimals.
pub(super) fn milliseconds(duration: std::time::Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

const MILLISECONDS: EncodedConfig = Config::DEFAULT
    .set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) })
    .encode();

/// RFC 3339 in UTC with milliseconds; a clock before 1970 or past 9999 reads as 1970.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let nanos = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let nanos = i128::try_from(nanos).unwrap_or(0);
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Iso8601::<MILLISECONDS>).unwrap_or_else(|_| "1970-01-01T00:00:00.000Z".into())
}
