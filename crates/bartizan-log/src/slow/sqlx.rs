//! What sqlx logs of slow statements.

use std::time::Duration;

use log::LevelFilter;
use sqlx::ConnectOptions;

/// Has sqlx log statements that take longer than `threshold` at `WARN`, and the others at `DEBUG`, for every connection that is opened with
/// these options.
///
/// The events have the target `sqlx::query`. A [`LogLayer`](crate::LogLayer) shows their `summary` and `db.statement` without literals,
/// cut at 200 characters; values that are bound to parameters are never part of a statement. Other subscribers see the statement as it
/// is.
///
/// ```
/// use bartizan_log::{SlowOperation, sqlx_slow_statements};
/// # use sqlx::ConnectOptions;
///
/// # fn example<O: ConnectOptions>(url: &str) -> Result<O, sqlx::Error> {
/// let options = sqlx_slow_statements(url.parse::<O>()?, SlowOperation::DEFAULT_THRESHOLD);
/// # Ok(options)
/// # }
/// ```
pub fn sqlx_slow_statements<O: ConnectOptions>(options: O, threshold: Duration) -> O {
    options.log_statements(LevelFilter::Debug).log_slow_statements(LevelFilter::Warn, threshold)
}
