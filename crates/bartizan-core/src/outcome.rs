//! How an exchange ended: [`Outcome`] and the [`Ending`] that every observer is told.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::failure::Failure;
use crate::grpc::GrpcCode;
use crate::side::Side;

/// The nine ways an exchange can end. The names are a contract: they are the `outcome` field of the
/// log line and the `outcome` label of the metrics.
///
/// ```
/// use bartizan_core::Outcome;
///
/// assert_eq!(Outcome::CancelledMidBody.as_str(), "cancelled_mid_body");
/// assert!(Outcome::Panicked.is_error());
/// assert!(!Outcome::ClientError.is_error());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The body ended and the status tells of success (1xx to 3xx, gRPC `OK`).
    Ok,
    /// The body ended and the status blames the client (4xx, the gRPC codes that are not the server's fault).
    ClientError,
    /// The body ended and the status blames the server (5xx, the six gRPC server codes, no gRPC status).
    ServerError,
    /// The response future was dropped before it resolved: the client went away, or a timeout outside.
    CancelledBeforeHead,
    /// The response body was dropped with data still to come.
    CancelledMidBody,
    /// A frame of the body was an error after the status was sent.
    BodyError,
    /// The inner service returned `Err`.
    ServiceError,
    /// A poll unwound through the exchange.
    Panicked,
    /// 101, or a successful CONNECT: the exchange ended at the head, the connection lives on.
    Upgraded,
}

impl Outcome {
    /// Every outcome, in the order of the table above.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::ClientError,
        Self::ServerError,
        Self::CancelledBeforeHead,
        Self::CancelledMidBody,
        Self::BodyError,
        Self::ServiceError,
        Self::Panicked,
        Self::Upgraded,
    ];

    /// The name in logs and labels, such as `cancelled_before_head`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::CancelledBeforeHead => "cancelled_before_head",
            Self::CancelledMidBody => "cancelled_mid_body",
            Self::BodyError => "body_error",
            Self::ServiceError => "service_error",
            Self::Panicked => "panicked",
            Self::Upgraded => "upgraded",
        }
    }

    /// Whether the service failed: `server_error`, `body_error`, `service_error` or `panicked`.
    pub const fn is_error(self) -> bool {
        matches!(self, Self::ServerError | Self::BodyError | Self::ServiceError | Self::Panicked)
    }

    /// Whether the client went away before the exchange was over.
    pub const fn is_cancelled(self) -> bool {
        matches!(self, Self::CancelledBeforeHead | Self::CancelledMidBody)
    }

    #[inline]
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            500.. => Self::ServerError,
            400..=499 => Self::ClientError,
            _ => Self::Ok,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The single truth about a finished exchange. Logs, metrics and spans all read this one value, so they
/// cannot disagree.
///
/// Observers are handed it once, in [`Exchange::end`](crate::Exchange::end). Its durations start when the
/// layer was called and are read from the layer's [`Clock`](crate::Clock).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ending {
    /// How it ended.
    pub outcome: Outcome,
    /// The status that was sent; `None` where no head was.
    pub status: Option<StatusCode>,
    /// The status of the call, for gRPC: from trailers, else from a trailers-only head. A response that ended without one is
    /// `UNKNOWN`. A call that was cancelled is `CANCELLED`, or `DEADLINE_EXCEEDED` if its `grpc-timeout` had passed; one that broke
    /// is `INTERNAL`, which is what the reset of its stream means to the client. A call that went out and got no response is
    /// `DEADLINE_EXCEEDED`, `UNAVAILABLE` or `UNKNOWN`, by its [`Failure`].
    pub grpc_code: Option<GrpcCode>,
    /// From the call to the last byte, the trailers, the error or the client's disconnect.
    pub duration: Duration,
    /// From the call to the first data frame of the response; `None` for a response without data.
    pub first_byte: Option<Duration>,
    /// Bytes of the request's body, as [`Record::request_bytes`](crate::Record::request_bytes) tells.
    pub request_bytes: Option<u64>,
    /// Bytes of the response body that were handed on.
    pub response_bytes: u64,
    /// gRPC messages that the service read, as [`Record::request_messages`](crate::Record::request_messages) tells; `None` for HTTP.
    pub request_messages: Option<u64>,
    /// gRPC messages that were handed on in full; `None` for HTTP, and where the host's body did not show its bytes.
    pub response_messages: Option<u64>,
    /// Whether the exchange came in or went out.
    pub side: Side,
    /// Why a call that went out got no response; only with `service_error`.
    pub failure: Option<Failure>,
}

impl Ending {
    /// What a `status` label says: the status that was sent; without one, 499 for a client that went away
    /// and 500 for an error or a panic that nothing turned into a response.
    pub fn status_or_implied(&self) -> StatusCode {
        self.status.unwrap_or_else(|| match self.outcome {
            Outcome::CancelledBeforeHead => {
                StatusCode::from_u16(499).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        })
    }

    /// Whether the conventions count it as the service's fault: a failed [`Outcome`], or one of the six server codes of gRPC.
    /// The two differ where a call was given up at its deadline: cancelled, and `DEADLINE_EXCEEDED`.
    pub fn is_error(&self) -> bool {
        self.outcome.is_error() || self.grpc_code.is_some_and(GrpcCode::is_server_error)
    }

    /// The `error.type` of the semantic conventions: absent on success and, for who answers, on a 4xx; else the gRPC
    /// code's name, the status as text, the [`Failure`] of a call that went out, or the outcome's name. The set of values
    /// is small and fixed.
    pub fn error_type(&self) -> Option<&str> {
        match (self.outcome, self.grpc_code, &self.status) {
            (Outcome::Ok | Outcome::Upgraded, _, _) => None,
            (Outcome::ClientError, _, _) if self.side == Side::Server => None,
            (Outcome::ServiceError, _, _) => Some(self.failure.unwrap_or_default().as_str()),
            (Outcome::ServerError | Outcome::ClientError, Some(code), _)
            | (_, Some(code @ GrpcCode::DEADLINE_EXCEEDED), _) => Some(code.as_str()),
            (Outcome::ServerError | Outcome::ClientError, None, Some(status)) => Some(status.as_str()),
            (outcome, _, _) => Some(outcome.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(outcome: Outcome, status: Option<u16>) -> Ending {
        Ending {
            outcome,
            status: status.map(|s| StatusCode::from_u16(s).unwrap()),
            grpc_code: None,
            duration: Duration::ZERO,
            first_byte: None,
            request_bytes: None,
            response_bytes: 0,
            request_messages: None,
            response_messages: None,
            side: Side::Server,
            failure: None,
        }
    }

    #[test]
    fn what_was_never_sent_gets_499_or_500() {
        assert_eq!(ending(Outcome::CancelledBeforeHead, None).status_or_implied().as_u16(), 499);
        assert_eq!(ending(Outcome::Panicked, None).status_or_implied().as_u16(), 500);
        assert_eq!(ending(Outcome::ServiceError, None).status_or_implied().as_u16(), 500);
        assert_eq!(ending(Outcome::CancelledMidBody, Some(200)).status_or_implied().as_u16(), 200);
    }

    #[test]
    fn error_type_is_absent_on_success_and_client_errors() {
        assert_eq!(ending(Outcome::Ok, Some(200)).error_type(), None);
        assert_eq!(ending(Outcome::ClientError, Some(404)).error_type(), None);
        assert_eq!(ending(Outcome::ServerError, Some(503)).error_type(), Some("503"));
        assert_eq!(ending(Outcome::BodyError, Some(200)).error_type(), Some("body_error"));
        let mut grpc = ending(Outcome::ServerError, Some(200));
        grpc.grpc_code = Some(GrpcCode::INTERNAL);
        assert_eq!(grpc.error_type(), Some("INTERNAL"));
    }

    #[test]
    fn for_a_client_a_4xx_is_an_error_and_a_failure_has_its_name() {
        let client = |outcome, status| Ending { side: Side::Client, ..ending(outcome, status) };
        assert_eq!(client(Outcome::ClientError, Some(404)).error_type(), Some("404"));
        assert_eq!(client(Outcome::ServiceError, None).error_type(), Some("service_error"));
        let mut refused = client(Outcome::ServiceError, None);
        refused.failure = Some(Failure::ConnectionRefused);
        assert_eq!(refused.error_type(), Some("connection_refused"));
        let mut denied = client(Outcome::ClientError, Some(200));
        denied.grpc_code = Some(GrpcCode::PERMISSION_DENIED);
        assert_eq!(denied.error_type(), Some("PERMISSION_DENIED"));
    }

    #[test]
    fn every_outcome_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Outcome::ALL.iter().map(|o| o.as_str()).collect();
        assert_eq!(names.len(), 9);
    }
}
