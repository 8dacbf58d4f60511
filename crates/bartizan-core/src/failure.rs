//! Why a call got no response, as one of a few names.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Write};
use std::io;

use crate::grpc::GrpcCode;

/// What kept a client's call from getting a response: the `error.type` of an outbound exchange that ended as `service_error`.
///
/// It is told from the types in the error's chain of sources, and from a few constant texts where a type is not public. The set is
/// fixed, whatever a peer sends.
///
/// ```
/// use bartizan_core::Failure;
/// use std::io;
///
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(Failure::of(&refused).as_str(), "connection_refused");
/// ```
///
/// Errors that are boxed, and `io::Error`s, are recognised always; those of hyper-util's `Client`, of tonic and of reqwest by the
/// features that are named after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Failure {
    /// Nobody listens there.
    ConnectionRefused,
    /// The peer reset the connection.
    ConnectionReset,
    /// Something took too long: connecting, or the whole call.
    Timeout,
    /// The host's name has no address.
    NameResolution,
    /// The TLS handshake failed.
    Tls,
    /// The connection closed before there was a response.
    Closed,
    /// Anything else.
    #[default]
    Other,
}

/// What an error says for which there is no public type. The texts are constants of hyper-util, tower, tokio and tonic.
const TEXTS: [(&str, Failure); 6] = [
    ("dns error", Failure::NameResolution),
    ("request timed out", Failure::Timeout),
    ("deadline has elapsed", Failure::Timeout),
    ("Timeout expired", Failure::Timeout),
    ("operation timed out", Failure::Timeout),
    ("keep-alive timed out", Failure::Timeout),
];

/// How long a chain of sources is followed.
const MAX_SOURCES: usize = 16;

impl Failure {
    /// The name in logs, spans and labels, such as `connection_refused`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionReset => "connection_reset",
            Self::Timeout => "timeout",
            Self::NameResolution => "name_resolution",
            Self::Tls => "tls",
            Self::Closed => "closed",
            Self::Other => "service_error",
        }
    }

    /// What gRPC calls it: nobody has answered, so that no status came.
    pub(crate) fn grpc_code(self) -> GrpcCode {
        match self {
            Self::Timeout => GrpcCode::DEADLINE_EXCEEDED,
            Self::Other => GrpcCode::UNKNOWN,
            _ => GrpcCode::UNAVAILABLE,
        }
    }

    /// Classifies an error value, whatever its type is.
    pub fn of(error: &dyn Any) -> Self {
        as_error(error).map_or(Self::Other, Self::of_error)
    }

    /// Classifies an error by itself and its sources: the outermost one that tells anything counts.
    pub fn of_error(error: &(dyn Error + 'static)) -> Self {
        let sources = std::iter::successors(Some(error), |&error| error.source());
        sources.take(MAX_SOURCES).find_map(of_one).unwrap_or_default()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The value as an error, if it is of a type that is known to be one.
fn as_error(value: &dyn Any) -> Option<&(dyn Error + 'static)> {
    if let Some(boxed) = value.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**boxed);
    }
    if let Some(boxed) = value.downcast_ref::<Box<dyn Error + Send>>() {
        return Some(&**boxed);
    }
    if let Some(boxed) = value.downcast_ref::<Box<dyn Error>>() {
        return Some(&**boxed);
    }
    macro_rules! known {
        ($($(#[$feature:meta])* $error:ty),* $(,)?) => {$(
            $(#[$feature])*
            if let Some(error) = value.downcast_ref::<$error>() {
                return Some(error);
            }
        )*};
    }
    known! {
        io::Error,
        #[cfg(feature = "hyper-util")] hyper_util::client::legacy::Error,
        #[cfg(any(feature = "hyper-util", feature = "tonic", feature = "reqwest"))] hyper::Error,
        #[cfg(feature = "tonic")] tonic::transport::Error,
        #[cfg(feature = "tonic")] tonic::Status,
        #[cfg(feature = "reqwest")] reqwest::Error,
    }
    None
}

fn of_one(error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return of_io(error);
    }
    #[cfg(any(feature = "hyper-util", feature = "tonic", feature = "reqwest"))]
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return of_hyper(error);
    }
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        match error {
            error if error.is_timeout() => return Some(Failure::Timeout),
            error if error.is_dns() => return Some(Failure::NameResolution),
            _ => {}
        }
    }
    TEXTS.iter().find(|(text, _)| says(error, text)).map(|(_, failure)| *failure)
}

/// An `io::Error` tells by its kind, or by what it wraps: it hides that from the chain of sources.
fn of_io(error: &io::Error) -> Option<Failure> {
    of_kind(error.kind()).or_else(|| {
        let inner: &(dyn Error + 'static) = error.get_ref()?;
        let sources = std::iter::successors(Some(inner), |&error| error.source());
        sources.take(MAX_SOURCES).find_map(|error| match error.downcast_ref::<io::Error>() {
            // Not into another one's inside: there is always a bound.
            Some(error) => of_kind(error.kind()),
            None => of_one(error),
        })
    })
}

fn of_kind(kind: io::ErrorKind) -> Option<Failure> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => Failure::ConnectionRefused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Failure::ConnectionReset,
        io::ErrorKind::TimedOut => Failure::Timeout,
        // What rustls refuses comes as invalid data.
        io::ErrorKind::InvalidData => Failure::Tls,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => {
            Failure::Closed
        }
        _ => return None,
    })
}

#[cfg(any(feature = "hyper-util", feature = "tonic", feature = "reqwest"))]
fn of_hyper(error: &hyper::Error) -> Option<Failure> {
    if error.is_timeout() {
        return Some(Failure::Timeout);
    }
    // An incomplete message has the cause in it, if there is one.
    let cause = error.source().map(Failure::of_error).filter(|cause| *cause != Failure::Other);
    cause.or_else(|| {
        let closed = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
        closed.then_some(Failure::Closed)
    })
}

/// Whether the error's text is this one, without making a text of it.
fn says(error: &dyn Error, text: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(text);
    write!(rest, "{error}").is_ok() && rest.0.is_empty()
}

#[cfg(test)]
mod tests;
