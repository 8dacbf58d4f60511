//! What the series of calls are called, by the two naming schemes.

use bartizan_core::{Ending, Failure, GrpcCode, KnownMethod, Outcome, Protocol, Record};
use http::Version;
use metrics::{Counter, Key, Label, Recorder, Unit};

use crate::red::duration::DurationHistogram;
use crate::red::names::{META, Naming, version_name};

/// What tells one call's series from another's, but for the gRPC method.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Traits {
    pub(super) protocol: Protocol,
    /// The number of the address.
    pub(super) server: u16,
    method: KnownMethod,
    /// Zero where no response came.
    status: u16,
    code: Option<GrpcCode>,
    outcome: Outcome,
    failure: Option<Failure>,
    /// Only by the OpenTelemetry names, which have attributes for them.
    https: bool,
    version: Version,
}

impl Traits {
    pub(super) fn of(
        naming: Naming,
        record: &Record,
        ending: &Ending,
        server: u16,
        version: Option<Version>,
    ) -> Self {
        let otel = naming == Naming::OpenTelemetry;
        Self {
            protocol: record.protocol(),
            server,
            method: record.method(),
            status: ending.status.map_or(0, |status| status.as_u16()),
            code: ending.grpc_code,
            outcome: ending.outcome,
            failure: ending.failure,
            https: otel && record.is_https(),
            version: version.filter(|_| otel).unwrap_or(Version::HTTP_11),
        }
    }

    /// What is left of these for a combination that gets no series of its own.
    pub(super) fn coarse(self, server: u16) -> Self {
        Self {
            server,
            method: KnownMethod::OTHER,
            status: self.status / 100 * 100,
            https: false,
            version: Version::HTTP_11,
            ..self
        }
    }

    fn error_type(self) -> Option<Label> {
        let kind = match (self.outcome, self.code) {
            (Outcome::Ok | Outcome::Upgraded, _) => return None,
            (Outcome::ServiceError, _) => self.failure.unwrap_or_default().as_str(),
            (Outcome::ClientError | Outcome::ServerError, Some(code))
            | (_, Some(code @ GrpcCode::DEADLINE_EXCEEDED)) => code.as_str(),
            (Outcome::ClientError | Outcome::ServerError, None) => {
                return Some(Label::new("error_type", self.status.to_string()));
            }
            (outcome, _) => outcome.as_str(),
        };
        Some(Label::from_static_parts("error_type", kind))
    }
}

/// The handles of one combination of labels.
pub(super) struct Series {
    requests: Counter,
    duration: DurationHistogram,
}

impl Series {
    pub(super) fn record(&self, ending: &Ending, record: &Record) {
        self.requests.increment(1);
        self.duration.record(ending.duration, record);
    }
}

/// Whose series they are: an address and, for gRPC, a path.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) address: &'a str,
    pub(super) path: &'a str,
}

struct Names {
    requests: Option<&'static str>,
    duration: &'static str,
    /// What the page calls the metric that counts.
    page: &'static str,
}

const fn names(naming: Naming, protocol: Protocol) -> Names {
    let (requests, duration, page) = match (naming, protocol) {
        (Naming::Prometheus, Protocol::Http) => {
            let requests = "http_client_requests_total";
            (Some(requests), "http_client_request_duration_seconds", requests)
        }
        (Naming::Prometheus, Protocol::Grpc) => {
            let requests = "grpc_client_handled_total";
            (Some(requests), "grpc_client_handling_seconds", requests)
        }
        (Naming::OpenTelemetry, Protocol::Http) => {
            (None, "http.client.request.duration", "http_client_request_duration_seconds")
        }
        (Naming::OpenTelemetry, Protocol::Grpc) => {
            (None, "rpc.client.call.duration", "rpc_client_call_duration_seconds")
        }
    };
    Names { requests, duration, page }
}

pub(super) fn describe(naming: Naming, recorder: &dyn Recorder) {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let names = names(naming, protocol);
        if let Some(requests) = names.requests {
            let text = "Calls of this service to others, by how they ended.";
            recorder.describe_counter(requests.into(), Some(Unit::Count), text.into());
        }
        let text = "Time from the call to the end of the response's body.";
        recorder.describe_histogram(names.duration.into(), Some(Unit::Seconds), text.into());
    }
}

pub(super) fn series(naming: Naming, recorder: &dyn Recorder, traits: Traits, target: Target<'_>) -> Series {
    let names = names(naming, traits.protocol);
    let labels = match (naming, traits.protocol) {
        (Naming::Prometheus, Protocol::Http) => http_labels(traits, target),
        (Naming::Prometheus, Protocol::Grpc) => grpc_labels(traits, target),
        (Naming::OpenTelemetry, _) => otel_labels(traits, target),
    };
    let requests = names.requests.map_or_else(Counter::noop, |name| {
        let mut labels = labels.clone();
        labels.push(Label::from_static_parts("outcome", traits.outcome.as_str()));
        labels.extend(traits.error_type());
        recorder.register_counter(&Key::from_parts(name, labels), &META)
    });
    let duration = DurationHistogram::register(recorder, names.duration, labels);
    Series { requests, duration }
}

/// Counts combinations that got no series of their own.
pub(super) fn overflow(naming: Naming, recorder: &dyn Recorder, protocol: Protocol) -> Counter {
    let metric = Label::from_static_parts("metric", names(naming, protocol).page);
    recorder.register_counter(&Key::from_parts("bartizan_series_overflow_total", vec![metric]), &META)
}

fn http_labels(traits: Traits, target: Target<'_>) -> Vec<Label> {
    let status = match traits.status {
        0 => Label::from_static_parts("status", "none"),
        status => Label::new("status", status.to_string()),
    };
    vec![
        Label::from_static_parts("method", traits.method.as_str()),
        Label::new("server_address", target.address.to_owned()),
        status,
    ]
}

fn grpc_labels(traits: Traits, target: Target<'_>) -> Vec<Label> {
    let (service, method) = target.path.rsplit_once('/').unwrap_or(("", target.path));
    vec![
        Label::new("grpc_service", service.to_owned()),
        Label::new("grpc_method", method.to_owned()),
        Label::new("server_address", target.address.to_owned()),
        Label::from_static_parts("grpc_code", traits.code.unwrap_or(GrpcCode::UNKNOWN).as_str()),
    ]
}

/// The attributes of `http.client.request.duration` and `rpc.client.call.duration`.
fn otel_labels(traits: Traits, target: Target<'_>) -> Vec<Label> {
    let (host, port) = match target.address.rsplit_once(':') {
        // A colon inside brackets belongs to an IPv6 address.
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (target.address, if traits.https { "443" } else { "80" }),
    };
    let mut labels =
        vec![Label::new("server.address", host.to_owned()), Label::new("server.port", port.to_owned())];
    match traits.protocol {
        Protocol::Http => {
            labels.push(Label::from_static_parts("http.request.method", traits.method.as_str()));
            if traits.status != 0 {
                labels.push(Label::new("http.response.status_code", traits.status.to_string()));
                let version = version_name(traits.version);
                labels.push(Label::from_static_parts("network.protocol.version", version));
            }
        }
        Protocol::Grpc => {
            labels.push(Label::from_static_parts("rpc.system.name", "grpc"));
            labels.push(Label::new("rpc.method", target.path.to_owned()));
            let code = traits.code.unwrap_or(GrpcCode::UNKNOWN).as_str();
            labels.push(Label::from_static_parts("rpc.response.status_code", code));
        }
    }
    if let Some(kind) = traits.error_type() {
        labels.push(Label::new("error.type", kind.value().to_owned()));
    }
    labels
}
