//! What the series are called: the two naming schemes, and how a combination of labels is registered.

use bartizan_core::{Ending, GrpcCode, KnownMethod, Outcome, Protocol, Record, UNMATCHED};
use http::Version;
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};

use super::duration::DurationHistogram;
use super::grpc;

/// By which names and labels exchanges are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Naming {
    /// `http_requests_total{method,endpoint,status,outcome}` and its family; gRPC calls: `grpc_server_handled_total` and its family.
    #[default]
    Prometheus,
    /// `http.server.request.duration` and its family, by the semantic conventions 1.44; gRPC calls: `rpc.server.call.duration`.
    OpenTelemetry,
}

pub(super) const OVERFLOW: &str = "overflow";

/// What tells one exchange's series from another's, but for the route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    pub(super) protocol: Protocol,
    method: KnownMethod,
    /// Of gRPC calls only.
    pub(super) grpc_code: Option<GrpcCode>,
    status: u16,
    /// Whether a head was sent; the conventions leave the status out where none was.
    sent: bool,
    pub(super) outcome: Outcome,
    /// Only by the OpenTelemetry names, which have attributes for them.
    https: bool,
    version: Version,
}

impl Traits {
    #[inline]
    pub(super) fn of(naming: Naming, record: &Record, ending: &Ending) -> Self {
        if record.protocol() == Protocol::Grpc {
            return Self::grpc(ending.grpc_code, ending.outcome);
        }
        let otel = naming == Naming::OpenTelemetry;
        Self {
            sent: ending.status.is_some(),
            https: otel && record.is_https(),
            version: if otel { record.version() } else { Version::HTTP_11 },
            ..Self::http(record.method(), Some(ending.status_or_implied().as_u16()), ending.outcome)
        }
    }

    /// Of an HTTP exchange over HTTP/1.1 without TLS; without a status it is not over.
    pub(super) fn http(method: KnownMethod, status: Option<u16>, outcome: Outcome) -> Self {
        Self {
            protocol: Protocol::Http,
            grpc_code: None,
            method,
            status: status.unwrap_or_default(),
            sent: status.is_some(),
            outcome,
            https: false,
            version: Version::HTTP_11,
        }
    }

    /// Of a gRPC call; without a code it is not over. HTTP's own traits do not tell calls apart.
    pub(super) fn grpc(grpc_code: Option<GrpcCode>, outcome: Outcome) -> Self {
        Self {
            protocol: Protocol::Grpc,
            grpc_code,
            version: Version::HTTP_2,
            ..Self::http(KnownMethod::OTHER, None, outcome)
        }
    }

    /// Traits for the gauge of exchanges in flight, of which only the beginning is known.
    pub(super) fn in_flight(naming: Naming, record: &Record) -> Self {
        if record.protocol() == Protocol::Grpc {
            return Self::grpc(None, Outcome::Ok);
        }
        Self {
            https: naming == Naming::OpenTelemetry && record.is_https(),
            ..Self::http(record.method(), None, Outcome::Ok)
        }
    }

    /// All of these in a number, different ones for different traits.
    #[inline]
    pub(super) fn packed(self) -> u64 {
        let version = match self.version {
            Version::HTTP_09 | Version::HTTP_10 => 1,
            Version::HTTP_2 => 2,
            Version::HTTP_3 => 3,
            _ => 0,
        };
        let flags = u64::from(self.sent) | u64::from(self.https) << 1 | version << 2;
        let code = self.grpc_code.map_or(0, |code| u64::from(code.as_u8()) + 1);
        let (protocol, outcome) = (self.protocol as u64, self.outcome as u64);
        [flags, protocol, outcome, u64::from(self.method.as_u8()), code]
            .into_iter()
            .fold(self.status.into(), |all, one| all << 8 | one)
    }

    /// The coarser traits that are left when not even the overflow series has room for these.
    pub(super) fn coarse(self) -> Self {
        Self {
            method: KnownMethod::OTHER,
            status: self.status / 100 * 100,
            version: Version::HTTP_11,
            https: false,
            ..self
        }
    }
}

/// The handles of one combination of labels. What a naming or a protocol does not have does nothing.
pub(super) struct Series {
    pub(super) requests: Counter,
    pub(super) duration: DurationHistogram,
    pub(super) request_size: Histogram,
    pub(super) response_size: Histogram,
    /// Of gRPC calls only.
    pub(super) messages: Option<Messages>,
}

/// The handles of the messages of calls.
pub(super) struct Messages {
    pub(super) received: Counter,
    pub(super) sent: Counter,
}

/// The handles of what is known at the beginning.
pub(super) struct Begun {
    pub(super) in_flight: Gauge,
    /// Of gRPC calls only.
    pub(super) started: Option<Counter>,
}

pub(super) const META: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

pub(super) struct Names {
    /// What the page calls the metric that counts.
    page: &'static str,
    requests: Option<&'static str>,
    duration: &'static str,
    in_flight: &'static str,
    request_size: &'static str,
    response_size: &'static str,
}

impl Naming {
    pub(super) const fn names(self) -> Names {
        match self {
            Self::Prometheus => Names {
                page: "http_requests_total",
                requests: Some("http_requests_total"),
                duration: "http_request_duration_seconds",
                in_flight: "http_requests_in_flight",
                request_size: "http_request_size_bytes",
                response_size: "http_response_size_bytes",
            },
            Self::OpenTelemetry => Names {
                page: "http_server_request_duration_seconds",
                requests: None,
                duration: "http.server.request.duration",
                in_flight: "http.server.active_requests",
                request_size: "http.server.request.body.size",
                response_size: "http.server.response.body.size",
            },
        }
    }

    pub(super) fn describe(self, recorder: &dyn Recorder) {
        grpc::describe(self, recorder);
        let names = self.names();
        if let Some(requests) = names.requests {
            recorder.describe_counter(
                requests.into(),
                Some(Unit::Count),
                "Requests, by how they ended.".into(),
            );
        }
        let duration = "Time from the request's head to the end of the response's body.";
        recorder.describe_histogram(names.duration.into(), Some(Unit::Seconds), duration.into());
        let in_flight = "Requests whose response has not ended.";
        recorder.describe_gauge(names.in_flight.into(), Some(Unit::Count), in_flight.into());
        let size = "Bytes of request bodies that the service read.";
        recorder.describe_histogram(names.request_size.into(), Some(Unit::Bytes), size.into());
        let size = "Bytes of response bodies that were handed on.";
        recorder.describe_histogram(names.response_size.into(), Some(Unit::Bytes), size.into());
    }

    pub(super) fn begun(self, recorder: &dyn Recorder, traits: Traits, route: &str) -> Begun {
        if traits.protocol == Protocol::Grpc {
            return grpc::begun(self, recorder, route);
        }
        let labels = match self {
            Self::Prometheus => endpoint_labels(traits, route),
            // The conventions give this one no route.
            Self::OpenTelemetry => vec![
                Label::from_static_parts("http.request.method", traits.method.as_str()),
                Label::from_static_parts("url.scheme", scheme(traits)),
            ],
        };
        let in_flight = recorder.register_gauge(&Key::from_parts(self.names().in_flight, labels), &META);
        Begun { in_flight, started: None }
    }

    pub(super) fn series(self, recorder: &dyn Recorder, traits: Traits, route: &str) -> Series {
        if traits.protocol == Protocol::Grpc {
            return grpc::series(self, recorder, traits, route);
        }
        let names = self.names();
        let (full, by_status, by_endpoint) = match self {
            Self::Prometheus => {
                let by_endpoint = endpoint_labels(traits, route);
                let mut by_status = by_endpoint.clone();
                by_status.push(Label::new("status", traits.status.to_string()));
                let mut full = by_status.clone();
                full.push(Label::from_static_parts("outcome", traits.outcome.as_str()));
                (full, by_status, by_endpoint)
            }
            Self::OpenTelemetry => {
                let all = otel_labels(traits, route);
                (Vec::new(), all.clone(), all)
            }
        };
        let histogram = |name, labels| recorder.register_histogram(&Key::from_parts(name, labels), &META);
        Series {
            requests: names.requests.map_or_else(Counter::noop, |name| {
                recorder.register_counter(&Key::from_parts(name, full), &META)
            }),
            duration: DurationHistogram::register(recorder, names.duration, by_status),
            request_size: histogram(names.request_size, by_endpoint.clone()),
            response_size: histogram(names.response_size, by_endpoint),
            messages: None,
        }
    }

    /// Counts combinations that got no series of their own.
    pub(super) fn overflow(self, recorder: &dyn Recorder, protocol: Protocol) -> Counter {
        let page = match protocol {
            Protocol::Http => self.names().page,
            Protocol::Grpc => grpc::page(self),
        };
        let metric = Label::from_static_parts("metric", page);
        recorder.register_counter(&Key::from_parts("bartizan_series_overflow_total", vec![metric]), &META)
    }
}

fn endpoint_labels(traits: Traits, route: &str) -> Vec<Label> {
    vec![Label::from_static_parts("method", traits.method.as_str()), Label::new("endpoint", route.to_owned())]
}

fn scheme(traits: Traits) -> &'static str {
    if traits.https { "https" } else { "http" }
}

/// The attributes of `http.server.request.duration`.
fn otel_labels(traits: Traits, route: &str) -> Vec<Label> {
    let mut labels = vec![
        Label::from_static_parts("http.request.method", traits.method.as_str()),
        Label::from_static_parts("url.scheme", scheme(traits)),
    ];
    if route != UNMATCHED {
        labels.push(Label::new("http.route", route.to_owned()));
    }
    if traits.sent {
        labels.push(Label::new("http.response.status_code", traits.status.to_string()));
    }
    match traits.outcome {
        Outcome::Ok | Outcome::ClientError | Outcome::Upgraded => {}
        Outcome::ServerError => labels.push(Label::new("error.type", traits.status.to_string())),
        other => labels.push(Label::from_static_parts("error.type", other.as_str())),
    }
    labels.push(Label::from_static_parts("network.protocol.version", version_name(traits.version)));
    labels
}

pub(super) fn version_name(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 | Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
