//! `OTEL_PROPAGATORS`.

use super::{Format, Propagation};
use crate::setup::{SetupError, Vars, quoted};

const PROPAGATORS: &str = "OTEL_PROPAGATORS";
const FORM: &str = "a comma-separated list of tracecontext, baggage, b3, b3multi and jaeger, or none alone";

impl Propagation {
    /// Reads the standard variable `OTEL_PROPAGATORS` of the process: a comma-separated list.
    ///
    /// | name | reads and writes |
    /// |---|---|
    /// | `tracecontext` | [`Format::W3c`] |
    /// | `baggage` | W3C Baggage |
    /// | `b3` | [`Format::B3Single`] |
    /// | `b3multi` | [`Format::B3Multi`] |
    /// | `jaeger` | [`Format::Jaeger`] with its own baggage |
    /// | `none` | nothing |
    ///
    /// If it is set, it replaces all formats and the baggage that were chosen before; whether callers
    /// are [believed](Self::untrusted) stays. The first of the list that a request has counts.
    ///
    /// # Errors
    ///
    /// A name that is not in the table, or `none` beside others.
    pub fn read_env(self) -> Result<Self, SetupError> {
        // What is no Unicode must be seen, so that it fails where it matters.
        self.read_vars(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads [`OTEL_PROPAGATORS`](Self::read_env) from anywhere else: a file, a test.
    ///
    /// ```
    /// use bartizan_trace::{Format, Propagation};
    ///
    /// let read = Propagation::new().read_vars(|name| (name == "OTEL_PROPAGATORS").then(|| "b3multi,baggage".into()))?;
    /// assert_eq!(read, Propagation::new().without_w3c().with_b3_multi());
    /// # Ok::<(), bartizan_trace::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A name that is not in the table, or `none` beside others.
    pub fn read_vars(self, vars: impl Fn(&str) -> Option<String>) -> Result<Self, SetupError> {
        let list = Vars(vars).text(PROPAGATORS).unwrap_or_default();
        let mut read = Self { trusted: self.trusted, baggage: false, ..Self::of([]) };
        let (mut names, mut none) = (0, false);
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            names += 1;
            match name.to_ascii_lowercase().as_str() {
                "tracecontext" => read = read.with(Format::W3c),
                "baggage" => read.baggage = true,
                "b3" => read = read.with(Format::B3Single),
                "b3multi" => read = read.with(Format::B3Multi),
                "jaeger" => read = read.with(Format::Jaeger),
                "none" => none = true,
                _ => return Err(unknown(name)),
            }
        }
        match (names, none) {
            (0, _) => Ok(self),
            (1, _) | (_, false) => Ok(read),
            _ => Err(SetupError::invalid(
                PROPAGATORS,
                "has none beside others",
                FORM,
                "leave none or the others out",
            )),
        }
    }
}

fn unknown(name: &str) -> SetupError {
    let fix = match name {
        "xray" | "ottrace" => "xray and ottrace are not supported: have the caller send tracecontext too",
        _ => "correct the name, or unset the variable for tracecontext,baggage",
    };
    SetupError::invalid(PROPAGATORS, format!("has {}", quoted(name)), FORM, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::Context;

    fn read(value: &str) -> Result<Propagation, String> {
        let vars = |name: &str| (name == PROPAGATORS).then(|| value.to_owned());
        Propagation::new().read_vars(vars).map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_of_the_specification_is_the_default() {
        assert_eq!(read("tracecontext,baggage").unwrap(), Propagation::new());
        for unset in ["", " ", ","] {
            assert_eq!(read(unset).unwrap(), Propagation::new(), "{unset:?}");
        }
        assert_eq!(Propagation::new().read_vars(|_| None).unwrap(), Propagation::new());
    }

    #[test]
    fn every_standard_name_chooses_its_format_in_order() {
        let all = [Format::Jaeger, Format::B3Multi, Format::W3c, Format::B3Single];
        assert_eq!(read("jaeger, b3multi,tracecontext ,baggage,b3,b3").unwrap(), Propagation::of(all));
        assert_eq!(read("b3,baggage").unwrap(), Propagation::of([Format::B3Single]));
        assert_eq!(read("B3,Baggage").unwrap(), Propagation::of([Format::B3Single]));
    }

    #[test]
    fn w3c_baggage_is_read_only_if_it_is_listed() {
        let mut headers = http::HeaderMap::new();
        headers.insert("baggage", http::HeaderValue::from_static("a=1"));
        headers.insert("uberctx-b", http::HeaderValue::from_static("2"));
        let keys = |list: &str| {
            let baggage = read(list).unwrap().extract(&headers).baggage.unwrap_or_default();
            let mut keys: Vec<_> = baggage.iter().map(|(key, _)| key.as_str().to_owned()).collect();
            keys.sort();
            keys.join(" ")
        };
        assert_eq!(keys("jaeger"), "b");
        assert_eq!(keys("jaeger,baggage"), "a b");
        assert_eq!(keys("b3,baggage"), "a");
        assert_eq!(keys("tracecontext"), "");
    }

    #[test]
    fn none_reads_and_writes_nothing_and_stands_alone() {
        let none = read("none").unwrap();
        let mut headers = http::HeaderMap::new();
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert("traceparent", http::HeaderValue::from_static(parent));
        headers.insert("baggage", http::HeaderValue::from_static("a=1"));
        let extracted = none.extract(&headers);
        assert!(extracted.span_context.is_none() && extracted.baggage.is_none() && !extracted.rejected);
        let context = Propagation::new().extract(&headers).attach_to(&Context::new());
        let mut outgoing = http::HeaderMap::new();
        none.inject(&context, &mut outgoing);
        assert!(outgoing.is_empty());
        assert!(read("none,b3").unwrap_err().contains("none beside others"));
    }

    #[test]
    fn the_choice_to_believe_nobody_survives() {
        let edge = Propagation::new().untrusted().read_vars(|_| Some("b3,baggage".into())).unwrap();
        assert_eq!(edge, Propagation::of([Format::B3Single]).untrusted());
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_the_variable_the_form_and_the_fix() {
        assert_eq!(
            read("tracecontext,b4").unwrap_err(),
            "OTEL_PROPAGATORS has \"b4\", but must be a comma-separated list of tracecontext, baggage, b3, \
             b3multi and jaeger, or none alone; correct the name, or unset the variable for tracecontext,baggage"
        );
        for known in ["xray", "ottrace"] {
            let error = read(known).unwrap_err();
            assert!(error.starts_with(&format!("OTEL_PROPAGATORS has \"{known}\"")), "{error}");
            assert!(error.contains("not supported"), "{error}");
        }
    }
}
