//! What sqlx logs of statements, through a real pool.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bartizan_log::{LogBuilder, LogFormat, sqlx_slow_statements};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use tracing_subscriber::layer::SubscriberExt;

use support::{Memory, Object, read_lines};

async fn query(threshold: Duration) {
    let options = sqlx_slow_statements("sqlite::memory:".parse::<SqliteConnectOptions>().unwrap(), threshold);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE users (mail TEXT, pin INTEGER)").execute(&pool).await.unwrap();
    sqlx::query("INSERT INTO users (mail, pin) VALUES ('ada@hunter2.example', 4711), (?, ?)")
        .bind("bound-hunter2")
        .bind(4712)
        .execute(&pool)
        .await
        .unwrap();
    let found = sqlx::query(
        "SELECT mail FROM users -- by hunter2\n WHERE mail = 'ada@hunter2.example' AND pin > 4710",
    );
    assert_eq!(found.fetch_all(&pool).await.unwrap().len(), 1);
    sqlx::query("SELECT 'hunter2'").fetch_one(&pool).await.unwrap();
    let long = format!("SELECT {}1", "length('hunter2'), ".repeat(100));
    sqlx::query(sqlx::AssertSqlSafe(long)).fetch_one(&pool).await.unwrap();
    pool.close().await;
}

fn text<'a>(line: &'a Object, field: &str) -> &'a str {
    line.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn statements_are_logged_without_their_literals_and_the_slow_ones_warn() {
    // SQLite logs on threads of its own.
    let memory = Memory::default();
    let log = LogBuilder::new().env(|_| None).filter("debug").format(LogFormat::Json).sink(memory.clone());
    let (layer, guard) = log.build().unwrap().into_layer();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        query(Duration::ZERO).await;
        query(Duration::from_hours(1)).await;
    });
    assert!(guard.shutdown(Duration::from_secs(30)));
    let shown = memory.text();
    assert!(!shown.contains("hunter2") && !shown.contains("> 47") && !shown.contains(", 47"), "{shown}");

    let lines: Vec<_> =
        read_lines(&shown).into_iter().filter(|line| line["target"] == "sqlx::query").collect();
    // The first one is sqlx's own, `PRAGMA`.
    let (slow, fast) = lines.split_at(6);
    assert_eq!(fast.len(), 6, "{fast:#?}");
    for line in slow {
        assert_eq!(line["level"], "WARN");
        assert!(text(line, "message").contains("slow statement"), "{line:?}");
        assert!(text(line, "db.statement").chars().count() <= 203, "{line:?}");
    }
    assert_eq!(text(&slow[2], "db.statement"), "INSERT INTO users (mail, pin) VALUES (?, ?), (?, ?)");
    assert_eq!(text(&slow[3], "db.statement"), "SELECT mail FROM users WHERE mail = ? AND pin > ?");
    assert_eq!(text(&slow[4], "summary"), "SELECT ?");
    assert!(text(&slow[5], "db.statement").ends_with("..."));
    assert!(fast.iter().all(|line| line["level"] == "DEBUG"), "{fast:#?}");
}
