//! What the environment and the code say about a log.

use bartizan_log::{LogBuilder, LogError, LogFormat};
use tracing::{Level, debug, info, warn};

use crate::support::Trial;

type Variables = &'static [(&'static str, &'static str)];

fn builder(variables: Variables) -> LogBuilder {
    LogBuilder::new().sink(std::io::sink()).env(reader(variables))
}

fn reader(variables: Variables) -> impl Fn(&str) -> Option<String> {
    move |wanted| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
}

/// The levels and targets that come through.
fn seen(variables: Variables, filter: Option<&'static str>) -> Vec<String> {
    let trial = Trial::new().with(|builder| {
        let builder = builder.env(reader(variables));
        match filter {
            Some(filter) => builder.filter(filter),
            None => builder.filter("info"),
        }
    });
    let lines = trial.lines(|| {
        tracing::event!(target: "a", Level::ERROR, "x");
        warn!(target: "a", "x");
        info!(target: "a", "x");
        debug!(target: "a", "x");
        debug!(target: "b", "x");
    });
    lines
        .iter()
        .map(|line| format!("{}{}", line["target"].as_str().unwrap(), &line["level"].as_str().unwrap()[..1]))
        .collect()
}

#[test]
fn rust_log_goes_before_log_level_and_both_before_the_code() {
    assert_eq!(seen(&[], None), ["aE", "aW", "aI"]);
    assert_eq!(seen(&[], Some("warn,b=debug")), ["aE", "aW", "bD"]);
    assert_eq!(seen(&[("LOG_LEVEL", "debug")], Some("warn")), ["aE", "aW", "aI", "aD", "bD"]);
    assert_eq!(seen(&[("LOG_LEVEL", "debug"), ("RUST_LOG", "error")], None), ["aE"]);
    assert_eq!(seen(&[("RUST_LOG", "b")], None), ["bD"]);
    assert_eq!(seen(&[("RUST_LOG", " "), ("LOG_LEVEL", "")], None), ["aE", "aW", "aI"]);
}

#[test]
fn levels_may_have_the_names_that_other_platforms_use() {
    for (name, count) in [("WARNING", 2), ("Critical", 1), ("FATAL", 1), ("off", 0), (" Info ", 3)] {
        let level: Variables = vec![("LOG_LEVEL", name)].leak();
        assert_eq!(seen(level, None).len(), count, "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_named_with_the_form_and_the_fix() {
    let message = |variables: Variables| builder(variables).build().unwrap_err().to_string();
    let text = message(&[("RUST_LOG", "info,hyper=loud")]);
    assert!(text.starts_with("RUST_LOG=\"info,hyper=loud\"") && text.contains("info,hyper=warn"), "{text}");
    let text = message(&[("LOG_LEVEL", "verbose")]);
    assert!(text.starts_with("LOG_LEVEL=\"verbose\"") && text.contains("trace, debug, info"), "{text}");
    let text = message(&[("LOG_FORMAT", "xml")]);
    assert!(text.starts_with("LOG_FORMAT=\"xml\"") && text.contains("json, console, auto"), "{text}");
    let error = builder(&[]).filter("loud").build().unwrap_err();
    assert!(matches!(error, LogError::Level { setting: "filter", .. }), "{error}");
    let long: Variables = vec![("LOG_LEVEL", &*"x".repeat(10_000).leak())].leak();
    assert!(message(long).len() < 500);
}

#[test]
fn the_format_follows_the_variable_and_json_is_for_all_that_is_no_terminal() {
    let text = |variables: Variables, format| {
        Trial::new().with(|builder| builder.env(reader(variables)).format(format)).text(|| info!("hi"))
    };
    assert!(text(&[], LogFormat::Auto).starts_with('{'));
    assert!(!text(&[], LogFormat::Console).starts_with('{'));
    assert!(text(&[("LOG_FORMAT", "JSON")], LogFormat::Console).starts_with('{'));
    assert!(!text(&[("LOG_FORMAT", "console")], LogFormat::Json).starts_with('{'));
}

#[test]
fn directives_on_spans_work_through_the_filter() {
    let lines = Trial::new().with(|builder| builder.filter("warn,[work]=debug")).lines(|| {
        debug!("outside");
        tracing::info_span!("work").in_scope(|| debug!("inside"));
        tracing::info_span!("other").in_scope(|| debug!("inside"));
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message"], "inside");
}
