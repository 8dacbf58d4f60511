//! Redis, and what speaks its protocol.

use std::fmt;

use redis::{Cmd, RedisError, aio::ConnectionLike};

use crate::{Check, Health};

/// Sends PING to Redis, Valkey or the like (feature `redis`).
///
/// It takes whatever connection can be cloned: best the `ConnectionManager` that the service uses, which connects
/// again by itself. As this tells of a broken connection once after the server is back, an error of the
/// connection is asked about a second time. A server that is still loading is unhealthy.
///
/// ```no_run
/// use bartizan_health::{Registry, checks::RedisCheck};
///
/// # async fn add(client: redis::Client) -> Result<(), Box<dyn std::error::Error>> {
/// # trait Manager { async fn get_connection_manager(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection>; }
/// # impl Manager for redis::Client {
/// #     async fn get_connection_manager(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
/// #         Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into())
/// #     }
/// # }
/// let connection = client.get_connection_manager().await?; // feature `connection-manager` of redis
/// Registry::new().register("cache", RedisCheck::new(connection))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisCheck<C> {
    connection: C,
}

impl<C> RedisCheck<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// Over a clone of this connection for each run.
    pub fn new(connection: C) -> Self {
        Self { connection }
    }

    async fn ping(&self) -> Result<(), RedisError> {
        let mut connection = self.connection.clone();
        Cmd::ping().exec_async(&mut connection).await
    }
}

impl<C> Check for RedisCheck<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    async fn check(&self) -> Health {
        let answer = match self.ping().await {
            Err(error) if error.is_io_error() || error.is_connection_dropped() => self.ping().await,
            answer => answer,
        };
        match answer {
            Ok(()) => Health::healthy(),
            Err(error) => Health::unhealthy(error.to_string()),
        }
    }

    fn is_dependency(&self) -> bool {
        true
    }

    fn is_cancel_safe(&self) -> bool {
        true
    }
}

impl<C> fmt::Debug for RedisCheck<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCheck").finish_non_exhaustive()
    }
}
