//! What a request for a probe asks for beside its path: the form of the answer, and what to leave out.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header::ACCEPT, request::Parts};
use percent_encoding::percent_decode_str;

use crate::{Probe, Report, answer::health_json::HEALTH_JSON, exposure::Sight};

/// No registry has more checks by default; who excludes more has no registry in mind.
const MAX_EXCLUDED: usize = 256;

/// What an answer is about, for whom, how it is written, and without what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    pub(crate) probe: Probe,
    pub(crate) sight: Sight,
    pub(crate) form: Form,
    pub(crate) excluded: Excluded,
}

impl Ask {
    pub(crate) fn new(probe: Probe, sight: Sight, parts: &Parts) -> Self {
        let form = Form::of(&probe, &parts.uri, &parts.headers);
        Self { probe, sight, form, excluded: Excluded::of(parts, sight) }
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    HealthJson,
    Verbose,
}

impl Form {
    pub(crate) fn of(probe: &Probe, uri: &Uri, headers: &HeaderMap) -> Self {
        let has_text = !matches!(probe, Probe::Detailed | Probe::Tools | Probe::Config);
        if has_text && uri.query().is_some() && pairs(uri).any(|(name, _)| name == "verbose") {
            Self::Verbose
        } else if !matches!(probe, Probe::Tools | Probe::Config) && prefers_health_json(headers) {
            Self::HealthJson
        } else {
            Self::Json
        }
    }
}

/// The checks that `?exclude=` names, sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Excluded(Vec<String>);

impl Excluded {
    /// Nothing for who may not see names: what it leaves out would tell how a check is.
    pub(crate) fn of(parts: &Parts, sight: Sight) -> Self {
        if sight < Sight::Names {
            return Self::default();
        }
        let values = pairs(&parts.uri).filter(|(name, _)| name == "exclude").take(MAX_EXCLUDED);
        let mut names: Vec<_> =
            values.filter(|(_, value)| !value.is_empty()).map(|(_, value)| value.into_owned()).collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.binary_search_by(|excluded| (**excluded).cmp(name)).is_ok()
    }

    /// The names that are no check's, quoted and escaped.
    pub(crate) fn unknown(&self, report: &Report) -> Vec<String> {
        let known = |name: &str| report.checks.iter().any(|check| *check.name == *name);
        self.0.iter().filter(|name| !known(name)).map(|name| format!("{name:?}")).collect()
    }
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    uri.query().into_iter().flat_map(|query| query.split('&')).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// Whether `application/health+json` is asked for by its name, and no less than `application/json` is.
fn prefers_health_json(headers: &HeaderMap) -> bool {
    // Most ask for anything and need no closer look. With a prober's few headers, this is a third of a look-up.
    let by_name =
        |(name, value): (&HeaderName, &HeaderValue)| name == ACCEPT && value.as_bytes().contains(&b'+');
    if !headers.iter().any(by_name) {
        return false;
    }
    let (mut plain, mut health) = (0.0, 0.0);
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
        let mut weights = parameters.split(';').filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
        });
        let weight = weights.next().unwrap_or(1.0);
        if kind.trim().eq_ignore_ascii_case(HEALTH_JSON) {
            health = weight;
        } else if kind.trim().eq_ignore_ascii_case("application/json") {
            plain = weight;
        }
    }
    health > 0.0 && health >= plain
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn form(probe: &Probe, uri: &str, accept: &[&str]) -> Form {
        let request = accept.iter().fold(Request::get(uri), |request, value| request.header(ACCEPT, *value));
        let request = request.body(()).unwrap();
        Form::of(probe, request.uri(), request.headers())
    }

    #[test]
    fn health_json_is_for_who_asks_for_it_by_name() {
        for accept in [
            "application/health+json",
            "APPLICATION/Health+JSON; charset=utf-8",
            "application/health+json, application/json",
            "text/html, application/json;q=0.9, application/health+json;q=0.9",
            "*/*, application/health+json;q=0.1",
        ] {
            assert_eq!(form(&Probe::Health, "/health", &[accept]), Form::HealthJson, "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/json, application/health+json;q=0.5",
            "application/health+json;q=0",
            "application/health+json;q=nan",
            "application/health+json;q=x",
            "application/health+jsonx",
        ] {
            assert_eq!(form(&Probe::Health, "/health", &[accept]), Form::Json, "{accept}");
        }
        let both = ["text/html", "application/health+json"];
        assert_eq!(form(&Probe::Ready, "/readyz", &both), Form::HealthJson);
        assert_eq!(form(&Probe::Tools, "/health/tools", &both), Form::Json);
        assert_eq!(form(&Probe::Config, "/observability/config", &both), Form::Json);
    }

    #[test]
    fn verbose_is_a_name_in_the_query() {
        for query in ["verbose", "verbose=1", "a=b&verbose=", "exclude=db&verbose"] {
            assert_eq!(form(&Probe::Ready, &format!("/readyz?{query}"), &[]), Form::Verbose, "{query}");
        }
        for query in ["", "verboses", "a=verbose", "Verbose"] {
            assert_eq!(form(&Probe::Ready, &format!("/readyz?{query}"), &[]), Form::Json, "{query}");
        }
        assert_eq!(form(&Probe::Tools, "/health/tools?verbose", &[]), Form::Json);
    }

    #[test]
    fn excluded_names_are_decoded_bounded_and_for_who_may_see_names() {
        let excluded = |query: &str, sight| {
            let request = Request::get(format!("/readyz?{query}")).body(()).unwrap();
            Excluded::of(&request.into_parts().0, sight).0.into_iter().collect::<Vec<_>>()
        };
        let query = "exclude=db&exclude=module%3Abilling&exclude=a+b&exclude=&exclude&x=y&exclude=%ff";
        assert_eq!(excluded(query, Sight::Names), ["a b", "db", "module:billing", "\u{fffd}"]);
        assert!(excluded(query, Sight::Status).is_empty());
        let many: Vec<_> = (0..1_000).map(|i| format!("exclude={i}")).collect();
        assert_eq!(excluded(&many.join("&"), Sight::All).len(), MAX_EXCLUDED);
    }
}
