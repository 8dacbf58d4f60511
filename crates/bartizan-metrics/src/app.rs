//! Application metrics: typed handles with help, unit, buckets and caps; and timers.
//!
//! ```
//! use bartizan_metrics::{Metrics, Store, label_set};
//! use metrics::Unit;
//!
//! struct Placed<'a> {
//!     shop: &'a str,
//!     gift: bool,
//! }
//! label_set!(impl Placed<'_> { shop, gift });
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once, at the start. `Metrics::off()` gives handles that do nothing.
//! let store = Store::new();
//! let metrics = Metrics::new(&store);
//! let placed = metrics.counter("orders_total").help("Orders placed.").family()?;
//! let baskets = metrics
//!     .histogram("basket_size_bytes")
//!     .help("Size of baskets.")
//!     .unit(Unit::Bytes)
//!     .buckets(&[100.0, 1_000.0, 10_000.0])
//!     .register()?;
//!
//! // Anywhere.
//! placed.with(&Placed { shop: "north", gift: true }).increment(1);
//! placed.with(&[("shop", "south"), ("gift", "false")]).increment(1);
//! baskets.record(740.0);
//! let timer = metrics.time("db_query", &[("table", "orders")]);
//! timer.success();
//!
//! let page = String::from_utf8(store.page(&http::HeaderMap::new()).body.to_vec())?;
//! assert!(page.contains(r#"orders_total{gift="true",shop="north"} 1"#));
//! assert!(page.contains(r#"basket_size_bytes_bucket{le="1000"} 1"#));
//! assert!(page.contains(r#"db_query_duration_seconds_count{outcome="success",table="orders"} 1"#));
//! # Ok(())
//! # }
//! ```
//!
//! # The macro way
//!
//! The macros of the `metrics` facade (`counter!`, `gauge!`, `histogram!`) write to the same store once it is the installed recorder;
//! `histogram!` of a name that was registered as a summary writes to the summary.
//!
//! # Cost
//!
//! A handle is an atomic update, a summary's a lock of its own. [`Family::with`] and [`Metrics::time`] look a series up: a read lock and a
//! hash, no allocation, once the series is there. Keep the handle where the labels do not change. Off, nothing is looked up, read
//! or allocated.
//!
//! # Limits
//!
//! The store's caps count here too: past 2 000 label sets of a metric (100 of a summary, [`max_series`](MetricBuilder::max_series) for
//! another number) one series with the value `overflow` takes the rest, and `bartizan_series_overflow_total{metric}` counts it. So label
//! values may come from users; but those that come first have the series.

mod builder;
mod cache;
mod family;
mod global;
mod labels;
mod summary;
#[cfg(test)]
mod tests;
mod timed;
mod timer;

pub use self::builder::MetricBuilder;
pub use self::family::{Family, Handle};
pub use self::global::{Metrics, time};
pub use self::labels::{LabelSet, LabelValue};
pub use self::summary::Summary;
pub use self::timed::Timed;
pub use self::timer::{Timer, Timings, TimingsBuilder};
