//! What a check says: a status, a message, details.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// The three states, from best to worst; `max` of two statuses is the worse one.
///
/// ```
/// use bartizan_health::Status;
///
/// assert_eq!(Status::Healthy.max(Status::Degraded), Status::Degraded);
/// assert_eq!(Status::Unhealthy.as_str(), "unhealthy");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Healthy,
    /// It works, but worse than it should.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Status {
    /// The word in JSON and in logs: `healthy`, `degraded` or `unhealthy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result of one run of a [`Check`](crate::Check).
///
/// The message and the details go through the registry's [`Redactor`](crate::Redactor) before they are
/// kept, logged or shown. A message is cut at 256 characters, and details over 8 KiB of JSON are left out.
///
/// ```
/// use bartizan_health::{Health, Status};
/// use serde_json::json;
///
/// let health = Health::degraded("pool nearly empty").with_details(json!({ "idle": 1, "max": 20 }));
/// assert_eq!(health.status, Status::Degraded);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// How it is.
    pub status: Status,
    /// Why it is so, for people; none when there is nothing to say.
    pub message: Option<String>,
    /// Figures for machines.
    pub details: Option<Value>,
}

impl Health {
    /// All is well, with nothing to say.
    #[must_use]
    pub const fn healthy() -> Self {
        Self { status: Status::Healthy, message: None, details: None }
    }

    /// It works, but `message`.
    #[must_use]
    pub fn degraded(message: impl Into<String>) -> Self {
        Self { status: Status::Degraded, message: Some(message.into()), details: None }
    }

    /// It does not work, because `message`.
    #[must_use]
    pub fn unhealthy(message: impl Into<String>) -> Self {
        Self { status: Status::Unhealthy, message: Some(message.into()), details: None }
    }

    /// Adds details, any JSON value.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

/// What a closure may return to be a [`Check`](crate::Check).
///
/// `()` is healthy, a [`Health`] is itself, and a `Result` is its `Ok` value or else unhealthy with the
/// error's text.
///
/// ```
/// use bartizan_health::{Health, IntoHealth};
///
/// let refused: Result<(), &str> = Err("connection refused");
/// assert_eq!(refused.into_health(), Health::unhealthy("connection refused"));
/// ```
pub trait IntoHealth {
    /// Turns the value into a [`Health`].
    fn into_health(self) -> Health;
}

impl IntoHealth for Health {
    fn into_health(self) -> Health {
        self
    }
}

impl IntoHealth for () {
    fn into_health(self) -> Health {
        Health::healthy()
    }
}

impl<T: IntoHealth, E: fmt::Display> IntoHealth for Result<T, E> {
    fn into_health(self) -> Health {
        match self {
            Ok(value) => value.into_health(),
            Err(error) => Health::unhealthy(error.to_string()),
        }
    }
}
