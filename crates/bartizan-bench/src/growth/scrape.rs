//! What one scrape of a store costs: time, and the memory that it holds at most.

use std::process::Command;
use std::str::FromStr;
use std::time::Instant;

use axum::body::Body;
use bartizan::metrics::{Page, Store};
use http::HeaderMap;
use http_body_util::BodyExt;
use tokio::runtime::Builder;

use crate::measure;
use crate::report::median;

/// Eleven, as axum-prometheus has them.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Prints the milliseconds of a scrape: the median of a few.
pub fn time(store: &str, series: u32) {
    let scrape = filled(store, series);
    scrape();
    let milliseconds = (0..7).map(|_| {
        let start = Instant::now();
        scrape();
        start.elapsed().as_secs_f64() * 1e3
    });
    println!("{:.3}", median(&milliseconds.collect::<Vec<_>>()));
}

/// Prints the bytes of the output, and the bytes that one scrape holds at most, as this measures them.
pub fn memory(store: &str, series: u32, most_held: impl FnOnce(&mut dyn FnMut()) -> u64) {
    let scrape = filled(store, series);
    let mut output = 0;
    let held = most_held(&mut || output = scrape());
    println!("{output} {held}");
}

/// What a process of this program prints for such a store.
pub(super) fn measured<T: FromStr>(program: &str, store: &str, series: &str) -> Vec<T> {
    let program = std::env::current_exe().unwrap().with_file_name(program);
    measure::numbers(Command::new(program).args(["scrape", store, series]))
}

/// A store with so many series, as a function that scrapes it and tells the size of the output.
fn filled(store: &str, series: u32) -> Box<dyn Fn() -> usize> {
    let scrape: Box<dyn Fn() -> usize> = match store {
        "bartizan" => {
            let limit = series as usize + 1_000;
            let builder = Store::builder().default_buckets(&BUCKETS);
            let store = builder.max_series(limit).max_total_series(limit).build().unwrap();
            metrics::set_global_recorder(store.clone()).unwrap();
            let runtime = Builder::new_current_thread().build().unwrap();
            Box::new(move || runtime.block_on(drained(store.page(&HeaderMap::new()))))
        }
        #[cfg(feature = "peers")]
        "exporter" => {
            let builder = metrics_exporter_prometheus::PrometheusBuilder::new();
            let handle = builder.set_buckets(&BUCKETS).unwrap().install_recorder().unwrap();
            Box::new(move || handle.render().len())
        }
        _ => panic!("no store is called {store:?}"),
    };
    for n in 0..series {
        let labels =
            [("endpoint", format!("/users{n}/{{id}}")), ("method", "GET".into()), ("status", "200".into())];
        let histogram = metrics::histogram!("bench_duration_seconds", &labels);
        for value in [0.0002, 0.03, 0.7] {
            histogram.record(value);
        }
    }
    scrape
}

/// As a server sends it: frame by frame.
async fn drained(page: Page) -> usize {
    let mut body = page.into_response::<Body>().into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().into_data().map_or(0, |data| data.len());
    }
    bytes
}
