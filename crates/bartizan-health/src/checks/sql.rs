//! PostgreSQL, MySQL, MariaDB and SQLite through sqlx.

use std::fmt;

use serde_json::json;
use sqlx::{ConnectOptions, Connection, Database, Executor, Pool};

use crate::{Check, Health};

/// Asks a database over a `sqlx` pool (features `sqlx-postgres`, `sqlx-mysql` for MySQL and MariaDB,
/// `sqlx-sqlite`).
///
/// The query goes over a connection that lies idle in the pool; if there is none, or it is broken, over a new one
/// that is made as the pool makes its own and is closed afterwards. So a pool that is busy is not taken for a
/// database that is down, a server that refuses is told at once rather than when the pool gives up, and one that
/// was restarted is back with the next run. Details are the pool's `connections`, `idle` and `max`.
///
/// ```no_run
/// # #[cfg(feature = "sqlx-postgres")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use bartizan_health::{CheckOptions, Registry, checks::SqlCheck};
/// use sqlx::PgPool;
///
/// let pool = PgPool::connect_lazy(&std::env::var("DATABASE_URL")?)?;
/// let options = CheckOptions::new().interval(Duration::from_secs(10));
/// Registry::new().register_with("database", SqlCheck::new(pool), options)?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlx-postgres"))] fn main() {}
/// ```
#[derive(Clone)]
pub struct SqlCheck<DB: Database> {
    pool: Pool<DB>,
    query: &'static str,
}

impl<DB: Database> SqlCheck<DB> {
    /// Asks `SELECT 1`, or of SQLite `PRAGMA schema_version`, which reads the file.
    pub fn new(pool: Pool<DB>) -> Self {
        let query = if DB::NAME == "SQLite" { "PRAGMA schema_version" } else { "SELECT 1" };
        Self { pool, query }
    }

    /// Asks something else: it should take milliseconds and change nothing.
    #[must_use]
    pub fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }
}

impl<DB> Check for SqlCheck<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    async fn check(&self) -> Health {
        let asked = self.ask().await;
        let details = json!({
            "connections": self.pool.size(),
            "idle": self.pool.num_idle(),
            "max": self.pool.options().get_max_connections(),
        });
        let health = match asked {
            Ok(()) => Health::healthy(),
            Err(error) => Health::unhealthy(error.to_string()),
        };
        health.with_details(details)
    }

    fn is_dependency(&self) -> bool {
        true
    }

    fn is_cancel_safe(&self) -> bool {
        true
    }
}

impl<DB> SqlCheck<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    async fn ask(&self) -> Result<(), sqlx::Error> {
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed);
        }
        if let Some(mut idle) = self.pool.try_acquire()
            && (&mut *idle).execute(self.query).await.is_ok()
        {
            return Ok(());
        }
        let mut fresh = self.pool.connect_options().connect().await?;
        let answer = (&mut fresh).execute(self.query).await.map(drop);
        // The answer is known; how the connection ends changes nothing.
        let _ = fresh.close().await;
        answer
    }
}

impl<DB: Database> fmt::Debug for SqlCheck<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlCheck").field("database", &DB::NAME).finish_non_exhaustive()
    }
}
