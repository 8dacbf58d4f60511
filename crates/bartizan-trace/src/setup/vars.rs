//! Reads variables of one kind or another; an empty one counts as not set, and the case of a name out of a list does not matter,
//! as OpenTelemetry has it.

use std::str::FromStr;
use std::time::Duration;

use super::error::{SetupError, shown};

/// The longest time that any setting may name.
const LONGEST: u64 = 600_000;

/// Looks variables up by name.
pub(crate) struct Vars<F>(pub(crate) F);

impl<F: Fn(&str) -> Option<String>> Vars<F> {
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The first of several variables that is set, with its name.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names.iter().find_map(|name| self.text(name).map(|value| (*name, value)))
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, SetupError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(SetupError::invalid(name, shown(&value), "true or false", "correct it or unset it")),
        }
    }

    /// The longest that something may take. Zero is no limit to OpenTelemetry, and the longest time to us.
    pub(super) fn timeout(&self, names: &[&'static str]) -> Result<Option<Duration>, SetupError> {
        let longest = Duration::from_millis(LONGEST);
        Ok(self.milliseconds(names)?.map(|time| if time.is_zero() { longest } else { time }))
    }

    pub(super) fn milliseconds(&self, names: &[&'static str]) -> Result<Option<Duration>, SetupError> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        match value.parse() {
            Ok(millis @ 0..=LONGEST) => Ok(Some(Duration::from_millis(millis))),
            _ => Err(SetupError::invalid(
                name,
                shown(&value),
                "a whole number of milliseconds from 0 to 600000",
                "write 10000 for ten seconds",
            )),
        }
    }

    pub(super) fn number<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
        valid: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, SetupError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        match value.parse() {
            Ok(number) if valid(&number) => Ok(Some(number)),
            _ => Err(SetupError::invalid(name, shown(&value), expected, "correct it or unset it")),
        }
    }
}
