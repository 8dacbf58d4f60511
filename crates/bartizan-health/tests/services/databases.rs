//! PostgreSQL, MariaDB, SQLite and Redis come and go, and the registry goes with them.

use std::time::Duration;

use bartizan_health::{
    CheckOptions, Group, Registry, Status,
    checks::{RedisCheck, SqlCheck, TcpCheck},
};
use redis::aio::ConnectionManager;
use sqlx::{
    MySqlPool, PgPool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::{
    follows, goes_with, options,
    server::{SECRET, Server},
};

// R-HLT-6
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_goes_with_postgres() {
    let Some(mut server) = Server::postgres() else { return };
    let pool = PgPool::connect_lazy(&format!("postgres://app:{SECRET}@127.0.0.1:{}/postgres", server.port));
    let registry = Registry::new();
    registry.register_with("database", SqlCheck::new(pool.unwrap()), options()).unwrap();
    goes_with(&mut server, &registry, "database").await;
    server.kill();
    let message = follows(&registry, "database", Status::Unhealthy).await;
    assert!(message.contains("Connection refused"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_busy_is_no_database_that_is_down() {
    let Some(server) = Server::postgres() else { return };
    let url = format!("postgres://app:{SECRET}@127.0.0.1:{}/postgres", server.port);
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let _busy = pool.acquire().await.unwrap();
    let registry = Registry::builder().answer_within(Duration::from_secs(5)).build().unwrap();
    registry.register("database", SqlCheck::new(pool.clone())).unwrap();
    registry.register("table", SqlCheck::new(pool.clone()).query("SELECT 1 FROM no_such_table")).unwrap();
    let report = registry.report(Group::All).await;
    assert_eq!(report.checks[0].status, Status::Healthy, "{report:?}");
    let details = report.checks[0].details.as_deref().unwrap();
    assert_eq!(*details, serde_json::json!({ "connections": 1, "idle": 0, "max": 1 }));
    assert!(report.checks[1].message.as_deref().unwrap().contains("no_such_table"), "{report:?}");
}

// R-HLT-6
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_goes_with_mariadb() {
    let Some(mut server) = Server::mariadb() else { return };
    let pool = MySqlPool::connect_lazy(&format!("mysql://app:{SECRET}@127.0.0.1:{}/", server.port));
    let registry = Registry::new();
    registry.register_with("database", SqlCheck::new(pool.unwrap()), options()).unwrap();
    goes_with(&mut server, &registry, "database").await;
}

// R-HLT-6
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_goes_with_sqlite() {
    let file = std::env::temp_dir().join(format!("bartizan-sqlite-{}.db", std::process::id()));
    let create = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(create).await.unwrap();
    sqlx::query("CREATE TABLE orders (id INTEGER)").execute(&pool).await.unwrap();
    pool.close().await;

    let pool = SqlitePoolOptions::new().connect_lazy_with(SqliteConnectOptions::new().filename(&file));
    let registry = Registry::new();
    registry.register_with("database", SqlCheck::new(pool), options()).unwrap();
    follows(&registry, "database", Status::Healthy).await;
    let sound = std::fs::read(&file).unwrap();
    for damaged in [vec![b'x'; sound.len()], Vec::from(b"no database, but longer than that")] {
        std::fs::write(&file, damaged).unwrap();
        let message = follows(&registry, "database", Status::Unhealthy).await;
        assert!(message.contains("not a database"), "{message}");
        std::fs::write(&file, &sound).unwrap();
        follows(&registry, "database", Status::Healthy).await;
    }
    std::fs::remove_file(&file).unwrap();
}

// R-HLT-6
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_goes_with_redis_even_if_it_hangs() {
    let Some(mut server) = Server::redis() else { return };
    let client = redis::Client::open(format!("redis://:{SECRET}@127.0.0.1:{}/", server.port)).unwrap();
    let registry = Registry::new();
    let manager = ConnectionManager::new(client.clone()).await.unwrap();
    registry.register_with("manager", RedisCheck::new(manager), options()).unwrap();
    let tcp = TcpCheck::new(format!("127.0.0.1:{}", server.port));
    registry.register_with("port", tcp, options()).unwrap();
    for name in ["manager", "port"] {
        goes_with(&mut server, &registry, name).await;
    }
    server.signal("STOP");
    follows(&registry, "manager", Status::Unhealthy).await;
    server.signal("CONT");
    follows(&registry, "manager", Status::Healthy).await;

    // A connection that does not connect again cannot come back, and does not claim to.
    let once = client.get_multiplexed_async_connection().await.unwrap();
    registry.register_with("once", RedisCheck::new(once), options()).unwrap();
    follows(&registry, "once", Status::Healthy).await;
    server.kill();
    follows(&registry, "once", Status::Unhealthy).await;
}

#[test]
fn a_database_inside_liveness_is_an_error_when_the_registry_is_built() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let pool = PgPool::connect_lazy("postgres://127.0.0.1/postgres").unwrap();
    let live = CheckOptions::new().liveness(true);
    let error = Registry::builder().register_with("database", SqlCheck::new(pool), live).build().unwrap_err();
    assert!(error.to_string().contains("every instance would be restarted"), "{error}");
}
