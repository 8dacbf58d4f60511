//! A bounded metrics store behind the `metrics` facade, and its Prometheus page.
//!
//! ```
//! use bartizan_metrics::Store;
//! use bytes::Bytes;
//! use http::{HeaderMap, Response};
//!
//! // Once, at the start of the program.
//! let store = Store::new();
//! metrics::set_global_recorder(store.clone())?;
//!
//! // Anywhere.
//! metrics::counter!("orders_total", "shop" => "north").increment(1);
//! metrics::histogram!("db_query_seconds", "table" => "orders").record(0.0042);
//!
//! // For `GET /metrics`: format and compression follow the request's headers.
//! let response: Response<Bytes> = store.page(&HeaderMap::new()).into_response();
//! # let text = String::from_utf8(response.into_body().to_vec())?;
//! # assert!(text.contains("orders_total{shop=\"north\"} 1\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Formats
//!
//! | format | who gets it | what it has |
//! |---|---|---|
//! | text 0.0.4 | whoever names nothing else | all metrics |
//! | OpenMetrics 1.0 | who names it: Prometheus by default, most agents | units and exemplars too |
//! | protobuf | who names it: Prometheus where native histograms are switched on | native histograms and exemplars too |
//!
//! Histograms of durations have classic and native buckets. A Prometheus that takes native ones leaves
//! the classic ones out, unless it is told otherwise (`always_scrape_classic_histograms`, before 3.0
//! `scrape_classic_histograms`); without native ones on either side,
//! [`max_native_histograms(0)`](StoreBuilder::max_native_histograms), it takes the classic ones.
//!
//! A page is compressed with gzip where that is accepted, and with zstd by the feature `zstd`.
//! It makes a third of gzip's size in less time, but builds a library in C, and few scrapers ask for it; the
//! encoder in pure Rust takes longer than gzip for a larger page, so it is not used.
//! Names have only letters, digits, `_` and `:`, so that scrapers of every age can read them, whatever
//! `escaping` they ask for.
//!
//! # More than a recorder
//!
//! [`Metrics`] makes typed handles and timers in the same store, see [`app`]. With features:
//!
//! | feature | what |
//! |---|---|
//! | `endpoint` | `/metrics` as a tower layer and as a service, with a bearer token: `MetricsEndpoint` |
//! | `listener` | the same on a listener of its own |
//! | `business` | async collectors of business metrics, as one JSON document and as gauges: `Collectors` |
//! | `process` | `process_cpu_seconds_total`, `process_resident_memory_bytes` and the rest: `Store::process_metrics` |
//! | `runtime` | `tokio_workers`, `tokio_workers_busy_seconds_total` and others: `Store::runtime_metrics` |
//! | `axum`, `tonic` | finds routes and peers, where [`RedLayer`] is the outermost layer |
//!
//! # Order
//!
//! Install the store before the first metric is made: a handle made earlier does nothing for ever. The application's `metrics` has to be
//! 0.24, as here: another version has a recorder of its own, and its macros do nothing.
//! Describe a metric before its first use: the unit can be a part of the name, and a name does
//! not change once it is on the page. The first description of a name counts.
//!
//! # Names
//!
//! A name without dots stands on the page as it is. A name with dots is in OpenTelemetry's style:
//! `http.server.request.duration` with [`Unit::Seconds`](metrics::Unit) becomes
//! `http_server_request_duration_seconds`, and counters get `_total`. What Prometheus does not
//! allow becomes `_`. In OpenMetrics a counter whose name does not end in `_total`, or whose name
//! without it belongs to another metric, has the type `unknown`, so that its series has one name
//! in all formats.
//!
//! # Limits
//!
//! Memory does not depend on how much is recorded or on whether anybody scrapes. A series takes at most
//! 300 bytes and thrice its labels; a histogram 100 bytes and 8 a bucket more, with native buckets
//! about 1.2 KiB more and 3.6 KiB at most, with exemplars 48 bytes a bucket more; a summary at most 40 KiB. How many there are is capped.
//!
//! | what | default | past it |
//! |---|--:|---|
//! | label sets of a metric | 2 000 | one series with every label `overflow`; `bartizan_series_overflow_total{metric}` counts |
//! | label sets of all metrics | 50 000 | the same |
//! | histograms with native buckets | 10 000 | classic buckets only; `bartizan_native_histograms_refused_total` counts |
//! | native buckets of a histogram | 160 on a page | they become twice as wide |
//! | exemplars | one a bucket and page | the first one is kept |
//! | metric names | 1 000 | handles that do nothing; `bartizan_metrics_refused_total{reason="too_many_names"}` counts |
//! | bytes of a metric name | 256 | the same, `reason="bad_name"` |
//! | labels in a set | 64 | the first 64 are kept |
//! | bytes of a label name, value | 128, 512 | cut |
//! | bytes of a help text | 1 024 | cut |
//! | label sets of a summary | 100 | as for other metrics |
//! | bounds of a histogram | 64 | an error when the store is built, or the metric registered |
//!
//! Series are never dropped, so a cached handle is good for ever.
//!
//! # Failure
//!
//! Nothing here panics or blocks a request. A metric that cannot be shown (its name is taken by
//! another kind of metric, or its samples would be mixed up with those of another) gets a handle
//! that does nothing, and `bartizan_metrics_refused_total{metric,reason}` counts it.
//! `bartizan_series` and `bartizan_scrape_duration_seconds` tell how large the store is and how
//! long the last page took.
//!
//! # Why a store of its own
//!
//! `metrics-exporter-prometheus` 0.18 keeps each histogram observation (16 bytes) until a scrape or
//! an upkeep task drains it, without a limit; it has no OpenMetrics and no exemplars, which the `metrics`
//! facade has no way to pass; its native histograms are not beside the classic ones but in their place; and its page
//! of 10 000 histograms with 11 buckets takes 90 to 107 ms to write, where this one takes 3 to 11.
//! Whoever wants it all the same, or any other recorder, installs it: the [`red`] layers record into whatever is installed.

pub mod app;
#[cfg(feature = "business")]
pub mod business;
#[cfg(feature = "endpoint")]
pub mod endpoint;
mod exposition;
mod info;
#[cfg(feature = "process")]
mod process;
pub mod red;
#[cfg(feature = "runtime")]
mod runtime;
mod store;

pub use app::{
    Family, Handle, LabelSet, LabelValue, MetricBuilder, Metrics, Summary, Timed, Timer, Timings,
    TimingsBuilder, time,
};
pub use metrics::{Counter, Gauge, Histogram, Unit};

#[cfg(feature = "business")]
pub use business::{CollectorError, Collectors};
#[cfg(feature = "endpoint")]
pub use endpoint::{EndpointError, MetricsEndpoint, MetricsLayer, MetricsService, PageFuture, PageService};
pub use exposition::{Format, Page};
pub use red::{ClientRedLayer, CustomLabel, Naming, RedLayer, UpgradedConnection};
pub use store::{BucketsError, BuildError, ExternalError, HistogramCell, MetricError, Store, StoreBuilder};
