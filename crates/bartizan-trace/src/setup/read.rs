//! The standard variables, one after the other.

use super::certificate::Certificate;
use super::endpoint::{Endpoint, Protocol};
use super::error::{SetupError, shown};
use super::vars::Vars;
use super::{TraceSettings, pairs, sampler};
use crate::conventions::SERVICE_NAME;
use crate::export::Batch;

const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const COMPRESSIONS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];
const CERTIFICATES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";

pub(super) fn apply(
    settings: &mut TraceSettings,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(), SetupError> {
    let vars = Vars(lookup);
    if vars.flag("OTEL_SDK_DISABLED")? == Some(true) || vars.flag("OTEL_ENABLED")? == Some(false) {
        settings.enabled = false;
        return Ok(());
    }
    if let Some(name) = vars.text("OTEL_TRACES_EXPORTER") {
        settings.otlp = match name.to_ascii_lowercase().as_str() {
            "otlp" => true,
            "none" => false,
            _ => {
                let fix = "have the collector pass spans on in other formats";
                return Err(SetupError::invalid("OTEL_TRACES_EXPORTER", shown(&name), "otlp or none", fix));
            }
        };
    }
    resource(settings, &vars)?;
    transport(settings, &vars)?;
    batch(settings, &vars)?;
    if let Some(sampler) = sampler::read(&vars)? {
        settings.sampler = sampler;
    }
    Ok(())
}

fn resource<F: Fn(&str) -> Option<String>>(
    settings: &mut TraceSettings,
    vars: &Vars<F>,
) -> Result<(), SetupError> {
    if let Some(list) = vars.text(RESOURCE) {
        settings.attributes.extend(pairs::parse(RESOURCE, &list)?);
    }
    if let Some(name) = vars.text("OTEL_SERVICE_NAME") {
        settings.attributes.insert(SERVICE_NAME.to_owned(), name);
    }
    Ok(())
}

fn transport<F: Fn(&str) -> Option<String>>(
    settings: &mut TraceSettings,
    vars: &Vars<F>,
) -> Result<(), SetupError> {
    if let Some((setting, url)) = vars.first(&ENDPOINTS) {
        settings.endpoint = Some(Endpoint { setting, url, complete: setting == ENDPOINTS[0] });
    }
    if let Some((setting, name)) = vars.first(&PROTOCOLS) {
        settings.protocol = Some(Protocol::parse(setting, &name)?);
    }
    if let Some((setting, list)) = vars.first(&HEADERS) {
        for (name, value) in pairs::parse(setting, &list)? {
            settings.headers.push(setting, name, value);
        }
    }
    if let Some((setting, file)) = vars.first(&CERTIFICATES) {
        settings.certificate = Some(Certificate { setting, file: file.into() });
    }
    if let Some(timeout) = vars.timeout(&TIMEOUTS)? {
        settings.timeout = timeout;
    }
    if let Some((setting, name)) = vars.first(&COMPRESSIONS) {
        settings.gzip = match name.to_ascii_lowercase().as_str() {
            "gzip" => true,
            "none" => false,
            _ => {
                return Err(SetupError::invalid(
                    setting,
                    shown(&name),
                    "gzip or none",
                    "correct it or unset it",
                ));
            }
        };
    }
    Ok(())
}

fn batch<F: Fn(&str) -> Option<String>>(
    settings: &mut TraceSettings,
    vars: &Vars<F>,
) -> Result<(), SetupError> {
    let number = |name| {
        vars.number(name, "a whole number from 1 to 1000000", |spans| {
            (1..=Batch::LONGEST_QUEUE).contains(spans)
        })
    };
    if let Some(spans) = number(QUEUE)? {
        settings.batch.queue = spans;
    }
    if let Some(spans) = number(BATCH)? {
        if spans > settings.batch.queue {
            let fix = "raise OTEL_BSP_MAX_QUEUE_SIZE or lower this";
            return Err(SetupError::invalid(
                BATCH,
                shown(&spans.to_string()),
                "no more than the queue holds",
                fix,
            ));
        }
        settings.batch.size = spans;
    }
    if let Some(delay) = vars.milliseconds(&["OTEL_BSP_SCHEDULE_DELAY"])? {
        settings.batch.delay = delay.max(Batch::SHORTEST_DELAY);
    }
    if let Some(limit) = vars.timeout(&["OTEL_BSP_EXPORT_TIMEOUT"])? {
        settings.batch.limit = limit;
    }
    Ok(())
}
