//! What is written in place of a value that is hidden.

use std::borrow::Cow;

use crate::Masker;
use crate::names::Hide;

/// How many characters [`Action::KeepLast4`] keeps.
const KEPT: usize = 4;

/// The shortest value of which the last characters are kept: of a shorter one they tell too much.
const MIN_KEPT_BYTES: usize = 12;

/// What becomes of a value that is hidden.
///
/// ```
/// use bartizan_mask::{Action, Masker};
///
/// let masker = Masker::builder()
///     .name_as("iban", Action::KeepLast4)
///     .name_as("debug_dump", Action::Remove)
///     .path_as("user.mail", Action::Text("<mail>".into()))
///     .build()?;
/// let mut out = String::new();
/// let body = br#"{"iban": "DE89370400440532013000", "debug_dump": [1], "user": {"mail": "a@b.example"}}"#;
/// masker.body(Some("application/json"), None, body, false, &mut out);
/// assert_eq!(out, r#"{"iban":"[REDACTED]3000","user":{"mail":"<mail>"}}"#);
/// # Ok::<(), bartizan_mask::MaskError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The masker's [censor](crate::MaskerBuilder::censor) stands for the value.
    #[default]
    Censor,
    /// This text stands for the value; its form is that of a censor.
    Text(String),
    /// A member of a JSON object or an item of an array is left out; elsewhere the value becomes empty.
    Remove,
    /// The censor, and behind it the last four characters, if these are ASCII letters and digits and the value
    /// has at least 12 bytes and was not cut; else the censor alone.
    KeepLast4,
    /// `<key id>:<32 hex digits>`, an HMAC-SHA256 of the value under the masker's
    /// [key](crate::MaskerBuilder::pseudonym_key): the same value has the same pseudonym, and without the key
    /// nobody can tell it from a value. A value that was cut, an object or an array becomes the censor.
    #[cfg(feature = "hmac")]
    Pseudonym,
}

impl Action {
    /// What stands for a value of which nothing is known.
    fn fixed<'a>(&'a self, censor: &'a str) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Remove => "",
            _ => censor,
        }
    }
}

impl Masker {
    fn action(&self, hide: Hide) -> &Action {
        self.actions().get(usize::from(hide.0)).unwrap_or(&Action::Censor)
    }

    /// Whether nothing at all stands for a value that is hidden so.
    pub(crate) fn removes(&self, hide: Hide) -> bool {
        *self.action(hide) == Action::Remove
    }

    /// Whether what stands for a value depends on it.
    pub(crate) fn needs_value(&self, hide: Hide) -> bool {
        !matches!(self.action(hide), Action::Censor | Action::Text(_) | Action::Remove)
    }

    /// What stands for a value of which nothing is known.
    pub(crate) fn fixed(&self, hide: Hide) -> &str {
        self.action(hide).fixed(self.censor())
    }

    /// What stands for this value; for none, where it was hidden before.
    pub(crate) fn hidden(&self, hide: Hide, value: &str) -> Option<Cow<'_, str>> {
        let action = self.action(hide);
        let fixed = action.fixed(self.censor());
        if value == fixed {
            return None;
        }
        match action {
            Action::KeepLast4 => {
                // What ends within a character is no letter or digit.
                let kept = value.get(value.len().saturating_sub(KEPT)..).unwrap_or_default();
                let keeps = value.len() >= MIN_KEPT_BYTES
                    && kept.len() == KEPT
                    && kept.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if !keeps {
                    return Some(fixed.into());
                }
                let hidden = format!("{fixed}{kept}");
                (hidden != value).then(|| hidden.into())
            }
            #[cfg(feature = "hmac")]
            Action::Pseudonym => match self.keys() {
                Some(keys) => keys.pseudonym(value).map(Into::into),
                None => Some(fixed.into()),
            },
            _ => Some(fixed.into()),
        }
    }

    /// Whether what stands for a value under this name depends on the value, so that it has to be formatted for
    /// [`mask_value`](Self::mask_value).
    ///
    /// ```
    /// use bartizan_mask::{Action, Masker};
    ///
    /// let masker = Masker::builder().name_as("iban", Action::KeepLast4).build()?;
    /// assert!(masker.is_masked_by_value("iban") && !masker.is_masked_by_value("password"));
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn is_masked_by_value(&self, name: &str) -> bool {
        self.names().hides(name.as_bytes()).is_some_and(|hide| self.needs_value(hide))
    }

    /// What to write in place of the value under this name, counted as one masked value; `None` when it may be
    /// shown, or was masked before.
    ///
    /// As [`censor_for`](Self::censor_for), with actions that need the value. What may be shown by name still
    /// goes through [`text`](Self::text).
    ///
    /// ```
    /// use bartizan_mask::{Action, Masker};
    ///
    /// let masker = Masker::builder().name_as("iban", Action::KeepLast4).build()?;
    /// assert_eq!(masker.mask_value("iban", "DE89370400440532013000").unwrap(), "[REDACTED]3000");
    /// assert_eq!(masker.mask_value("user_id", "7"), None);
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn mask_value(&self, name: &str, value: &str) -> Option<Cow<'_, str>> {
        let hidden = self.hidden(self.names().hides(name.as_bytes())?, value)?;
        self.count(1);
        Some(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Masker};

    fn masker(action: Action) -> Masker {
        let builder = Masker::builder().name_as("iban", action);
        #[cfg(feature = "hmac")]
        let builder = builder.pseudonym_key("k1", b"a key of the tests");
        builder.build().unwrap()
    }

    /// The query, the JSON and the text `iban=value`, masked.
    fn places(masker: &Masker, value: &str) -> [String; 3] {
        let json = format!("{{\"iban\":\"{value}\"}}");
        let mut body = String::new();
        masker.body(Some("application/json"), None, json.as_bytes(), false, &mut body);
        let query = masker.query_cow(&format!("iban={value}")).into_owned();
        [query, body, masker.text_cow(&format!("an iban=\"{value}\" b")).into_owned()]
    }

    #[test]
    fn the_last_four_are_kept_of_a_long_value_only() {
        let masker = masker(Action::KeepLast4);
        for (value, hidden) in [
            ("DE89370400440532013000", "[REDACTED]3000"),
            ("123456789012", "[REDACTED]9012"),
            ("12345678901", "[REDACTED]"),
            ("123456789%41", "[REDACTED]"),
            ("12345678901-2", "[REDACTED]"),
            ("[REDACTED]3000", "[REDACTED]3000"),
            ("[REDACTED]", "[REDACTED]"),
        ] {
            let [query, json, text] = places(&masker, value);
            assert_eq!(query, format!("iban={hidden}"));
            assert_eq!(json, format!("{{\"iban\":\"{hidden}\"}}"));
            assert_eq!(text, format!("an iban=\"{hidden}\" b"));
        }
        let mut out = String::new();
        masker.body(Some("application/json"), None, b"{\"iban\": \"DE89370400440532013000", true, &mut out);
        masker.body(
            Some("application/x-www-form-urlencoded"),
            None,
            b"iban=DE89370400440532",
            true,
            &mut out,
        );
        masker.body(
            Some("application/json"),
            None,
            b"{\"iban\": 123456789012, \"b\": {\"iban\": []}}",
            false,
            &mut out,
        );
        let expected =
            r#"{"iban":"[REDACTED]"}iban=[REDACTED]{"iban":"[REDACTED]9012","b":{"iban":"[REDACTED]"}}"#;
        assert_eq!(out, expected);
    }

    #[test]
    fn a_removed_value_leaves_no_trace_but_its_name_where_it_must() {
        let masker = masker(Action::Remove);
        let [query, json, text] = places(&masker, "x");
        assert_eq!([query.as_str(), json.as_str(), text.as_str()], ["iban=", "{}", "an iban=\"\" b"]);
        let body =
            br#"[{"iban": [1], "a": 1}, {"a": 1, "iban": {"b": 2}, "c": 3}, {"iban": null}, {"iban": true}]"#;
        let mut out = String::new();
        masker.body(Some("application/json"), None, body, false, &mut out);
        assert_eq!(out, r#"[{"a":1},{"a":1,"c":3},{},{}]"#);
        assert_eq!(masker.mask_value("iban", "x").unwrap(), "");
        assert_eq!(masker.censor_for("iban"), Some(""));
    }

    #[test]
    fn a_text_of_its_own_stands_for_a_value() {
        let masker = masker(Action::Text("<iban>".into()));
        let [query, json, text] = places(&masker, "x");
        assert_eq!(
            [query.as_str(), json.as_str(), text.as_str()],
            ["iban=<iban>", "{\"iban\":\"<iban>\"}", "an iban=\"<iban>\" b"]
        );
        assert_eq!(masker.censor_for("iban"), Some("<iban>"));
        assert_eq!(masker.censor_for("pin"), Some("[REDACTED]"));
        assert!(Masker::builder().name_as("iban", Action::Text("a\"b".into())).build().is_err());
    }

    #[cfg(feature = "hmac")]
    #[test]
    fn a_pseudonym_is_the_same_wherever_the_value_stands() {
        let masker = masker(Action::Pseudonym);
        let pseudonym = masker.mask_value("iban", "a b").unwrap().into_owned();
        assert_eq!(masker.query_cow("iban=a+b&iban=a%20b"), format!("iban={pseudonym}&iban={pseudonym}"));
        let [_, json, text] = places(&masker, "a b");
        assert_eq!(json, format!("{{\"iban\":\"{pseudonym}\"}}"));
        assert_eq!(text, format!("an iban=\"{pseudonym}\" b"));
        assert_eq!(places(&masker, &pseudonym)[0], format!("iban={pseudonym}"), "masking is idempotent");
        let mut out = String::new();
        masker.body(Some("application/json"), None, b"{\"iban\": \"a b", true, &mut out);
        assert_eq!(out, "{\"iban\":\"[REDACTED]\"}");
    }
}
