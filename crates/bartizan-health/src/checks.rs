//! Checks that are ready to use, each behind its feature.
//!
//! | check | feature | healthy when |
//! |---|---|---|
//! | `SqlCheck` | `sqlx-postgres`, `sqlx-mysql`, `sqlx-sqlite` | a query over a connection like the pool's succeeds |
//! | `RedisCheck` | `redis` | PING is answered |
//! | `HttpCheck` | `http`, with TLS `http-tls` | a GET is answered with 200 to 399 |
//! | `TcpCheck` | `tcp` | a connection is accepted |
//! | `GrpcCheck` | `grpc-check` | `grpc.health.v1` says SERVING |
//! | `DiskCheck` | `disk` | there is free space where a path is |
//! | `MemoryCheck` | `memory` | there is room below the memory limit of the cgroup |
//!
//! The first five ask a dependency: they are refused as part of liveness, may be dropped when they time out, and
//! are best run in the background:
//!
//! ```
//! # #[cfg(feature = "tcp")] {
//! use std::time::Duration;
//! use bartizan_health::{CheckOptions, Registry, checks::TcpCheck};
//!
//! let options = CheckOptions::new().interval(Duration::from_secs(10)).timeout(Duration::from_secs(2));
//! Registry::builder().register_with("broker", TcpCheck::new("broker.internal:5672"), options).build()?;
//! # }
//! # Ok::<_, bartizan_health::HealthError>(())
//! ```
//!
//! # Anything else
//!
//! A closure is a check, so that a client of any kind is a few lines away. MongoDB:
//!
//! ```
//! # // Stands in for the crate of that name.
//! # mod mongodb {
//! #     pub mod bson { macro_rules! command { ($k:literal : $v:literal) => { ($k, $v) } } pub(crate) use command as doc; }
//! #     #[derive(Clone)] pub struct Client;
//! #     pub struct Database;
//! #     impl Client { pub fn database(&self, _: &str) -> Database { Database } }
//! #     impl Database {
//! #         pub async fn run_command(&self, _: (&str, i32)) -> Result<(), std::io::Error> { Ok(()) }
//! #     }
//! # }
//! use bartizan_health::Registry;
//! use mongodb::bson::doc;
//!
//! # fn add(registry: &Registry, client: mongodb::Client) -> Result<(), bartizan_health::HealthError> {
//! registry.register("mongodb", move || {
//!     let database = client.database("admin");
//!     async move { database.run_command(doc! { "ping": 1 }).await }
//! })?;
//! # Ok(())
//! # }
//! # add(&Registry::new(), mongodb::Client).unwrap();
//! ```
//!
//! # What they say
//!
//! The message is the client's own error, which passes the registry's [`Redactor`](crate::Redactor) like any
//! other. None of these repeats the URL or the password that its client was made with.

#[cfg(feature = "disk")]
mod disk;
#[cfg(feature = "grpc-check")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "sqlx-mysql", feature = "sqlx-postgres", feature = "sqlx-sqlite"))]
mod sql;
#[cfg(feature = "tcp")]
mod tcp;

#[cfg(feature = "disk")]
pub use self::disk::DiskCheck;
#[cfg(feature = "grpc-check")]
pub use self::grpc::GrpcCheck;
#[cfg(feature = "http")]
pub use self::http::HttpCheck;
#[cfg(feature = "memory")]
pub use self::memory::MemoryCheck;
#[cfg(feature = "redis")]
pub use self::redis::RedisCheck;
#[cfg(any(feature = "sqlx-mysql", feature = "sqlx-postgres", feature = "sqlx-sqlite"))]
pub use self::sql::SqlCheck;
#[cfg(feature = "tcp")]
pub use self::tcp::TcpCheck;

/// An error with its causes, as clients like to say what happened in the last of them only.
#[cfg(any(feature = "grpc-check", feature = "http"))]
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    // One that repeats its cause is not repeated.
    let mut parts: Vec<String> = Vec::new();
    for cause in causes.take(8) {
        if !parts.iter().any(|part| part.contains(&cause)) {
            parts.push(cause);
        }
    }
    parts.join(": ")
}

/// `12.3 GiB`.
#[cfg(any(feature = "disk", feature = "memory"))]
fn bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    format!("{value:.1} {unit}")
}
