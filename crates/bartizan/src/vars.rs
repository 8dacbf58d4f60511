//! Reading the environment's variables, with errors that name them.

use std::time::Duration;

use bartizan_core::Trust;
use bartizan_health::ToolUrls;
use bartizan_log::Capture;

use crate::error::InitError;

/// Where variables are read from: the process's environment, or a test's table.
pub(crate) type Vars = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A variable's value, without blanks around it: a token out of a file often ends in a newline, which no header can bring. One that
/// is empty counts as unset.
pub(crate) fn get(vars: &Vars, name: &str) -> Option<String> {
    vars(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// A variable that says yes or no.
pub(crate) fn flag(vars: &Vars, name: &'static str) -> Result<Option<bool>, InitError> {
    let Some(value) = get(vars, name) else { return Ok(None) };
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(Some(true)),
        "false" | "0" | "no" | "off" => Ok(Some(false)),
        _ => Err(InitError::variable(name, &value, "true or false")),
    }
}

/// A variable that is a number, an address or the like.
pub(crate) fn parsed<T: std::str::FromStr>(
    vars: &Vars,
    name: &'static str,
    form: &'static str,
) -> Result<Option<T>, InitError> {
    let Some(value) = get(vars, name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| InitError::variable(name, &value, form))
}

/// The longest time that a variable may give: past this it is a mistake.
const LONGEST: Duration = Duration::from_hours(1);

/// A variable that gives a time.
pub(crate) fn duration(vars: &Vars, name: &'static str) -> Result<Option<Duration>, InitError> {
    let Some(value) = get(vars, name) else { return Ok(None) };
    let parsed = match value.as_str() {
        "0" => Ok(Duration::ZERO),
        value => humantime::parse_duration(value),
    };
    match parsed {
        Ok(duration) if duration <= LONGEST => Ok(Some(duration)),
        _ => Err(InitError::variable(
            name,
            &value,
            "a time with its unit such as 500ms, 5s or 1m30s, at most 1h, or 0",
        )),
    }
}

/// The URLs of `/health/tools`.
pub(crate) fn tools(vars: &Vars, mut tools: ToolUrls) -> Result<ToolUrls, InitError> {
    for (name, slot) in [
        ("GRAFANA_URL", &mut tools.grafana),
        ("PROMETHEUS_URL", &mut tools.prometheus),
        ("ALERTMANAGER_URL", &mut tools.alertmanager),
        ("FLOWER_URL", &mut tools.tasks),
    ] {
        let Some(value) = get(vars, name) else { continue };
        let is_url = value
            .parse::<http::Uri>()
            .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some());
        if !is_url {
            // A URL may carry a password: its value is not repeated.
            return Err(InitError::secret_variable(name, "a URL such as https://grafana.example.com"));
        }
        *slot = Some(value);
    }
    Ok(tools)
}

/// `LOG_BODIES`: when bodies are logged, or that they are not.
pub(crate) fn capture(vars: &Vars, capture: Option<Capture>) -> Result<Option<Capture>, InitError> {
    let Some(value) = get(vars, "LOG_BODIES") else { return Ok(capture) };
    if value.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    match value.parse() {
        Ok(when) => Ok(Some(capture.unwrap_or_default().when(when))),
        Err(_) => Err(InitError::variable(
            "LOG_BODIES",
            &value,
            "off, error, failure, slow, error_or_slow or always",
        )),
    }
}

/// `TRUSTED_PROXIES`: addresses and networks, separated by commas.
pub(crate) fn trusted_proxies(vars: &Vars) -> Result<Option<Trust>, InitError> {
    let Some(value) = get(vars, "TRUSTED_PROXIES") else { return Ok(None) };
    let networks = value.split(',').map(str::trim).filter(|network| !network.is_empty());
    Trust::proxies(networks).map(Some).map_err(|_| {
        InitError::variable("TRUSTED_PROXIES", &value, "addresses or networks, such as 10.0.0.0/8,192.0.2.7")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(name: &'static str, value: &'static str) -> Box<Vars> {
        Box::new(move |asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn flags_are_read_generously_and_refused_clearly() {
        for (value, expected) in [("true", Some(true)), ("OFF", Some(false)), (" 1 ", Some(true)), ("", None)]
        {
            assert_eq!(
                flag(&vars("ENABLE_METRICS", value), "ENABLE_METRICS").unwrap(),
                expected,
                "{value:?}"
            );
        }
        let error = flag(&vars("ENABLE_METRICS", "perhaps"), "ENABLE_METRICS").unwrap_err().to_string();
        assert!(
            error.contains("ENABLE_METRICS") && error.contains("perhaps") && error.contains("true or false")
        );
    }

    #[test]
    fn bodies_are_logged_when_the_environment_says_so() {
        let read = |value, code| capture(&vars("LOG_BODIES", value), code).map(|read| format!("{read:?}"));
        for (value, expected) in
            [("error", "when: Error,"), ("Slow ", "when: Slow,"), ("always", "when: Always,")]
        {
            assert!(read(value, None).unwrap().contains(expected), "{value}");
        }
        let own = || Some(Capture::new().limit(77));
        let changed = read("failure", own()).unwrap();
        assert!(changed.contains("limit: 77") && changed.contains("when: Failure"), "{changed}");
        assert_eq!(read("off", own()).unwrap(), "None");
        assert!(read("", own()).unwrap().contains("limit: 77"));
        let error = read("yes", None).unwrap_err().to_string();
        assert!(error.contains("LOG_BODIES") && error.contains("error_or_slow"), "{error}");
    }

    #[test]
    fn blanks_around_a_value_do_not_count() {
        assert_eq!(get(&vars("METRICS_TOKEN", " s3cret\n"), "METRICS_TOKEN").as_deref(), Some("s3cret"));
        assert_eq!(get(&vars("METRICS_TOKEN", "\n"), "METRICS_TOKEN"), None);
    }

    #[test]
    fn times_have_units() {
        for (value, expected) in [
            ("5s", 5_000),
            (" 500ms ", 500),
            ("1m30s", 90_000),
            ("1m 30s", 90_000),
            ("0", 0),
            ("0s", 0),
            ("1h", 3_600_000),
        ] {
            let parsed = duration(&vars("DRAIN_DELAY", value), "DRAIN_DELAY").unwrap();
            assert_eq!(parsed, Some(Duration::from_millis(expected)), "{value:?}");
        }
        assert_eq!(duration(&vars("DRAIN_DELAY", " "), "DRAIN_DELAY").unwrap(), None);
        for value in ["5", "-1s", "soon", "2h", "5 parsecs", "99999999999999999999s", "1.2.3s"] {
            let error = duration(&vars("DRAIN_DELAY", value), "DRAIN_DELAY").unwrap_err().to_string();
            assert!(
                error.contains("DRAIN_DELAY") && error.contains("500ms") && error.contains(value),
                "{error}"
            );
        }
    }

    #[test]
    fn a_url_that_is_none_is_named_but_not_repeated() {
        let error = tools(&vars("GRAFANA_URL", "grafana:hunter2@host"), ToolUrls::default()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("GRAFANA_URL") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn proxies_are_a_list() {
        assert!(trusted_proxies(&vars("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7")).unwrap().is_some());
        let error = trusted_proxies(&vars("TRUSTED_PROXIES", "10.0.0.0/8,the-lb")).unwrap_err().to_string();
        assert!(error.contains("TRUSTED_PROXIES") && error.contains("10.0.0.0/8,192.0.2.7"), "{error}");
    }
}
