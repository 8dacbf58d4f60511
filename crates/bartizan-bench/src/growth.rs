//! What grows with what: series, header fields, bodies, threads, scrapes, time without a scrape.

pub(crate) mod memory;
pub mod scrape;
pub(crate) mod threads;

use crate::measure::{self, Counts};
use crate::report::{Options, Table, grouped, median, range};
use crate::stacks::{self, Stack};
use crate::subject::Shape;

/// Stores that are scraped, by what they are called in the table.
const STORES: &[(&str, &str)] = &[
    ("bartizan", "bartizan"),
    #[cfg(feature = "peers")]
    ("exporter", "metrics-exporter-prometheus"),
];

/// Stacks that keep metrics, and nothing that reads them.
const UNSCRAPED: &[&str] = &[
    "red",
    "whole-out",
    #[cfg(feature = "peers")]
    "prometheus",
];

/// Measures everything, and makes the tables.
pub fn run(options: &Options) -> String {
    measure::build();
    let rounds = options.rounds.unwrap_or(3);
    let sections = [
        ("Live series: requests to so many routes in turn, over a bare router with as many", series(rounds)),
        ("Header fields logged, over a bare router with as many", headers(rounds)),
        ("Streamed bodies, over the bare router", bodies(rounds)),
        ("Threads on the same route: processor time of a request", several_threads(rounds)),
        ("Scrapes of histograms with three labels and eleven buckets", scrapes(rounds)),
        ("Resident memory over ten million requests that nobody scraped", unscraped()),
    ];
    sections.map(|(title, table)| format!("{title}:\n\n{table}")).join("\n")
}

fn series(rounds: usize) -> String {
    let mut table = Table::new(&["stack", "routes", "+ ns", "+ allocations", "+ instructions"]);
    for name in ["red", "whole-out"] {
        for routes in [1, 10, 1_000, 10_000] {
            let (ns, counts) = over_bare(stacks::named(name), Shape { routes, ..Shape::USUAL }, rounds);
            table.row([
                stacks::named(name).what.to_owned(),
                grouped(f64::from(routes)),
                grouped(ns),
                counts.allocations.to_string(),
                grouped(counts.instructions as f64),
            ]);
        }
    }
    table.finish()
}

fn headers(rounds: usize) -> String {
    let mut table = Table::new(&["fields", "+ ns", "+ allocations", "+ instructions"]);
    for headers in [1, 8, 64] {
        let (ns, counts) = over_bare(stacks::named("log-headers"), Shape { headers, ..Shape::USUAL }, rounds);
        let instructions = grouped(counts.instructions as f64);
        table.row([headers.to_string(), grouped(ns), counts.allocations.to_string(), instructions]);
    }
    table.finish()
}

fn bodies(rounds: usize) -> String {
    let mut table = Table::new(&[
        "stack",
        "chunks of bytes",
        "+ ns",
        "+ allocations",
        "+ instructions",
        "+ instructions a chunk",
    ]);
    for name in ["whole-out", "whole"] {
        let stack = stacks::named(name);
        let mut first = None;
        // 1 KB, twice 64 KB and twice 1 MB: what depends on chunks is told from what depends on bytes.
        for (chunks, chunk) in [(1, 1 << 10), (1, 1 << 16), (64, 1 << 10), (16, 1 << 16), (1_024, 1 << 10)] {
            let (ns, counts) = over_bare(stack, Shape { chunks, chunk, ..Shape::USUAL }, rounds);
            let instructions = counts.instructions as f64;
            let first = *first.get_or_insert(instructions);
            let a_chunk = if chunks == 1 {
                String::new()
            } else {
                grouped((instructions - first) / (chunks - 1) as f64)
            };
            table.row([
                stack.what.to_owned(),
                format!("{} × {}", grouped(chunks as f64), grouped(chunk as f64)),
                grouped(ns),
                counts.allocations.to_string(),
                grouped(instructions),
                a_chunk,
            ]);
        }
    }
    table.finish()
}

fn several_threads(rounds: usize) -> String {
    let mut table =
        Table::new(&["stack", "one thread, ns a request", "two threads, ns a request", "ratio (range)"]);
    for name in ["bare", "log", "red", "whole-out"] {
        let stack = stacks::named(name);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            one.push(measure::work("threads:1", stack, Shape::USUAL)[0]);
            two.push(measure::work("threads:2", stack, Shape::USUAL)[0]);
        }
        let ratios: Vec<f64> = one.iter().zip(&two).map(|(one, two)| two / one).collect();
        let (least, most) = range(&ratios);
        table.row([
            stack.what.to_owned(),
            grouped(median(&one)),
            grouped(median(&two)),
            format!("{:.2} ({least:.2} to {most:.2})", median(&ratios)),
        ]);
    }
    table.finish()
}

fn scrapes(rounds: usize) -> String {
    let mut table =
        Table::new(&["store", "series", "ms (range)", "output, KB", "held at most, KB", "of the output"]);
    for (store, what) in STORES {
        for series in ["1000", "10000", "50000"] {
            let times: Vec<f64> =
                (0..rounds).map(|_| scrape::measured("bartizan-bench", store, series)[0]).collect();
            let memory: Vec<f64> = scrape::measured("allocations", store, series);
            let [output, held] = memory[..] else { panic!("{memory:?}") };
            let (least, most) = range(&times);
            table.row([
                (*what).to_owned(),
                grouped(series.parse().unwrap()),
                format!("{:.1} ({least:.1} to {most:.1})", median(&times)),
                grouped(output / 1e3),
                grouped(held / 1e3),
                format!("{:.2}", held / output),
            ]);
        }
    }
    table.finish()
}

fn unscraped() -> String {
    let mut table =
        Table::new(&["stack", "after 100 000 requests, KB", "after 10 000 000 more, KB", "growth, KB"]);
    for name in UNSCRAPED {
        let stack = stacks::named(name);
        let measured = measure::work("memory:10000000", stack, Shape::USUAL);
        let [before, after] = measured[..] else { panic!("{measured:?}") };
        table.row([stack.what.to_owned(), grouped(before), grouped(after), grouped(after - before)]);
    }
    table.finish()
}

/// What a stack adds to the bare router in this shape: nanoseconds, and counts.
fn over_bare(stack: Stack, shape: Shape, rounds: usize) -> (f64, Counts) {
    let bare = stacks::named(stack.over);
    let time = |stack| measure::work("time", stack, shape)[0];
    let pairs: Vec<f64> = (0..rounds).map(|_| time(stack) - time(bare)).collect();
    (median(&pairs), measure::count(stack, shape).over(measure::count(bare, shape)))
}
