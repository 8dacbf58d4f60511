//! What drivers say when things go wrong, in their own words, shows no secret of a connection string, neither in an
//! answer nor in a log.

use std::{
    io::Write,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bartizan_health::{
    Endpoints, Exposure, Group, Registry,
    checks::{RedisCheck, SqlCheck},
};
use http::{Request, header::ACCEPT};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use sqlx::{MySqlPool, PgPool, SqlitePool};

use crate::server::{SECRET, Server};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every way to put a secret into a connection string, and every way in which that does not work.
fn urls(scheme: &str, port: u16, database: &str) -> Vec<String> {
    let at = |host: &str| format!("{scheme}://app:{SECRET}@{host}/{database}");
    vec![
        at(&format!("127.0.0.1:{port}")), // no such database, or a wrong password
        at("127.0.0.1:1"),                // refused
        at("no-such-host.invalid"),
        at("127.0.0.1:port"),
        at("127.0.0.1:99999"),
        at("[::1"),
        at(""),
        format!("{scheme}://app:x-{SECRET}@127.0.0.1:{port}/{database}"),
        format!("{scheme}://app:x%2{SECRET}@127.0.0.1:{port}/{database}"),
        format!("{scheme}://app:a@b:{SECRET}@127.0.0.1:{port}/{database}"),
        format!("{scheme}://app:a/{SECRET}@127.0.0.1:{port}/{database}"),
        format!("{scheme}://app:a b {SECRET}@127.0.0.1:{port}/{database}"),
        format!("{scheme}://127.0.0.1:{port}/{database}?user=app&password={SECRET}"),
        format!(
            "{scheme}://127.0.0.1:{port}/{database}?sslmode=require&ssl-mode=required&password={SECRET}&x=y"
        ),
        format!("{scheme}:app:{SECRET}@127.0.0.1:{port}/{database}"),
        format!("x{scheme}://app:{SECRET}@127.0.0.1:{port}/{database}"),
    ]
}

macro_rules! sql {
    ($registry:ident, $pool:ident, $scheme:literal, $port:expr) => {
        for (number, url) in urls($scheme, $port, "orders").into_iter().enumerate() {
            if let Ok(pool) = $pool::connect_lazy(&url) {
                $registry.register(format!("{} pool {number}", $scheme), SqlCheck::new(pool)).unwrap();
            }
            // As one writes it oneself: with whatever the driver has to say.
            let connect = move || {
                let url = url.clone();
                async move { $pool::connect(&url).await.map(drop).map_err(|error| format!("{error} {error:?}")) }
            };
            $registry.register(format!("{} {number}", $scheme), connect).unwrap();
        }
    };
}

async fn faces(registry: &Registry) -> String {
    let endpoints = Endpoints::new(registry.clone()).exposure(Exposure::full());
    let mut all = String::new();
    for (path, accept) in [
        ("/health", "*/*"),
        ("/health/detailed", "*/*"),
        ("/health/ready", "*/*"),
        ("/readyz?verbose", "*/*"),
        ("/readyz", "application/health+json"),
    ] {
        let request = Request::get(path).header(ACCEPT, accept).body(()).unwrap().into_parts().0;
        let probe = endpoints.probe(request.uri.path()).unwrap();
        let body = endpoints.answer(probe, &request).await.body;
        all.push_str(std::str::from_utf8(&body).unwrap());
    }
    all
}

// R-HLT-11
#[tokio::test(flavor = "multi_thread")]
async fn no_driver_s_words_tell_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(move || writer.clone())
        .init();

    let registry = Registry::builder().answer_within(Duration::from_secs(15)).build().unwrap();
    let (postgres, mariadb, redis) = (Server::postgres(), Server::mariadb(), Server::redis());
    let port = |server: &Option<Server>| server.as_ref().map_or(1, |server| server.port);
    sql!(registry, PgPool, "postgres", port(&postgres));
    sql!(registry, MySqlPool, "mysql", port(&mariadb));
    sql!(registry, SqlitePool, "sqlite", 0);
    for (number, url) in urls("redis", port(&redis), "0").into_iter().enumerate() {
        if let Ok(client) = redis::Client::open(&*url) {
            let quick = ConnectionManagerConfig::new().set_number_of_retries(0);
            let manager = ConnectionManager::new_lazy_with_config(client, quick).unwrap();
            registry.register(format!("redis manager {number}"), RedisCheck::new(manager)).unwrap();
        }
        let connect = move || {
            let info = redis::ConnectionInfo::from_str(&url);
            async move {
                let client = info.and_then(redis::Client::open);
                let connected = match client {
                    Ok(client) => client.get_multiplexed_async_connection().await.map(drop),
                    Err(error) => Err(error),
                };
                connected.map_err(|error| format!("{error} {error:?}"))
            }
        };
        registry.register(format!("redis {number}"), connect).unwrap();
    }
    let report = registry.report(Group::All).await;
    let unhealthy = report.checks.iter().filter(|check| check.message.is_some()).count();
    for check in &report.checks {
        println!("{} {:?}", check.name, check.message);
    }
    assert!(unhealthy > report.checks.len() / 2, "{unhealthy} of {}", report.checks.len());
    let faces = faces(&registry).await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("health check got worse"));
    for (name, text) in [("an answer", &faces), ("the log", &log)] {
        if let Some(at) = text.find(SECRET) {
            let context: String =
                text.chars().skip(text[..at].chars().count().saturating_sub(300)).take(400).collect();
            panic!("the secret is in {name}: {context}");
        }
    }
}
