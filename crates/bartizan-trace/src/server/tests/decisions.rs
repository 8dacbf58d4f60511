//! Sampling decisions that come without ids, and ids that come without a decision.

use opentelemetry::Context;

use super::*;
use crate::TraceSettings;
use crate::propagation::B3Sampler;

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";
const FORMATS: Propagation = Propagation::new().with_b3_single();

fn bench(root: Sampler) -> Bench {
    let spans = InMemorySpanExporter::default();
    let sampler = B3Sampler::new(Sampler::ParentBased(Box::new(root)));
    let provider =
        SdkTracerProvider::builder().with_simple_exporter(spans.clone()).with_sampler(sampler).build();
    Bench { spans, provider }
}

/// The `b3` header that a handler behind the layer sends on, and the trace id that the caller is told.
async fn sent_on(layer: TraceLayer, b3: &str) -> (String, String) {
    let service = layer.propagation(FORMATS).layer(service_fn(|_| async {
        let mut outbound = http::HeaderMap::new();
        FORMATS.inject(&Context::current(), &mut outbound);
        let answer = Response::builder().header("sent-on", &outbound["b3"]);
        Ok::<_, Infallible>(answer.body(Body::default()).unwrap())
    }));
    let mut request = get("/");
    request.headers_mut().insert("b3", b3.parse().unwrap());
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    body.collect().await.unwrap();
    let header = |name| head.headers[name].to_str().unwrap().to_owned();
    (header("sent-on"), header("x-trace-id"))
}

#[tokio::test]
async fn a_denial_without_ids_records_nothing_and_is_passed_on_with_ids() {
    // Not even by a sampler that takes everything.
    for bench in [Bench::new(Sampler::AlwaysOn), bench(Sampler::AlwaysOn)] {
        let (sent, told) = sent_on(bench.layer(), "0").await;
        assert!(sent.starts_with(&told) && sent.ends_with("-0"), "{sent}");
        assert!(bench.spans().is_empty());
    }
}

#[tokio::test]
async fn a_stranger_cannot_deny() {
    let bench = Bench::new(Sampler::AlwaysOn);
    let mut request = get("/");
    request.headers_mut().insert("b3", "0".parse().unwrap());
    send(bench.layer().propagation(FORMATS.untrusted()), request, 200).await;
    assert_eq!(bench.spans().len(), 1);
}

#[tokio::test]
async fn a_wish_without_ids_is_a_sampled_parents_and_debug_stays_debug() {
    for (wish, state) in [("1", "-1"), ("d", "-d")] {
        let bench = bench(Sampler::AlwaysOff);
        let (sent, told) = sent_on(bench.layer(), wish).await;
        assert!(sent.starts_with(&told) && sent.ends_with(state), "{sent}");
        assert_eq!(bench.span().parent_span_id, SpanId::INVALID);
        let (sent, _) = sent_on(TraceLayer::propagate_only(), wish).await;
        assert!(sent.ends_with(state), "without a tracer: {sent}");
    }
}

#[tokio::test]
async fn ids_without_a_decision_leave_it_to_the_sampler_and_keep_the_trace() {
    let open = format!("{TRACE}-{SPAN}");
    for (root, recorded, state) in [(Sampler::AlwaysOn, 1, "-1"), (Sampler::AlwaysOff, 0, "-0")] {
        let bench = bench(root);
        let (sent, _) = sent_on(bench.layer(), &open).await;
        assert!(sent.starts_with(TRACE) && sent.ends_with(state), "{sent}");
        assert_eq!(bench.spans().len(), recorded);
        assert!(bench.spans().iter().all(|span| span.parent_span_id.to_string() == SPAN));
    }
    let plain = Bench::new(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    sent_on(plain.layer(), &open).await;
    assert_eq!(plain.spans().len(), 1, "a sampler that does not know of this must not drop it");
    assert_eq!(sent_on(TraceLayer::propagate_only(), &open).await.0, open);
}

#[tokio::test]
async fn the_settings_put_their_sampler_where_it_is_asked() {
    let spans = InMemorySpanExporter::default();
    let exporter = spans.clone();
    let tracing = TraceSettings::new()
        .sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .customize(|provider| provider.with_simple_exporter(exporter))
        .build()
        .unwrap();
    let layer = TraceLayer::new(tracing.tracer().unwrap());
    sent_on(layer.clone(), &format!("{TRACE}-{SPAN}")).await;
    assert!(spans.get_finished_spans().unwrap().is_empty());
    sent_on(layer, "1").await;
    assert_eq!(spans.get_finished_spans().unwrap().len(), 1);
}

#[tokio::test]
async fn a_debug_trace_stays_one_even_where_it_is_not_recorded() {
    let bench = Bench::new(Sampler::AlwaysOff);
    let (sent, _) = sent_on(bench.layer(), &format!("{TRACE}-{SPAN}-d")).await;
    assert!(sent.starts_with(TRACE) && sent.ends_with("-d") && !sent.contains(SPAN), "{sent}");
    assert!(bench.spans().is_empty());
}

#[tokio::test]
async fn a_known_sampler_changes_the_cost_and_nothing_else() {
    let parent_based = || Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
    let mut seen = Vec::new();
    for known in [None, Some(Sampler::AlwaysOn), Some(parent_based()), Some(Sampler::AlwaysOff)] {
        let bench = Bench::new(parent_based());
        let layer = match known.clone() {
            Some(sampler) => bench.layer().sampler(sampler),
            None => bench.layer(),
        };
        let mut request = get("/reset/hunter2?page=2");
        request.headers_mut().insert("traceparent", PARENT.parse().unwrap());
        request.headers_mut().insert("host", "ada@[::1]:8443".parse().unwrap());
        send(layer.clone(), request, 503).await;
        // What the layer believes of its sampler does not record what that one drops.
        send(layer, get("/"), 200).await;
        let spans = bench.spans();
        assert_eq!(spans.len(), usize::from(!matches!(known, Some(Sampler::AlwaysOff))), "{known:?}");
        seen.extend(spans.into_iter().map(|span| (span.name, span.attributes, span.status)));
    }
    assert!(seen.iter().all(|span| *span == seen[0]), "{seen:?}");
    assert_eq!(seen[0].0, "GET /reset/{token}");
    assert!(seen[0].1.iter().any(|pair| pair.value.as_str() == "[::1]"));
}
