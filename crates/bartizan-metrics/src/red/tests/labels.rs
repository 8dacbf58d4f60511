//! Labels of the application's own.

use std::borrow::Cow;

use super::*;
use crate::red::{CustomLabel, LabelError};

fn tenant() -> CustomLabel {
    CustomLabel::of_request("tenant", |request| request.header("x-tenant").map(Cow::Borrowed))
}

fn from(tenant: &str) -> Request<Full<Bytes>> {
    Request::get("/u/7").header("x-tenant", tenant).body(Full::new(Bytes::new())).unwrap()
}

fn assert_shows(store: &Store, line: &str) {
    assert!(page(store).lines().any(|other| other == line), "{line}\n{}", page(store));
}

#[tokio::test]
async fn request_and_response_name_the_values() {
    let store = Store::new();
    let layer = routed(RedLayer::new().recorder(store.clone()))
        .label(tenant().values(["acme", "umbrella"]))
        .unwrap()
        .label(CustomLabel::of_response("class", |response| {
            Some(format!("{}xx", response.status.as_u16() / 100).into())
        }))
        .unwrap();
    for who in ["acme", "acme", "umbrella", "mallory"] {
        send(&layer, from(who)).await;
    }
    send(&layer, get("/u/7")).await;
    for (class, tenant, count) in
        [("2xx", "acme", 2), ("2xx", "umbrella", 1), ("2xx", "other", 1), ("2xx", "none", 1)]
    {
        assert_shows(
            &store,
            &format!(
                r#"http_requests_total{{class="{class}",endpoint="/u/{{id}}",method="GET",outcome="ok",status="200",tenant="{tenant}"}} {count}"#
            ),
        );
        assert_shows(
            &store,
            &format!(
                r#"http_request_duration_seconds_count{{class="{class}",endpoint="/u/{{id}}",method="GET",status="200",tenant="{tenant}"}} {count}"#
            ),
        );
    }
    assert_shows(&store, r#"http_requests_in_flight{endpoint="/u/{id}",method="GET"} 0"#);
    // A future that is dropped has no response.
    let mut never = layer.layer(service_fn(|_| pending::<Result<Answer, Infallible>>()));
    drop(never.call(from("acme")));
    let cancelled = r#"http_requests_total{class="none",endpoint="/u/{id}",method="GET",outcome="cancelled_before_head",status="499",tenant="acme"} 1"#;
    assert_shows(&store, cancelled);
}

#[tokio::test]
async fn values_of_an_attacker_are_bounded_and_counted() {
    let store = Store::new();
    let red = RedLayer::new().recorder(store.clone()).label(tenant().at_most(10)).unwrap().observer();
    let layer = ObserveLayer::new(red);
    let mut service = layer.layer(service_fn(respond));
    for n in 0..50_000 {
        let response = service.call(from(&n.to_string())).await.unwrap();
        drop(response);
    }
    let text = page(&store);
    let series = text.lines().filter(|line| line.starts_with("http_requests_total{")).count();
    assert_eq!(series, 11, "{text}");
    assert!(text.contains(r#"tenant="overflow"} 49990"#), "{text}");
    assert!(text.contains(r#"bartizan_series_overflow_total{metric="http_requests_total"} 49990"#), "{text}");
}

#[tokio::test]
async fn past_the_cap_on_series_every_label_is_overflow() {
    let store = Store::new();
    let red = RedLayer::new().recorder(store.clone()).max_series(2).label(tenant().at_most(1_000)).unwrap();
    for n in 0..100 {
        send(&red, from(&n.to_string())).await;
    }
    let text = page(&store);
    let folded = r#"{endpoint="overflow",method="GET",outcome="ok",status="200",tenant="overflow"} 98"#;
    assert!(text.contains(folded), "{text}");
    assert!(text.contains(r#"bartizan_series_overflow_total{metric="http_requests_total"} 98"#), "{text}");
}

#[tokio::test]
async fn a_function_that_panics_names_nothing_and_a_long_value_is_cut() {
    let store = Store::new();
    let layer = RedLayer::new()
        .recorder(store.clone())
        .label(CustomLabel::of_request("bad", |_| panic!("no")))
        .unwrap()
        .label(tenant())
        .unwrap();
    send(&layer, from(&"x".repeat(5_000))).await;
    assert!(page(&store).contains(r#"bad="none",endpoint="unmatched""#), "{}", page(&store));
    assert!(page(&store).contains(&format!("tenant=\"{}\"", "x".repeat(128))));
    assert!(!page(&store).contains(&"x".repeat(129)));
}

#[tokio::test]
async fn opentelemetry_names_have_them_too() {
    let store = Store::new();
    let layer =
        RedLayer::new().recorder(store.clone()).naming(Naming::OpenTelemetry).label(tenant()).unwrap();
    send(&layer, from("acme")).await;
    assert!(page(&store).contains(r#"tenant="acme",url_scheme="http"} 1"#), "{}", page(&store));
}

#[test]
fn what_cannot_be_a_label_is_refused() {
    let label = |name: &str| CustomLabel::of_request(name, |_| None);
    let red = |name: &str| RedLayer::new().label(label(name)).err();
    for bad in ["", "Tenant", "1a", "_a", "a-b", "ä", &"x".repeat(65)] {
        assert!(matches!(red(bad), Some(LabelError::BadName { .. })), "{bad}");
    }
    for taken in ["method", "status", "le", "grpc_code", "rpc_method", "url_scheme"] {
        assert!(matches!(red(taken), Some(LabelError::Taken { .. })), "{taken}");
    }
    let two = RedLayer::new().label(label("a")).unwrap();
    assert!(matches!(two.label(label("a")), Err(LabelError::Taken { .. })));
    let four = ["a", "b", "c", "d"]
        .into_iter()
        .try_fold(RedLayer::new(), |red, name| red.label(label(name)))
        .unwrap();
    assert!(matches!(four.label(label("e")), Err(LabelError::TooMany { .. })));
    for none in [label("a").at_most(0), label("a").at_most(1_001), label("a").values([""; 0])] {
        assert!(matches!(RedLayer::new().label(none), Err(LabelError::Values { .. })));
    }
}
