//! Runs wrk and h2load, and reads what they print.

use std::ffi::OsStr;
use std::fmt;
use std::process::{Command, Stdio};

use crate::job::Parent;
use crate::report::median;
use crate::subject::HEADERS;

/// What a few seconds of load showed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    pub(super) requests: f64,
    pub(super) requests_a_second: f64,
    /// User and system time of the server, a request.
    pub(super) cpu_micros: f64,
    pub(super) p50_micros: f64,
    pub(super) p99_micros: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http1 => "HTTP/1.1, wrk, 32 connections",
            Self::Http2 => "HTTP/2, h2load, 4 connections of 8 streams",
        })
    }
}

impl Protocol {
    /// So many seconds of requests to this URL, from core 1.
    pub(super) fn load(self, url: &str, parent: Parent, seconds: u32) -> Load {
        let headers = HEADERS.into_iter().filter(|(name, _)| *name != "host");
        let headers = headers.chain(parent.header().map(|value| ("traceparent", value)));
        let headers = headers.flat_map(|(name, value)| ["-H".to_owned(), format!("{name}: {value}")]);
        match self {
            Self::Http1 => {
                let mut wrk = pinned(1, "wrk");
                wrk.args(["-t1", "-c32", "--latency", &format!("-d{seconds}s")]).args(headers).arg(url);
                read_wrk(&output(&mut wrk))
            }
            Self::Http2 => {
                let log = std::env::temp_dir().join(format!("bartizan-bench-{}.log", std::process::id()));
                let _ = std::fs::remove_file(&log);
                let mut h2load = pinned(1, "h2load");
                h2load.args(["-t1", "-c4", "-m8", &format!("-D{seconds}")]).args(headers);
                h2load.arg(format!("--log-file={}", log.display())).arg(url);
                let printed = output(&mut h2load);
                let logged = std::fs::read_to_string(&log).unwrap();
                std::fs::remove_file(&log).unwrap();
                read_h2load(&printed, &logged)
            }
        }
    }
}

/// A command that runs on this core only.
pub(super) fn pinned(core: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

fn output(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} failed: is it installed (wrk, nghttp2-client)?");
    String::from_utf8(output.stdout).unwrap()
}

fn read_wrk(text: &str) -> Load {
    assert!(!text.contains("Non-2xx"), "{text}");
    let after = |word: &str| {
        let line =
            text.lines().find_map(|line| line.trim().strip_prefix(word)).unwrap_or_else(|| panic!("{text}"));
        line.trim().to_owned()
    };
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in ")).unwrap().0;
    Load {
        requests: requests.parse().unwrap(),
        requests_a_second: after("Requests/sec:").parse().unwrap(),
        cpu_micros: 0.0,
        p50_micros: micros(&after("50%")),
        p99_micros: micros(&after("99%")),
    }
}

fn micros(text: &str) -> f64 {
    for (unit, factor) in [("us", 1.0), ("ms", 1e3), ("s", 1e6)] {
        if let Some(number) = text.strip_suffix(unit) {
            return number.parse::<f64>().unwrap() * factor;
        }
    }
    panic!("{text:?} is no duration");
}

fn read_h2load(printed: &str, logged: &str) -> Load {
    let line =
        printed.lines().find(|line| line.starts_with("finished in ")).unwrap_or_else(|| panic!("{printed}"));
    let rate = line.split(", ").nth(1).and_then(|part| part.strip_suffix(" req/s")).unwrap();
    let statuses = printed.lines().find_map(|line| line.strip_prefix("status codes: ")).unwrap();
    assert!(statuses.contains("0 3xx, 0 4xx, 0 5xx"), "{printed}");
    let mut micros: Vec<f64> =
        logged.lines().filter_map(|line| line.split('\t').nth(2)?.parse().ok()).collect();
    micros.sort_by(f64::total_cmp);
    Load {
        requests: statuses.split(' ').next().unwrap().parse().unwrap(),
        requests_a_second: rate.parse().unwrap(),
        cpu_micros: 0.0,
        p50_micros: median(&micros),
        p99_micros: micros[micros.len() * 99 / 100],
    }
}

/// The processor time that a process has used.
pub(super) fn cpu_micros(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in parentheses, may have spaces.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    // Linux gives hundredths of a second.
    ticks * 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_prints_is_read() {
        let load = read_wrk(
            "  Latency Distribution\n     50%  301.00us\n     75%  320.00us\n     99%    1.52ms\n  \
             123456 requests in 4.00s, 20.00MB read\nRequests/sec:  30864.00\n",
        );
        assert_eq!((load.requests, load.requests_a_second), (123_456.0, 30_864.0));
        assert_eq!((load.p50_micros, load.p99_micros), (301.0, 1_520.0));
    }

    #[test]
    fn what_h2load_prints_is_read() {
        let load = read_h2load(
            "finished in 4.00s, 25000.00 req/s, 1.2MB/s\nstatus codes: 100000 2xx, 0 3xx, 0 4xx, 0 5xx\n",
            "1\t200\t100\n2\t200\t300\n3\t200\t200\n",
        );
        assert_eq!((load.requests, load.requests_a_second), (100_000.0, 25_000.0));
        assert_eq!((load.p50_micros, load.p99_micros), (200.0, 300.0));
    }
}
