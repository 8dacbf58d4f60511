//! PostgreSQL is killed and brought back under load: readiness follows within an interval and a timeout, liveness
//! never moves, no probe takes more than 100 ms, and no check runs twice at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State, routing::get};
use bartizan_health::{Check, Health, Registry, checks::SqlCheck};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use sqlx::{PgPool, Postgres, postgres::PgPoolOptions};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    INTERVAL, TIMEOUT, options,
    server::{SECRET, Server},
};

/// Counts how many runs are under way.
struct Counted {
    check: SqlCheck<Postgres>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    runs: Arc<AtomicUsize>,
}

impl Check for Counted {
    async fn check(&self) -> Health {
        /// Counts down on every way out, also when the run is dropped.
        struct Running<'a>(&'a AtomicUsize);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _running = Running(&self.running);
        self.most.fetch_max(running, Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.check.check().await
    }

    fn is_cancel_safe(&self) -> bool {
        true
    }
}

type Http = Client<HttpConnector, Empty<Bytes>>;

async fn ask(client: &Http, url: &str) -> (u16, Duration) {
    let begin = Instant::now();
    let response = client.get(url.parse().unwrap()).await.unwrap();
    let status = response.status().as_u16();
    response.into_body().collect().await.unwrap();
    (status, begin.elapsed())
}

/// What one prober saw, with when.
#[derive(Default)]
struct Seen {
    statuses: Vec<(Instant, u16)>,
    longest: Duration,
}

impl Seen {
    fn merge(&mut self, other: Self) {
        self.statuses.extend(other.statuses);
        self.longest = self.longest.max(other.longest);
    }

    /// How long after `begin` it took until the status was this, and stayed so until `end`.
    fn settled(&self, status: u16, begin: Instant, end: Instant) -> Duration {
        let during = self.statuses.iter().filter(|(at, _)| (begin..end).contains(at));
        let last_other = during.filter(|(_, seen)| *seen != status).map(|(at, _)| *at).max();
        last_other.map_or(Duration::ZERO, |at| at - begin)
    }
}

async fn prober(client: Http, url: String, over: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    while !over.load(Ordering::SeqCst) {
        let (status, took) = ask(&client, &url).await;
        seen.statuses.push((Instant::now(), status));
        seen.longest = seen.longest.max(took);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    seen
}

async fn query(State(pool): State<PgPool>) -> Result<&'static str, http::StatusCode> {
    let asked = sqlx::query("SELECT pg_sleep(0.001)").execute(&pool).await;
    asked.map(|_| "shipped").map_err(|_| http::StatusCode::BAD_GATEWAY)
}

// R-HLT-12
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_is_killed_and_brought_back_under_load() {
    let Some(mut server) = Server::postgres() else { return };
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(1))
        .connect_lazy(&format!("postgres://app:{SECRET}@127.0.0.1:{}/postgres", server.port))
        .unwrap();
    let [running, most, runs] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let counted = Counted {
        check: SqlCheck::new(pool.clone()),
        running,
        most: Arc::clone(&most),
        runs: Arc::clone(&runs),
    };
    let registry = Registry::builder().register_with("database", counted, options()).build().unwrap();
    let app = Router::new()
        .route("/orders", get(query))
        .route("/hello", get(|| async { "hello" }))
        .with_state(pool)
        .merge(registry.routes());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serve = tokio::spawn(async move { axum::serve(listener, app).await });

    let client: Http = Client::builder(TokioExecutor::new()).build_http();
    let over = Arc::new(AtomicBool::new(false));
    let spawn = |set: &mut JoinSet<Seen>, path: &str, count: usize| {
        for _ in 0..count {
            set.spawn(prober(client.clone(), format!("{base}{path}"), Arc::clone(&over)));
        }
    };
    let [mut ready, mut live, mut load, mut control] = [(); 4].map(|()| JoinSet::new());
    spawn(&mut load, "/orders", 8);
    spawn(&mut ready, "/readyz", 4);
    spawn(&mut live, "/livez", 4);
    spawn(&mut control, "/hello", 2);

    let settle = INTERVAL + TIMEOUT + Duration::from_secs(2);
    let mut phases = Vec::new();
    for _ in 0..2 {
        tokio::time::sleep(settle).await;
        let killed = Instant::now();
        server.kill();
        tokio::time::sleep(settle).await;
        server = tokio::task::spawn_blocking(move || {
            server.start();
            server
        })
        .await
        .unwrap();
        phases.push((killed, Instant::now()));
    }
    tokio::time::sleep(settle).await;
    over.store(true, Ordering::SeqCst);
    let end = Instant::now();

    let all = async |mut set: JoinSet<Seen>| {
        let mut all = Seen::default();
        while let Some(seen) = set.join_next().await {
            all.merge(seen.unwrap());
        }
        all
    };
    let (ready, live, load, control) =
        (all(ready).await, all(live).await, all(load).await, all(control).await);
    serve.abort();
    println!(
        "{} readiness probes, longest {:?}; {} liveness probes, longest {:?}; {} requests; hello longest {:?}; {} runs",
        ready.statuses.len(),
        ready.longest,
        live.statuses.len(),
        live.longest,
        load.statuses.len(),
        control.longest,
        runs.load(Ordering::SeqCst)
    );
    // A run takes some ten steps, each as late as a request that does nothing.
    let allowed = INTERVAL + TIMEOUT + 10 * control.longest;
    for (index, (killed, back)) in phases.iter().enumerate() {
        // The server takes connections again somewhat before `back`: what is not ready after it counts.
        let next = phases.get(index + 1).map_or(end, |(killed, _)| *killed);
        let (down, up) = (ready.settled(503, *killed, *killed + settle), ready.settled(200, *back, next));
        println!("not ready {down:?} after the kill, ready {up:?} after the return");
        assert!(down <= allowed && up <= allowed, "down {down:?}, up {up:?}, allowed {allowed:?}");
    }
    assert!(live.statuses.iter().all(|(_, status)| *status == 200), "liveness never moves");
    assert_eq!(most.load(Ordering::SeqCst), 1, "no check runs twice at once");
    let longest = ready.longest.max(live.longest);
    // A machine that is too slow for a request that does nothing is no measure.
    assert!(
        longest < Duration::from_millis(100) || control.longest > Duration::from_millis(50),
        "{longest:?}"
    );
    assert!(load.statuses.iter().any(|(_, status)| *status == 502), "the load felt it");
}
