use tokio::runtime::Handle;

use super::*;

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

// R-HLT-7
#[tokio::test(start_paused = true)]
async fn the_status_comes_at_once_and_then_changes_only() {
    let database = Dependency::default();
    let registry = with("database", &database);
    let client = client(registry.grpc().service("Orders", ["database"]));
    let start = Instant::now();
    let mut streams = Vec::new();
    for name in ["", "readiness", "database", "Orders"] {
        let mut stream = watch(&client, name).await.unwrap();
        assert_eq!(told(&mut stream).await, Some(Serving), "{name}");
        streams.push(stream);
    }
    let mut liveness = watch(&client, "liveness").await.unwrap();
    assert_eq!(told(&mut liveness).await, Some(Serving));
    assert_eq!(start.elapsed(), Duration::ZERO);
    for (down, expected) in [(true, NotServing), (false, Serving)] {
        assert!(silent(&mut streams[0], 10 * SECOND).await);
        database.set_down(down);
        let start = Instant::now();
        for stream in &mut streams {
            assert_eq!(told(stream).await, Some(expected));
        }
        assert!(start.elapsed() <= 1001 * MS, "{:?}", start.elapsed());
    }
    assert!(silent(&mut liveness, SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_service_stays_open_until_it_is_known() {
    let registry = Registry::new();
    let client = client(registry.grpc());
    let mut stream = watch(&client, "late").await.unwrap();
    assert_eq!(told(&mut stream).await, Some(ServiceUnknown));
    assert!(silent(&mut stream, 3600 * SECOND).await);

    let start = Instant::now();
    registry.register("late", Dependency::taking(50 * MS)).unwrap();
    assert_eq!(told(&mut stream).await, Some(Serving), "not what is said before the first run has ended");
    registry.unregister("late");
    assert_eq!(told(&mut stream).await, Some(ServiceUnknown));
    assert_eq!(start.elapsed(), 50 * MS);
    registry.register("late", || async { Err::<(), _>("down") }).unwrap();
    assert_eq!(told(&mut stream).await, Some(NotServing));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_joins_does_not_shake_the_whole() {
    let registry = with("database", &Dependency::default());
    let client = client(registry.grpc());
    let mut stream = watch(&client, "").await.unwrap();
    assert_eq!(told(&mut stream).await, Some(Serving));
    registry.register("late", Dependency::taking(50 * MS)).unwrap();
    assert!(silent(&mut stream, 10 * SECOND).await);
    registry.register("hangs", Dependency::taking(Duration::MAX)).unwrap();
    assert_eq!(told(&mut stream).await, Some(NotServing));
}

// R-HLT-9
#[tokio::test(start_paused = true)]
async fn a_drain_is_told_at_once_and_ends_every_watch() {
    let registry = Registry::builder().answer_within(3600 * SECOND).build().unwrap();
    registry.register("database", || async {}).unwrap();
    let client = client(registry.grpc());
    let mut streams = Vec::new();
    for (name, first, last) in [
        ("", Serving, Some(NotServing)),
        ("database", Serving, Some(NotServing)),
        ("liveness", Serving, None),
        ("unknown", ServiceUnknown, None),
    ] {
        let mut stream = watch(&client, name).await.unwrap();
        assert_eq!(told(&mut stream).await, Some(first), "{name}");
        streams.push((stream, last));
    }
    // The watches wait for this one when the drain begins.
    registry.register("hangs", Dependency::taking(Duration::MAX)).unwrap();
    assert!(silent(&mut streams[0].0, MS).await);
    let start = Instant::now();
    registry.drain();
    for (stream, last) in &mut streams {
        if last.is_some() {
            assert_eq!(told(stream).await, *last);
        }
        assert_eq!(told(stream).await, None);
    }
    for (name, status) in [("", NotServing), ("liveness", Serving), ("unknown", ServiceUnknown)] {
        let mut late = watch(&client, name).await.unwrap();
        assert_eq!(told(&mut late).await, Some(status), "{name}");
        assert_eq!(told(&mut late).await, None, "{name}");
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

// R-HLT-12
#[tokio::test(start_paused = true)]
async fn many_watchers_run_each_check_once_a_ttl() {
    let (database, cache) = (Dependency::taking(10 * MS), Dependency::default());
    let registry = with("database", &database);
    registry.register_with("cache", cache.clone(), CheckOptions::new().ttl(5 * SECOND)).unwrap();
    let client = client(registry.grpc());
    let mut streams = Vec::new();
    for n in 0..1000 {
        streams.push(watch(&client, if n % 2 == 0 { "" } else { "database" }).await.unwrap());
    }
    for stream in &mut streams {
        assert_eq!(told(stream).await, Some(Serving));
    }
    assert_eq!((database.runs(), cache.runs()), (1, 1));
    assert_eq!(tasks(), 1, "one for all watches");
    sleep(9500 * MS).await;
    assert_eq!((database.runs(), cache.runs()), (10, 2));
    database.set_down(true);
    for stream in &mut streams {
        assert_eq!(told(stream).await, Some(NotServing));
    }
    assert_eq!(database.runs(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_check_is_left_alone_for_the_refresh_pause_whatever_its_ttl() {
    for (ttl, pause, expected) in [
        (Duration::ZERO, SECOND, 10),
        (Duration::ZERO, Duration::ZERO, 905),
        (100 * MS, 3 * SECOND, 4),
        (1500 * MS, SECOND, 7),
        (Duration::MAX, SECOND, 1),
    ] {
        let database = Dependency::default();
        let registry = Registry::new();
        registry.register_with("database", database.clone(), CheckOptions::new().ttl(ttl)).unwrap();
        let client = client(registry.grpc().refresh(pause));
        let mut stream = watch(&client, "").await.unwrap();
        assert_eq!(told(&mut stream).await, Some(Serving));
        assert!(silent(&mut stream, 9050 * MS).await);
        let runs = database.runs();
        assert!(runs <= expected && runs + expected / 9 >= expected, "ttl {ttl:?}, {pause:?}: {runs}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_http_probes_find_is_told_at_once() {
    let database = Dependency::default();
    let registry = with("database", &database);
    let client = client(registry.grpc().refresh(Duration::MAX));
    let mut stream = watch(&client, "").await.unwrap();
    assert_eq!(told(&mut stream).await, Some(Serving));
    database.set_down(true);
    assert!(silent(&mut stream, 10 * SECOND).await);
    registry.report(Group::All).await;
    let start = Instant::now();
    assert_eq!(told(&mut stream).await, Some(NotServing));
    assert_eq!((start.elapsed(), database.runs()), (Duration::ZERO, 2));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_check_is_started_once_and_told_of_once() {
    let hangs = Dependency::taking(Duration::MAX);
    let client = client(with("hangs", &hangs).grpc());
    let mut stream = watch(&client, "hangs").await.unwrap();
    let start = Instant::now();
    assert_eq!(told(&mut stream).await, Some(NotServing));
    assert!(start.elapsed() < 100 * MS, "{:?}", start.elapsed());
    assert!(silent(&mut stream, 60 * SECOND).await);
    assert_eq!(hangs.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn checks_run_only_while_there_is_a_watcher() {
    let database = Dependency::default();
    let registry = with("database", &database);
    let client = client(registry.grpc());
    for round in 1..=3 {
        let mut one = watch(&client, "").await.unwrap();
        let mut other = watch(&client, "database").await.unwrap();
        assert_eq!((told(&mut one).await, told(&mut other).await), (Some(Serving), Some(Serving)));
        drop(one);
        assert!(silent(&mut other, 2500 * MS).await);
        assert_eq!(database.runs(), round * 3);
        drop(other);
        sleep(MS).await;
        assert_eq!(tasks(), 0);
        sleep(60 * SECOND).await;
        assert_eq!(database.runs(), round * 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_does_not_read_skips_what_is_out_of_date() {
    let database = Dependency::default();
    let client = client(with("database", &database).grpc());
    let mut slow = watch(&client, "").await.unwrap();
    let mut quick = watch(&client, "").await.unwrap();
    assert_eq!((told(&mut slow).await, told(&mut quick).await), (Some(Serving), Some(Serving)));
    for n in 0..9 {
        database.set_down(n % 2 == 0);
        assert!(told(&mut quick).await.is_some());
    }
    assert_eq!(told(&mut slow).await, Some(NotServing));
    assert!(silent(&mut slow, 10 * SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_watches_is_bounded() {
    let client = client(Registry::new().grpc().max_watchers(2));
    let one = watch(&client, "").await.unwrap();
    let mut other = watch(&client, "unknown").await.unwrap();
    assert_eq!(told(&mut other).await, Some(ServiceUnknown));
    assert_eq!(watch(&client, "").await.err(), Some(Code::ResourceExhausted));
    drop(one);
    assert!(watch(&client, "").await.is_ok());
    assert_eq!(check(&client, "").await, Ok(Serving), "a Check needs no place");
}

#[test]
fn a_runtime_that_goes_down_ends_the_watches_that_it_served() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let client = client(with("database", &Dependency::default()).grpc());
    let mut stream = runtime().block_on(async {
        let mut stream = watch(&client, "").await.unwrap();
        assert_eq!(told(&mut stream).await, Some(Serving));
        stream
    });
    runtime().block_on(async {
        assert_eq!(told(&mut stream).await, None);
        let mut again = watch(&client, "").await.unwrap();
        assert_eq!(told(&mut again).await, Some(Serving));
    });
}
