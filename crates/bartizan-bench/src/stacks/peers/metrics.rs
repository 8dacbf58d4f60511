//! axum-prometheus, and the metrics of the OpenTelemetry layers.

use std::time::Duration;

use axum_otel_metrics::HttpMetricsLayerBuilder;
use axum_prometheus::PrometheusMetricLayer;
use bartizan::trace::opentelemetry::global;
use opentelemetry_instrumentation_tower::http::server::LayerBuilder;
use tower_otel::metrics::HttpLayer;

use crate::job::{Job, Parent};
use crate::stacks::Stack;

pub(super) const STACKS: [Stack; 4] = [
    Stack::new("prometheus", Parent::None, "axum-prometheus", |job| {
        let (layer, _handle) = PrometheusMetricLayer::pair();
        job.http(layer);
    }),
    Stack::new("otel-instr-metrics", Parent::None, "opentelemetry-instrumentation-tower, metrics", |job| {
        record();
        job.http(LayerBuilder::builder().with_tracing(false).build().unwrap());
    }),
    Stack::new("tower-otel-metrics", Parent::None, "tower-otel, metrics", |job| {
        record();
        job.http(HttpLayer::server(&global::meter("bench")));
    }),
    Stack::new("axum-otel-metrics", Parent::None, "axum-otel-metrics", axum_otel_metrics),
];

/// For its OpenTelemetry, a version of its own.
fn axum_otel_metrics(job: &Job) {
    let reader = opentelemetry_sdk_0_32::metrics::PeriodicReader::builder(Dropping).build();
    let provider = opentelemetry_sdk_0_32::metrics::SdkMeterProvider::builder().with_reader(reader).build();
    opentelemetry_0_32::global::set_meter_provider(provider);
    job.http(HttpMetricsLayerBuilder::new().build());
}

/// Metrics are aggregated, and let go of once a minute.
pub(super) fn record() {
    let reader = opentelemetry_sdk::metrics::PeriodicReader::builder(Dropping).build();
    let provider = opentelemetry_sdk::metrics::SdkMeterProvider::builder().with_reader(reader).build();
    global::set_meter_provider(provider);
}

struct Dropping;

macro_rules! dropping {
    ($sdk:ident) => {
        impl $sdk::metrics::exporter::PushMetricExporter for Dropping {
            async fn export(&self, _: &$sdk::metrics::data::ResourceMetrics) -> $sdk::error::OTelSdkResult {
                Ok(())
            }
            fn force_flush(&self) -> $sdk::error::OTelSdkResult {
                Ok(())
            }
            fn shutdown_with_timeout(&self, _: Duration) -> $sdk::error::OTelSdkResult {
                Ok(())
            }
            fn temporality(&self) -> $sdk::metrics::Temporality {
                $sdk::metrics::Temporality::Cumulative
            }
        }
    };
}

dropping!(opentelemetry_sdk);
dropping!(opentelemetry_sdk_0_32);
