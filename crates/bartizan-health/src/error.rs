//! What can be wrong with a setting.

use crate::{MAX_LISTENERS, MAX_NAME_BYTES, MAX_SERVICE_BYTES};

/// A setting that the registry or its endpoints refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// The name has nothing to read in it, or a module's code is empty.
    #[error("a health check's name or module code is empty: give it a name such as `database`")]
    EmptyName,
    /// The name is too long.
    #[error("a health check's name has {bytes} bytes: use at most {MAX_NAME_BYTES}")]
    NameTooLong {
        /// The length that was given.
        bytes: usize,
    },
    /// The name has a line break, a NUL or the like.
    #[error("the health check's name {name:?} has control characters: use printable text")]
    ControlInName {
        /// The name that was given.
        name: String,
    },
    /// There is a check of that name.
    #[error("a health check named `{name}` exists: choose another name, or unregister it first")]
    Duplicate {
        /// The name that was given.
        name: String,
    },
    /// The registry is full.
    #[error("the registry is full with {limit} checks: raise `max_checks`, or unregister some")]
    TooManyChecks {
        /// The registry's `max_checks`.
        limit: usize,
    },
    /// A timeout of zero fails every run, an interval of zero never rests, a threshold of zero is never met.
    #[error(
        "the {setting} of health check `{name}` is zero: leave it out, or give it a value such as 5 s or 3 runs"
    )]
    Zero {
        /// The check's name.
        name: String,
        /// Which setting it is.
        setting: &'static str,
    },
    /// A check of a dependency, or of readiness, is part of liveness.
    #[error(
        "the health check `{name}` of a dependency or of readiness is in liveness: when the dependency is down, \
         every instance would be restarted; take it out with `.liveness(false)`, and see `.readiness(false)` \
         for a check that is about this process alone"
    )]
    DependencyInLiveness {
        /// The check's name.
        name: String,
    },
    /// The registry has all the listeners that it takes.
    #[error("the registry has {MAX_LISTENERS} listeners: let one listener serve several needs")]
    TooManyListeners,
    /// The base path is no plain absolute path.
    #[error(
        "the health base path {path:?} is not usable: give an absolute path such as `/health`, made of letters, \
         digits, `-`, `_`, `.`, `~` and single slashes, with no slash at its end, at most 128 bytes"
    )]
    BasePath {
        /// The path that was given.
        path: String,
    },
    /// The path of a group is no plain absolute path, or leads elsewhere already.
    #[error(
        "the path {path:?} of the health group `{group}` is not usable: give an absolute path of its own such as \
         `/gatewayz`, made of letters, digits, `-`, `_`, `.`, `~` and single slashes, at most 128 bytes"
    )]
    GroupPath {
        /// The group's name.
        group: &'static str,
        /// The path that was given.
        path: String,
    },
    /// The URL of an HTTP check is no URL, or none that can be asked. It is not repeated, as it may hold a secret.
    #[error(
        "the URL of the HTTP check is not usable, {reason}: give one such as `https://orders.internal/readyz`"
    )]
    Url {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The gRPC service cannot be told from the others.
    #[error(
        "the gRPC service name {service:?} is not usable: give each service once, by a name of 1 to \
         {MAX_SERVICE_BYTES} printable bytes such as `shop.v1.Orders`; `liveness` and `readiness` are taken"
    )]
    ServiceName {
        /// The name that was given, its start if it is long.
        service: String,
    },
    /// A gRPC service is mapped to a check that is not there.
    #[error(
        "the gRPC service `{service}` stands on the health check {check:?}, which is not registered: \
         register it first, or correct the name"
    )]
    UnknownCheck {
        /// The service's name.
        service: String,
        /// The check that is missing.
        check: String,
    },
}
