//! The JSON masker on a document of 1 MB, beside what it replaces.
//!
//! `cargo bench -p bartizan-mask --bench json`
//!
//! | column | what is measured |
//! |---|---|
//! | `stream` | [`bartizan_mask::JsonMasker`] with the default names, in chunks of 16 KiB |
//! | `round trip` | `serde_json` parses into a `Value` and writes it back; nothing is masked |
//! | `tree` | the same with redaction of a list of paths in between, as `pino` does, which hides less: no name at any depth |
//!
//! The medians of 31 rounds, in which the columns take turns. Then the peak of what `stream` holds, for documents of 1 MB and 8 MB.
//!
//! Reference figures are in the crate's documentation.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bartizan_mask::{JsonEnd, Masker};
use serde_json::{Value, json};

const ROUNDS: usize = 31;
const CHUNK: usize = 16 * 1024;

/// Paths as one would list them for `pino`: `*` stands for the items of an array.
const PATHS: &[&[&str]] = &[
    &["orders", "*", "user", "password"],
    &["orders", "*", "user", "address", "phone_token"],
    &["orders", "*", "card", "cvv"],
    &["orders", "*", "card", "card_number"],
];

fn document(bytes: usize) -> String {
    let mut orders = Vec::new();
    let mut length = 0;
    while length < bytes {
        let n = orders.len();
        let order = json!({
            "id": format!("ord_{n:08}"),
            "created_at": "2026-11-21T08:00:00.123Z",
            "status": "paid",
            "total": 1234.56 + n as f64,
            "currency": "EUR",
            "user": {
                "id": n,
                "name": "Ada Lovelace",
                "password": "hunter2hunter2",
                "email": "ada@example.org",
                "address": {"street": "12 \"Main\" Street", "city": "Zürich", "zip": "8001", "phone_token": "4f2a9c"},
            },
            "card": {"card_number": "4111111111111111", "cvv": 123, "expires": "12/29", "brand": "visa"},
            "items": [
                {"sku": "A-100", "title": "A book about analytical engines", "quantity": 2, "price": 19.9, "gift": false},
                {"sku": "B-200", "title": "Notes, with a translation\nand more", "quantity": 1, "price": 5, "gift": null},
            ],
            "note": "Leave it at the door, please. Nobody is at home before six in the evening on weekdays.",
        });
        length += order.to_string().len() + 1;
        orders.push(order);
    }
    json!({ "orders": orders }).to_string()
}

fn stream(masker: &Masker, text: &str, out: &mut Vec<u8>) {
    let mut json = masker.json();
    text.as_bytes().chunks(CHUNK).for_each(|chunk| json.push(chunk, out));
    assert_eq!(json.finish(false, out), JsonEnd::Complete);
}

fn redact(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else {
        *value = Value::String("[REDACTED]".into());
        return;
    };
    match value {
        Value::Array(items) if *first == "*" => items.iter_mut().for_each(|item| redact(item, rest)),
        Value::Object(fields) => fields.get_mut(*first).into_iter().for_each(|field| redact(field, rest)),
        _ => {}
    }
}

/// What writes a document.
type Run<'r> = &'r dyn Fn(&mut Vec<u8>);

/// The medians of what is run in turns, so that other load slows all alike.
fn medians<const N: usize>(runs: [Run<'_>; N]) -> [Duration; N] {
    let mut times = [const { Vec::new() }; N];
    let mut out = Vec::new();
    for _ in 0..ROUNDS {
        for (run, times) in runs.iter().zip(&mut times) {
            out.clear();
            let started = Instant::now();
            run(&mut out);
            times.push(started.elapsed());
            black_box(&out);
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    })
}

#[allow(clippy::print_stdout)]
fn main() {
    let text = document(1_000_000);
    let masker = Masker::default();
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let write = |out: &mut Vec<u8>, value: &Value| serde_json::to_writer(out, value).unwrap_or_default();
    let [stream_time, round_trip, tree] = medians([
        &|out| stream(&masker, black_box(&text), out),
        &|out| write(out, &parse(black_box(&text))),
        &|out| {
            let mut value = parse(black_box(&text));
            for path in PATHS {
                redact(&mut value, path);
            }
            write(out, &value);
        },
    ]);
    println!("document of {} bytes", text.len());
    println!("{:<12} {:>9} {:>8} {:>8}", "", "ms", "MB/s", "of it");
    for (name, time) in [("stream", stream_time), ("round trip", round_trip), ("tree", tree)] {
        let seconds = time.as_secs_f64();
        let rate = text.len() as f64 / 1e6 / seconds;
        println!(
            "{name:<12} {:>9.3} {rate:>8.0} {:>8.2}",
            seconds * 1e3,
            stream_time.as_secs_f64() / seconds
        );
    }
    for bytes in [1_000_000, 8_000_000] {
        let text = document(bytes);
        // The output is counted apart: it goes wherever the caller sends it.
        let mut out = Vec::with_capacity(2 * CHUNK);
        let held = allocation_counter::measure(|| {
            let mut json = masker.json();
            for chunk in text.as_bytes().chunks(CHUNK) {
                json.push(chunk, &mut out);
                out.clear();
            }
            assert_eq!(json.finish(false, &mut out), JsonEnd::Complete);
        });
        println!(
            "{:>4} MB: {} bytes held at most, {} allocations",
            bytes / 1_000_000,
            held.bytes_max,
            held.count_total
        );
    }
}
