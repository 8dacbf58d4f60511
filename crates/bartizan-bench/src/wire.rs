//! The stacks behind hyper on the loopback, under load: wrk for HTTP/1.1, h2load for HTTP/2.

mod load;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use axum::Router;

use self::load::{Load, Protocol};
use crate::measure;
use crate::report::{Options, Table, grouped, median, range};
use crate::stacks::{self, Stack};
use crate::subject::Shape;

/// What is measured where nothing is named.
const STACKS: [&str; 8] = ["bare", "correlation", "log", "red", "trace", "whole", "whole-out", "off"];
#[cfg(feature = "peers")]
const PEERS: [&str; 2] = ["peers-whole", "peers-whole-tuned"];
#[cfg(not(feature = "peers"))]
const PEERS: [&str; 0] = [];

/// Serves on a port of the loopback, which it prints.
pub(crate) async fn serve(router: Router) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    axum::serve(listener, router).await.unwrap();
}

/// Measures, and makes the tables.
pub fn run(options: &Options) -> String {
    let mut stacks = options.stacks();
    if stacks.len() == stacks::all().count() {
        stacks.retain(|stack| STACKS.contains(&stack.name) || PEERS.contains(&stack.name));
    }
    stacks.retain(|stack| stack.name != "bare" && stack.over == "bare");
    stacks.insert(0, stacks::named("bare"));
    let mut text = String::new();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut loads: BTreeMap<_, Vec<Load>> = BTreeMap::new();
        for round in 0..options.rounds.unwrap_or(8) {
            eprintln!("{protocol}, round {}", round + 1);
            for stack in &stacks {
                loads.entry(stack.name).or_default().push(under_load(*stack, protocol));
            }
        }
        write!(text, "{protocol}:\n\n{}\n", table(&stacks, &loads)).unwrap();
    }
    text
}

fn table(stacks: &[Stack], loads: &BTreeMap<&str, Vec<Load>>) -> String {
    let mut table = Table::new(&[
        "stack",
        "requests a second",
        "ratio to bare (range)",
        "CPU a request, us",
        "p50, us",
        "p99, us",
    ]);
    for stack in stacks {
        let all = |part: fn(&Load) -> f64| -> Vec<f64> { loads[stack.name].iter().map(part).collect() };
        // A noisy machine slows a whole round: compared is within it.
        let bare = loads["bare"].iter().map(|load| load.requests_a_second);
        let ratios: Vec<f64> =
            all(|load| load.requests_a_second).iter().zip(bare).map(|(own, bare)| own / bare).collect();
        let (least, most) = range(&ratios);
        table.row([
            stack.what.to_owned(),
            grouped(median(&all(|load| load.requests_a_second))),
            format!("{:.2} ({least:.2} to {most:.2})", median(&ratios)),
            format!("{:.1}", median(&all(|load| load.cpu_micros))),
            grouped(median(&all(|load| load.p50_micros))),
            grouped(median(&all(|load| load.p99_micros))),
        ]);
    }
    table.finish()
}

/// A server on core 0, and its load from core 1.
fn under_load(stack: Stack, protocol: Protocol) -> Load {
    let worker = measure::worker("serve", stack, Shape::USUAL);
    let mut pinned = load::pinned(0, worker.get_program());
    pinned.args(worker.get_args()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server(pinned.spawn().unwrap());
    let mut port = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("http://127.0.0.1:{}/users/42?verbose=1", port.trim());
    protocol.load(&url, stack.parent, 1);
    let before = load::cpu_micros(server.0.id());
    let mut load = protocol.load(&url, stack.parent, 4);
    load.cpu_micros = (load::cpu_micros(server.0.id()) - before) / load.requests;
    load
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
