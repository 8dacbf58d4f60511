//! `application/health+json`, draft-inadarei-api-health-check-06.

use serde::{Serialize, Serializer};

use super::{
    Answer, code,
    json::{message, milliseconds, rfc3339},
};
use crate::{CheckReport, Report, Status, exposure::Sight};

pub(crate) const HEALTH_JSON: &str = "application/health+json";

/// Who answers: the service's name and its version.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct About {
    #[serde(rename = "serviceId", skip_serializing_if = "Option::is_none")]
    service: Option<Box<str>>,
    #[serde(rename = "releaseId", skip_serializing_if = "Option::is_none")]
    release: Option<Box<str>>,
}

impl About {
    pub(crate) fn new(service: &str, release: &str) -> Self {
        let given = |text: &str| (!text.is_empty()).then(|| text.into());
        Self { service: given(service), release: given(release) }
    }
}

/// Any report; `good` says whether the group passes. The draft wants fail to be 4xx or 5xx, and pass and warn not.
pub(crate) fn document(report: &Report, good: bool, sight: Sight, about: &About) -> Answer {
    #[derive(Serialize)]
    struct Document<'a> {
        status: &'static str,
        #[serde(flatten)]
        about: Option<&'a About>,
        #[serde(skip_serializing_if = "Option::is_none")]
        checks: Option<Checks<'a>>,
    }
    let status = if good { word(report.status.min(Status::Degraded)) } else { word(Status::Unhealthy) };
    let document = Document {
        status,
        about: (sight == Sight::All).then_some(about),
        checks: (sight >= Sight::Names).then_some(Checks { report, sight }),
    };
    Answer::serialized(code(good), HEALTH_JSON, &document)
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Healthy => "pass",
        Status::Degraded => "warn",
        Status::Unhealthy => "fail",
    }
}

struct Checks<'a> {
    report: &'a Report,
    sight: Sight,
}

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.report.checks.iter().map(|check| {
            // A colon parts the component from the measurement, so that no name may have one.
            (format!("{}:responseTime", check.name.replace(':', ".")), [Check::new(check, self.sight)])
        }))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check<'a> {
    component_id: &'a str,
    component_type: &'static str,
    observed_value: f64,
    observed_unit: &'static str,
    status: &'static str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
}

impl<'a> Check<'a> {
    fn new(check: &'a CheckReport, sight: Sight) -> Self {
        Self {
            component_id: &check.name,
            component_type: "component",
            observed_value: milliseconds(check.latency),
            observed_unit: "ms",
            status: word(check.status),
            time: rfc3339(check.checked_at),
            output: message(check, sight).filter(|_| check.status > Status::Healthy),
        }
    }
}
