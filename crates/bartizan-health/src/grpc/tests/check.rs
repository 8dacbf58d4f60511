use http::Request;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::*;

// R-HLT-7
#[tokio::test(start_paused = true)]
async fn every_service_has_its_own_status() {
    let (database, cache) = (Dependency::default(), Dependency::default());
    let registry = with("database", &database);
    let options = CheckOptions::new().criticality(Criticality::Degrading);
    registry.register_with("cache", cache.clone(), options).unwrap();
    registry.register("slow", || async { Health::degraded("slow") }).unwrap();
    let health = registry.grpc().service("Orders", ["database", "cache", "cache"]).service("Cart", ["cache"]);
    let client = client(health.service("Static", [""; 0]));
    for (database_is_down, cache_is_down, expected) in [
        (false, false, [Serving; 9]),
        // Not critical: only who asks for the check itself is told.
        (false, true, [Serving, Serving, Serving, Serving, NotServing, Serving, Serving, Serving, Serving]),
        (
            true,
            true,
            [NotServing, NotServing, Serving, NotServing, NotServing, Serving, NotServing, Serving, Serving],
        ),
    ] {
        database.set_down(database_is_down);
        cache.set_down(cache_is_down);
        sleep(2 * SECOND).await;
        let names = ["", "readiness", "liveness", "database", "cache", "slow", "Orders", "Cart", "Static"];
        for (name, expected) in names.into_iter().zip(expected) {
            assert_eq!(check(&client, name).await, Ok(expected), "{name}");
        }
        let mut all: Vec<_> = names.into_iter().map(String::from).zip(expected).collect();
        all.sort();
        assert_eq!(list(&client).await, Ok(all));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_service_is_not_found_and_not_repeated() {
    let client = client(Registry::new().grpc());
    for name in ["database", "Liveness", " ", "\0", &"x".repeat(1000)] {
        assert_eq!(check(&client, name).await, Err(Code::NotFound), "{name}");
    }
    let error = client.clone().check(named("s3cret")).await.unwrap_err();
    assert_eq!(error.message(), "unknown service");
}

#[tokio::test(start_paused = true)]
async fn a_long_request_is_refused() {
    let client = client(Registry::new().grpc());
    assert_eq!(check(&client, &"x".repeat(MAX_REQUEST_BYTES)).await, Err(Code::OutOfRange));
    assert_eq!(watch(&client, &"x".repeat(MAX_REQUEST_BYTES)).await.err(), Some(Code::OutOfRange));
}

#[tokio::test(start_paused = true)]
async fn the_names_of_checks_are_not_for_everybody() {
    let registry = with("database", &Dependency::default());
    let client = HealthClient::new(registry.grpc().service("Orders", ["database"]).build().unwrap());
    assert_eq!(check(&client, "database").await, Err(Code::NotFound));
    let names: Vec<_> = list(&client).await.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["", "Orders", "liveness", "readiness"]);
    assert_eq!(told(&mut watch(&client, "database").await.unwrap()).await, Some(ServiceUnknown));
}

#[tokio::test(start_paused = true)]
async fn liveness_follows_its_checks() {
    let registry = Registry::new();
    let stuck = Dependency::default();
    registry.register_with("loop", stuck.clone(), CheckOptions::new().liveness(true)).unwrap();
    let client = client(registry.grpc());
    for (down, expected) in [(false, Serving), (true, NotServing)] {
        stuck.set_down(down);
        sleep(2 * SECOND).await;
        assert_eq!(check(&client, "liveness").await, Ok(expected));
        assert_eq!(check(&client, "").await, Ok(Serving));
        assert!(list(&client).await.unwrap().contains(&("liveness".into(), expected)));
    }
}

#[tokio::test(start_paused = true)]
async fn checks_come_and_go() {
    let registry = with("database", &Dependency::default());
    let client = client(registry.grpc().service("Orders", ["database"]));
    assert_eq!(check(&client, "Orders").await, Ok(Serving));
    registry.unregister("database");
    assert_eq!(check(&client, "Orders").await, Ok(NotServing), "what it stands on is gone");
    assert_eq!(check(&client, "database").await, Err(Code::NotFound));
    assert_eq!(check(&client, "").await, Ok(Serving));
    registry.register("database", || async {}).unwrap();
    registry.register("late", || async { Err::<(), _>("down") }).unwrap();
    assert_eq!(check(&client, "Orders").await, Ok(Serving));
    assert_eq!(check(&client, "late").await, Ok(NotServing));
}

#[tokio::test(start_paused = true)]
async fn the_names_of_the_house_and_of_services_come_before_those_of_checks() {
    let down = Dependency::default();
    down.set_down(true);
    let registry = with("liveness", &down);
    registry.register("Orders", down).unwrap();
    registry.register("database", || async {}).unwrap();
    let client = client(registry.grpc().service("Orders", ["database"]));
    for name in ["liveness", "Orders"] {
        assert_eq!(check(&client, name).await, Ok(Serving), "{name}");
        assert!(list(&client).await.unwrap().contains(&(name.into(), Serving)), "{name}");
    }
}

// R-HLT-12
#[tokio::test(start_paused = true)]
async fn only_what_was_asked_for_is_run_and_waited_for() {
    let (hangs, quick) = (Dependency::taking(Duration::MAX), Dependency::default());
    let registry = with("hangs", &hangs);
    registry.register("quick", quick.clone()).unwrap();
    let client = client(registry.grpc().service("Orders", ["quick"]));
    let start = Instant::now();
    assert_eq!(check(&client, "liveness").await, Ok(Serving));
    assert_eq!((hangs.runs(), quick.runs()), (0, 0));
    assert_eq!(check(&client, "quick").await, Ok(Serving));
    assert_eq!(check(&client, "Orders").await, Ok(Serving));
    assert_eq!((hangs.runs(), quick.runs()), (0, 1));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(check(&client, "").await, Ok(NotServing));
    assert_eq!(list(&client).await.unwrap().len(), 6);
    assert!(start.elapsed() < 200 * MS, "{:?}", start.elapsed());
}

// R-HLT-12
#[tokio::test(start_paused = true)]
async fn a_flood_of_probes_over_grpc_and_http_runs_each_check_once() {
    let database = Dependency::taking(50 * MS);
    let registry = with("database", &database);
    let (client, http) = (client(registry.grpc()), registry.service());
    let mut probes = JoinSet::new();
    for _ in 0..250 {
        let (one, other, http) = (client.clone(), client.clone(), http.clone());
        probes.spawn(async move { check(&one, "database").await == Ok(Serving) });
        probes.spawn(async move { list(&other).await.is_ok_and(|all| all.len() == 4) });
        let ready = Request::get("/readyz").body(()).unwrap();
        probes.spawn(async move { http.oneshot(ready).await.unwrap().status() == 200 });
    }
    let mut stream = watch(&client, "").await.unwrap();
    assert_eq!(told(&mut stream).await, Some(Serving));
    assert!(probes.join_all().await.into_iter().all(|is_good| is_good));
    assert_eq!(database.runs(), 1);
}

// R-HLT-9
#[tokio::test(start_paused = true)]
async fn from_the_drain_on_nothing_serves_and_the_process_lives() {
    let (hangs, cache) = (Dependency::taking(Duration::MAX), Dependency::default());
    let registry = with("database", &hangs);
    registry.register("cache", cache.clone()).unwrap();
    let client = client(registry.grpc().service("Orders", ["cache"]).service("Static", [""; 0]));
    assert_eq!(check(&client, "cache").await, Ok(Serving));
    registry.drain();
    sleep(2 * SECOND).await;
    let start = Instant::now();
    for name in ["", "readiness", "database", "cache", "Orders", "Static"] {
        assert_eq!(check(&client, name).await, Ok(NotServing), "{name}");
    }
    assert_eq!(check(&client, "liveness").await, Ok(Serving));
    assert_eq!(check(&client, "unknown").await, Err(Code::NotFound));
    let serving: Vec<_> = list(&client).await.unwrap().into_iter().filter(|(_, s)| *s == Serving).collect();
    assert_eq!(serving, [("liveness".into(), Serving)]);
    assert_eq!((start.elapsed(), hangs.runs(), cache.runs()), (Duration::ZERO, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_list_is_bounded() {
    let registry = Registry::builder().max_checks(2000).build().unwrap();
    let client = client(registry.grpc());
    for n in 0..997 {
        registry.register(format!("check {n}"), || async {}).unwrap();
    }
    assert_eq!(list(&client).await.unwrap().len(), 1000);
    registry.register("one more", || async {}).unwrap();
    assert_eq!(list(&client).await, Err(Code::ResourceExhausted));
}

#[test]
fn bad_services_are_refused() {
    let registry = with("database", &Dependency::default());
    let build = |names: &[&str], check: &str| {
        names.iter().fold(registry.grpc(), |health, name| health.service(*name, [check])).build().map(drop)
    };
    assert_eq!(build(&["shop.v1.Orders", "shop.v1.Cart", &"x".repeat(256)], "database"), Ok(()));
    let long = "x".repeat(257);
    for names in [&[""][..], &["liveness"], &["readiness"], &["a\nb"], &["a", "a"], &[&long]] {
        let error = build(names, "database").unwrap_err();
        assert!(matches!(error, HealthError::ServiceName { .. }), "{names:?}");
    }
    let unknown = HealthError::UnknownCheck { service: "Orders".into(), check: "databse".into() };
    assert_eq!(build(&["Orders"], "databse"), Err(unknown));
}
