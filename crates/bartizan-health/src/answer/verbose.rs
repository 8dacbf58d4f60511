//! The text of `?verbose`, as the API server of Kubernetes prints it.

use std::fmt::Write;

use super::{Answer, Verdict, code, json::message};
use crate::{CheckReport, Report, Status, exposure::Sight, request::Excluded};

/// One line a check, then the verdict over those that are not excluded. `probe` is `readyz` or the like.
pub(crate) fn text(
    report: &Report,
    verdict: Verdict,
    sight: Sight,
    excluded: &Excluded,
    probe: &str,
) -> Answer {
    let good = verdict.of(&report.without(excluded));
    let mut text = String::new();
    for check in report.checks.iter().filter(|_| sight >= Sight::Names) {
        if excluded.contains(&check.name) {
            line(&mut text, format_args!("[+]{} excluded: ok", check.name));
        } else {
            self::check(&mut text, check, sight);
        }
    }
    if verdict == Verdict::Ready && report.draining {
        line(&mut text, format_args!("[-]shutdown failed: reason withheld"));
    }
    let unknown = excluded.unknown(report);
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        line(
            &mut text,
            format_args!("warn: some health checks cannot be excluded: no matches for {unknown}"),
        );
    }
    line(&mut text, format_args!("{probe} check {}", if good { "passed" } else { "failed" }));
    Answer::text(code(good), text)
}

/// One check, asked for by its name: counts as it is, whatever its criticality.
pub(crate) fn single(report: &Report, sight: Sight) -> Answer {
    let failed = report.checks.iter().find(|check| check.status == Status::Unhealthy);
    let Some(check) = failed else { return Answer::text(code(true), "ok".into()) };
    let mut text = String::new();
    self::check(&mut text, check, sight);
    Answer::text(code(false), text)
}

fn check(text: &mut String, check: &CheckReport, sight: Sight) {
    if check.status < Status::Unhealthy {
        line(text, format_args!("[+]{} ok", check.name));
    } else {
        let reason = message(check, sight).unwrap_or("reason withheld");
        line(text, format_args!("[-]{} failed: {reason}", check.name));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
