use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde_json::json;

use super::*;

fn page(store: &Store) -> String {
    String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec()).unwrap()
}

fn assert_shows(store: &Store, line: &str) {
    let page = page(store);
    assert!(page.lines().any(|other| other == line), "no {line} in\n{page}");
}

async fn ask(collectors: &Collectors) -> Value {
    serde_json::from_slice(&collectors.document().await).unwrap()
}

/// A collector that counts its runs.
fn counting(collectors: &Collectors, name: &str) -> Arc<AtomicUsize> {
    let runs = Arc::<AtomicUsize>::default();
    let counted = runs.clone();
    let collect = move || {
        let n = counted.fetch_add(1, Relaxed) + 1;
        async move { Ok::<_, String>(json!({ "runs": n })) }
    };
    collectors.register(name, collect).unwrap();
    runs
}

#[tokio::test(start_paused = true)]
async fn failing_panicking_and_hanging_collectors_harm_nobody() {
    let store = Store::new();
    let collectors = Collectors::new(&store);
    counting(&collectors, "good");
    collectors.register("failing", || async { Err::<Value, _>("password=hunter2") }).unwrap();
    collectors.register("panicking", || async { panic!("no") as Result<Value, String> }).unwrap();
    collectors
        .register("panicking_at_once", || -> std::future::Ready<Result<Value, String>> { panic!("no") })
        .unwrap();
    collectors.register("hanging", std::future::pending::<Result<Value, String>>).unwrap();
    collectors.register("array", || async { Ok::<_, String>(json!([1])) }).unwrap();
    let huge = || async { Ok::<_, String>(json!({ "text": "x".repeat(300_000) })) };
    collectors.register("huge", huge).unwrap();
    let began = Instant::now();
    let document = ask(&collectors).await;
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(document["metrics"], json!({ "good": { "runs": 1 } }));
    assert_eq!(
        document["errors"],
        json!({
            "failing": "failed", "panicking": "panicked", "panicking_at_once": "panicked", "hanging": "timeout",
            "array": "not_an_object", "huge": "too_large",
        })
    );
    assert!(OffsetDateTime::parse(document["timestamp"].as_str().unwrap(), &Rfc3339).is_ok());
    assert!(!document.to_string().contains("hunter2"));
    assert_shows(&store, "business_good_runs 1");
    assert_shows(&store, r#"bartizan_business_collector_up{collector="good"} 1"#);
    assert_shows(&store, r#"bartizan_business_collector_up{collector="hanging"} 0"#);
    assert_shows(&store, r#"bartizan_business_collector_duration_seconds{collector="hanging"} 5"#);
}

#[tokio::test(start_paused = true)]
async fn however_many_ask_it_runs_once_until_the_result_is_old() {
    let collectors = Collectors::new(&Store::new()).ttl(Duration::from_mins(1));
    let runs = counting(&collectors, "orders");
    let asking: Vec<_> = (0..1_000)
        .map(|_| {
            let collectors = collectors.clone();
            tokio::spawn(async move { collectors.document().await })
        })
        .collect();
    for asked in asking {
        asked.await.unwrap();
    }
    assert_eq!(runs.load(Relaxed), 1);
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(ask(&collectors).await["metrics"]["orders"]["runs"], 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(ask(&collectors).await["metrics"]["orders"]["runs"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_when_whoever_asked_has_gone() {
    let collectors = Collectors::new(&Store::new());
    let runs = Arc::<AtomicUsize>::default();
    let counted = runs.clone();
    let slow = move || {
        counted.fetch_add(1, Relaxed);
        async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Ok::<_, String>(json!({ "n": 1 }))
        }
    };
    collectors.register("slow", slow).unwrap();
    for _ in 0..5 {
        let asked = tokio::time::timeout(Duration::from_millis(10), collectors.document()).await;
        assert!(asked.is_err());
    }
    assert_eq!(ask(&collectors).await["metrics"]["slow"]["n"], 1);
    assert_eq!(runs.load(Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_blocks_its_thread_is_not_begun_twice() {
    let collectors = Collectors::new(&Store::new()).timeout(Duration::from_millis(50)).ttl(Duration::ZERO);
    let (runs, gate) = (Arc::<AtomicUsize>::default(), Arc::new(Mutex::new(())));
    let (counted, held) = (runs.clone(), gate.clone());
    let blocking = move || {
        counted.fetch_add(1, Relaxed);
        let held = held.clone();
        async move {
            drop(held.lock());
            Ok::<_, String>(json!({ "n": 1 }))
        }
    };
    collectors.register("blocking", blocking).unwrap();
    let blocked = gate.lock().unwrap();
    for _ in 0..3 {
        let document = tokio::task::block_in_place(|| futures(&collectors));
        assert_eq!(document["errors"]["blocking"], "timeout");
    }
    assert_eq!(runs.load(Relaxed), 1);
    drop(blocked);
}

/// Asks while the caller holds a lock, which must not be held over an `await`.
fn futures(collectors: &Collectors) -> Value {
    tokio::runtime::Handle::current().block_on(ask(collectors))
}

#[tokio::test(start_paused = true)]
async fn numbers_at_any_depth_are_gauges_and_are_nan_when_gone() {
    let store = Store::new();
    let collectors = Collectors::new(&store).ttl(Duration::ZERO);
    let turn = AtomicUsize::new(0);
    let collect = move || {
        let turn = turn.fetch_add(1, Relaxed);
        async move {
            match turn {
                0 => Ok(json!({
                    "a": { "b-c": 1.5, "text": "x", "list": [1, 2], "yes": true, "none": null },
                    "a_b c": -2, "ünï": 3,
                })),
                1 => Ok(json!({ "a": { "b-c": 7 } })),
                _ => Err("gone"),
            }
        }
    };
    collectors.register("shop", collect).unwrap();
    ask(&collectors).await;
    assert_shows(&store, "business_shop_a_b_c 1.5");
    assert_shows(&store, "business_shop__n_ 3");
    assert_shows(&store, "bartizan_business_values_dropped_total 1");
    assert_eq!(page(&store).lines().filter(|line| line.starts_with("business_shop")).count(), 2);
    ask(&collectors).await;
    assert_shows(&store, "business_shop_a_b_c 7");
    assert_shows(&store, "business_shop__n_ NaN");
    ask(&collectors).await;
    assert_shows(&store, "business_shop_a_b_c NaN");
}

#[tokio::test(start_paused = true)]
async fn keys_without_end_are_bounded_and_counted() {
    let store = Store::new();
    let collectors = Collectors::new(&store).ttl(Duration::ZERO);
    let turn = AtomicUsize::new(0);
    let collect = move || {
        let turn = turn.fetch_add(1, Relaxed);
        async move {
            let customers: Map<_, _> =
                (0..1_000).map(|n| (format!("customer_{turn}_{n}"), json!(n))).collect();
            let mut deep = json!({ "n": 1 });
            (0..100).for_each(|_| deep = json!({ "d": deep.clone() }));
            Ok::<_, String>(json!({ "customers": customers, "deep": deep, "x".repeat(5_000): 1 }))
        }
    };
    collectors.register("c", collect).unwrap();
    for _ in 0..10 {
        ask(&collectors).await;
    }
    assert_eq!(page(&store).lines().filter(|line| line.starts_with("business_c_")).count(), 100);
    // 900 of the first run, 1 000 of each other, and each time one that is deep and one that is long.
    assert_shows(&store, "bartizan_business_values_dropped_total 9920");
}

#[tokio::test(start_paused = true)]
async fn a_scrape_begins_a_run_and_does_not_wait() {
    let store = Store::new();
    let collectors = Collectors::new(&store);
    counting(&collectors, "orders");
    collectors.register("hanging", std::future::pending::<Result<Value, String>>).unwrap();
    let began = Instant::now();
    collectors.refresh();
    collectors.refresh();
    assert!(page(&store).contains("bartizan_business_collector_up"));
    assert_eq!(began.elapsed(), Duration::ZERO);
    // What is quick is there although another one hangs.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_shows(&store, "business_orders_runs 1");
}

#[test]
fn outside_of_a_runtime_a_refresh_does_nothing() {
    let collectors = Collectors::new(&Store::new());
    counting(&collectors, "orders");
    collectors.refresh();
}

#[test]
fn names_are_checked_and_counted() {
    let collectors = Collectors::off();
    let register = |name: &str| collectors.register(name, || async { Ok::<_, String>(json!({})) });
    for bad in ["", "1a", "_a", "a-b", "a b", "ä", &"x".repeat(65)] {
        assert!(matches!(register(bad), Err(CollectorError::BadName { .. })), "{bad}");
    }
    register("a").unwrap();
    assert!(matches!(register("a"), Err(CollectorError::Taken { .. })));
    (1..MAX_COLLECTORS).for_each(|n| register(&format!("c{n}")).unwrap());
    assert!(matches!(register("more"), Err(CollectorError::TooMany { .. })));
}
