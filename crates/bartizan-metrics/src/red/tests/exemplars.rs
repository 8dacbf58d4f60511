//! Exemplars of exchanges, whose traces a layer outside has told.

use bartizan_core::{Ending, Exchange, Observer, Record, TraceIds};

use super::*;
use crate::{ClientRedLayer, Format};

/// Tells a trace as a trace layer does.
#[derive(Clone)]
struct Traced(Option<TraceIds>);

impl Observer for Traced {
    type Exchange = Self;

    fn begin<B>(&self, _: &mut Request<B>, record: &Record) -> Self {
        if let Some(ids) = self.0 {
            record.set_trace(ids);
        }
        self.clone()
    }
}

impl Exchange for Traced {
    fn end(&mut self, _: &Ending, _: &Record) {}
}

fn traced(byte: u8, sampled: bool) -> Traced {
    Traced(Some(TraceIds { trace_id: [byte; 16], span_id: [byte; 8], sampled }))
}

/// The exemplars on the page after one exchange.
async fn exemplars(store: &Store, red: impl Observer, client: bool) -> Vec<String> {
    let layer = if client { ObserveLayer::client(red) } else { ObserveLayer::new(red) };
    let response = layer.layer(service_fn(respond)).oneshot(get("http://orders/u/7")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let mut page = Vec::new();
    store.render(Format::OpenMetrics1, &mut page);
    let page = String::from_utf8(page).unwrap();
    page.lines().filter(|line| line.contains(" # ")).map(str::to_owned).collect()
}

/// The exemplars on the page after one exchange that is sampled.
pub(super) async fn of_sampled(store: &Store, red: super::super::Red) -> Vec<String> {
    exemplars(store, (traced(0xee, true), red), false).await
}

#[tokio::test]
async fn a_sampled_exchange_leaves_its_ids_at_its_duration() {
    let store = Store::new();
    let red = || RedLayer::new().recorder(store.clone()).observer();
    assert_eq!(exemplars(&store, (Traced(None), red()), false).await, [""; 0]);
    assert_eq!(exemplars(&store, (traced(0xaa, false), red()), false).await, [""; 0]);
    // The ids may be told further in as well.
    let shown = exemplars(&store, (red(), traced(0xbb, true)), false).await;
    assert_eq!(shown.len(), 1);
    assert!(shown[0].starts_with("http_request_duration_seconds_bucket{endpoint=\"unmatched\""), "{shown:?}");
    let ids = format!("# {{trace_id=\"{}\",span_id=\"{}\"}} ", "bb".repeat(16), "bb".repeat(8));
    assert!(shown[0].contains(&ids), "{shown:?}");
}

#[tokio::test]
async fn a_call_that_goes_out_leaves_its_ids_too() {
    let store = Store::new();
    let red = ClientRedLayer::new().recorder(store.clone()).observer();
    let shown = exemplars(&store, (traced(0xcc, true), red), true).await;
    assert_eq!(shown.len(), 1);
    assert!(shown[0].starts_with("http_client_request_duration_seconds_bucket{"), "{shown:?}");
    assert!(shown[0].contains(&"cc".repeat(16)), "{shown:?}");
}

#[tokio::test]
async fn grpc_calls_and_opentelemetry_names_have_exemplars() {
    for naming in [Naming::Prometheus, Naming::OpenTelemetry] {
        let store = Store::new();
        let red = RedLayer::new().recorder(store.clone()).naming(naming).observer();
        let layer = ObserveLayer::new((traced(0xdd, true), red));
        let mut request = Request::post("/shop.Orders/Get").body(Full::new(Bytes::new())).unwrap();
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        let answer = |_| {
            let answer = Response::builder().header("grpc-status", "0");
            ready(Ok::<Answer, Infallible>(answer.body(Full::new(Bytes::new())).unwrap()))
        };
        layer.layer(service_fn(answer)).oneshot(request).await.unwrap();
        let mut page = Vec::new();
        store.render(Format::OpenMetrics1, &mut page);
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.matches(&"dd".repeat(16)).count(), 1, "{page}");
    }
}
