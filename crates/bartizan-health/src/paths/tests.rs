use super::*;

#[test]
fn every_path_and_alias_is_known() {
    let paths = Paths::default();
    for (path, probe) in [
        ("/health", Probe::Health),
        ("/health/", Probe::Health),
        ("/health/live", Probe::Live),
        ("/health/liveness", Probe::Live),
        ("/livez", Probe::Live),
        ("/health/ready", Probe::Ready),
        ("/health/ready/", Probe::Ready),
        ("/health/readiness", Probe::Ready),
        ("/readyz", Probe::Ready),
        ("/ready", Probe::Ready),
        ("/ready/", Probe::Ready),
        ("/health/startup", Probe::Startup),
        ("/startup", Probe::Startup),
        ("/startup/", Probe::Startup),
        ("/health/detailed", Probe::Detailed),
        ("/health/tools", Probe::Tools),
    ] {
        assert_eq!(paths.route(path), Some(Route::Probe(probe)), "{path}");
    }
}

#[test]
fn other_paths_are_not_ours() {
    for path in [
        "",
        "/",
        "//",
        "/healthy",
        "/healthz",
        "/health//",
        "/health/live//",
        "/health/x",
        "/Health",
        "/live",
        "health",
    ] {
        assert_eq!(Paths::default().route(path), None, "{path}");
    }
}

#[test]
fn the_base_moves_and_the_aliases_can_go() {
    let mut paths = Paths::default();
    paths.set_base("/-/state").unwrap();
    assert_eq!(paths.route("/-/state/live"), Some(Route::Probe(Probe::Live)));
    assert_eq!(paths.route("/health"), None);
    assert_eq!(paths.route("/livez"), Some(Route::Probe(Probe::Live)));
    paths.set_aliases(false);
    assert_eq!(paths.route("/livez"), None);
}

#[test]
fn a_base_that_is_an_alias_wins() {
    let mut paths = Paths::default();
    paths.set_base("/ready").unwrap();
    assert_eq!(paths.route("/ready"), Some(Route::Probe(Probe::Health)));
    assert_eq!(paths.route("/readyz"), Some(Route::Probe(Probe::Ready)));
    assert_eq!(paths.all().iter().filter(|path| *path == "/ready").count(), 1);
}

#[test]
fn a_bad_base_is_refused() {
    for base in [
        "",
        "/",
        "health",
        "/health/",
        "/a//b",
        "/{id}",
        "/a b",
        "/ü",
        "/a?b",
        &format!("/{}", "x".repeat(128)),
    ] {
        assert!(Paths::default().set_base(base).is_err(), "{base}");
    }
}

#[test]
fn the_list_and_the_lookup_agree() {
    let paths = Paths::default();
    assert_eq!(paths.all().len(), 12);
    assert!(paths.all().iter().all(|path| paths.route(path).is_some()));
}

#[test]
fn single_checks_are_under_their_group() {
    let mut paths = Paths::default();
    paths.add_group("gateway", "/gatewayz").unwrap();
    for (path, group, name) in [
        ("/livez/loop", Group::Liveness, "loop"),
        ("/readyz/db", Group::Readiness, "db"),
        ("/readyz/db/", Group::Readiness, "db"),
        ("/readyz/db/eu-1", Group::Readiness, "db/eu-1"),
        ("/health/live/loop", Group::Liveness, "loop"),
        ("/health/ready/a%20b", Group::Readiness, "a%20b"),
        ("/health/startup/db", Group::Startup, "db"),
        ("/gatewayz/partner", Group::Named("gateway"), "partner"),
    ] {
        assert_eq!(paths.route(path), Some(Route::Check(group, name)), "{path}");
    }
    for path in ["/readyz//", "/ready/db", "/startup/db", "/health/db", "/health/detailed/db"] {
        assert!(!matches!(paths.route(path), Some(Route::Check(_, "db"))), "{path}");
    }
    assert_eq!(paths.checks().len(), 6);
    paths.set_aliases(false);
    assert_eq!(paths.route("/readyz/db"), None);
}

#[test]
fn a_group_has_a_path_that_is_nobody_else_s() {
    let mut paths = Paths::default();
    paths.add_group("gateway", "/gatewayz").unwrap();
    paths.add_group("edge", "/health/edge").unwrap();
    for path in ["/gatewayz", "/gatewayz/"] {
        assert_eq!(paths.route(path), Some(Route::Probe(Probe::Group("gateway"))));
    }
    assert_eq!(paths.route("/health/edge"), Some(Route::Probe(Probe::Group("edge"))));
    assert_eq!(paths.route("/gatewayz2"), None);
    for taken in ["/gatewayz", "/health", "/readyz", "/health/live", "/readyz/x", "gateway", "/a b", ""] {
        let error = paths.add_group("other", taken).unwrap_err();
        assert_eq!(error, HealthError::GroupPath { group: "other", path: taken.into() }, "{taken}");
    }
    assert_eq!(paths.all().len(), 14);
}

#[test]
fn the_configuration_has_a_path_where_there_is_one() {
    let mut paths = Paths::default();
    assert_eq!(paths.route(CONFIG), None);
    paths.set_config();
    for path in ["/observability/config", "/observability/config/"] {
        assert_eq!(paths.route(path), Some(Route::Probe(Probe::Config)));
    }
    assert!(paths.all().iter().any(|path| path == CONFIG));
    assert!(paths.add_group("other", CONFIG).is_err());
    paths.set_mirror();
    assert_eq!(paths.route(CONFIG), None);
}

#[test]
fn a_mirror_has_live_and_ready_alone() {
    let mut paths = Paths::default();
    paths.add_group("gateway", "/gatewayz").unwrap();
    paths.set_mirror();
    let all = paths.all();
    let expected = [
        "/health/live",
        "/health/liveness",
        "/health/readiness",
        "/health/ready",
        "/livez",
        "/ready",
        "/readyz",
    ];
    assert_eq!(all, expected);
    for path in ["/health", "/health/detailed", "/startup", "/gatewayz", "/gatewayz/db", "/readyz/db"] {
        assert_eq!(paths.route(path), None, "{path}");
    }
    assert!(paths.checks().is_empty());
}
