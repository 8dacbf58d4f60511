//! The series of gRPC calls, by both naming schemes.

use bartizan_core::{GrpcCode, OTHER_METHOD, Outcome};
use metrics::{Counter, Gauge, Histogram, Key, Label, Recorder, Unit};

use super::duration::DurationHistogram;
use super::names::{Begun, META, Messages, Naming, OVERFLOW, Series, Traits};

struct Names {
    /// What the page calls the metric that counts.
    page: &'static str,
    started: Option<&'static str>,
    handled: Option<&'static str>,
    duration: &'static str,
    in_flight: &'static str,
    received: &'static str,
    sent: &'static str,
}

const fn names(naming: Naming) -> Names {
    match naming {
        Naming::Prometheus => Names {
            page: "grpc_server_handled_total",
            started: Some("grpc_server_started_total"),
            handled: Some("grpc_server_handled_total"),
            duration: "grpc_server_handling_seconds",
            in_flight: "grpc_server_in_flight",
            received: "grpc_server_msg_received_total",
            sent: "grpc_server_msg_sent_total",
        },
        // The conventions have the duration alone; the others are named in their manner.
        Naming::OpenTelemetry => Names {
            page: "rpc_server_call_duration_seconds",
            started: None,
            handled: None,
            duration: "rpc.server.call.duration",
            in_flight: "rpc.server.active_calls",
            received: "rpc.server.messages.received",
            sent: "rpc.server.messages.sent",
        },
    }
}

pub(super) fn page(naming: Naming) -> &'static str {
    names(naming).page
}

pub(super) fn describe(naming: Naming, recorder: &dyn Recorder) {
    let names = names(naming);
    let counter = |name: &'static str, help: &'static str| {
        recorder.describe_counter(name.into(), Some(Unit::Count), help.into());
    };
    if let Some(started) = names.started {
        counter(started, "gRPC calls that have begun.");
    }
    if let Some(handled) = names.handled {
        counter(handled, "gRPC calls that are over, by how they ended.");
    }
    counter(names.received, "gRPC messages that the service read.");
    counter(names.sent, "gRPC messages that were handed on to clients.");
    let duration = "Time from the call's head to its status.";
    recorder.describe_histogram(names.duration.into(), Some(Unit::Seconds), duration.into());
    let in_flight = "gRPC calls that are not over.";
    recorder.describe_gauge(names.in_flight.into(), Some(Unit::Count), in_flight.into());
}

pub(super) fn begun(naming: Naming, recorder: &dyn Recorder, route: &str) -> Begun {
    let names = names(naming);
    let labels = method_labels(naming, route);
    Begun {
        started: names
            .started
            .map(|name| recorder.register_counter(&Key::from_parts(name, labels.clone()), &META)),
        in_flight: gauge(recorder, names.in_flight, labels),
    }
}

fn gauge(recorder: &dyn Recorder, name: &'static str, labels: Vec<Label>) -> Gauge {
    recorder.register_gauge(&Key::from_parts(name, labels), &META)
}

pub(super) fn series(naming: Naming, recorder: &dyn Recorder, traits: Traits, route: &str) -> Series {
    let names = names(naming);
    let by_method = method_labels(naming, route);
    let code = traits.grpc_code.unwrap_or(GrpcCode::UNKNOWN);
    let counter = |name, labels| recorder.register_counter(&Key::from_parts(name, labels), &META);
    let mut ended = by_method.clone();
    match naming {
        Naming::Prometheus => ended.extend([
            Label::from_static_parts("grpc_code", code.as_str()),
            Label::from_static_parts("outcome", traits.outcome.as_str()),
        ]),
        Naming::OpenTelemetry => {
            ended.push(Label::from_static_parts("rpc.response.status_code", code.as_str()));
            if let Some(kind) = error_type(traits.outcome, code) {
                ended.push(Label::from_static_parts("error.type", kind));
            }
        }
    }
    let by_duration = if naming == Naming::Prometheus { by_method.clone() } else { ended.clone() };
    Series {
        requests: names.handled.map_or_else(Counter::noop, |name| counter(name, ended)),
        duration: DurationHistogram::register(recorder, names.duration, by_duration),
        request_size: Histogram::noop(),
        response_size: Histogram::noop(),
        messages: Some(Messages {
            received: counter(names.received, by_method.clone()),
            sent: counter(names.sent, by_method),
        }),
    }
}

/// What [`Ending::error_type`](bartizan_core::Ending::error_type) says of a gRPC call.
fn error_type(outcome: Outcome, code: GrpcCode) -> Option<&'static str> {
    match outcome {
        Outcome::Ok | Outcome::ClientError | Outcome::Upgraded => None,
        Outcome::ServerError => Some(code.as_str()),
        _ if code == GrpcCode::DEADLINE_EXCEEDED => Some(code.as_str()),
        other => Some(other.as_str()),
    }
}

/// The labels that tell methods apart. Whether a method streams cannot be seen from outside, so its type is `unknown`.
fn method_labels(naming: Naming, route: &str) -> Vec<Label> {
    match naming {
        Naming::Prometheus => {
            let (service, method) = match route.strip_prefix('/').and_then(|path| path.rsplit_once('/')) {
                Some(parts) => parts,
                None if route == OVERFLOW => (OVERFLOW, OVERFLOW),
                None if route == OTHER_METHOD => (OTHER_METHOD, OTHER_METHOD),
                // What a function of the application says.
                None => (OTHER_METHOD, route),
            };
            vec![
                Label::from_static_parts("grpc_type", "unknown"),
                Label::new("grpc_service", service.to_owned()),
                Label::new("grpc_method", method.to_owned()),
            ]
        }
        Naming::OpenTelemetry => vec![
            Label::from_static_parts("rpc.system.name", "grpc"),
            Label::new("rpc.method", route.strip_prefix('/').unwrap_or(route).to_owned()),
        ],
    }
}
