//! Configuration of a masker.

use std::collections::BTreeMap;

use crate::Masker;
use crate::defaults;
use crate::masker::DEFAULT_CENSOR;
use crate::names::{MAX_NAME_BYTES, Names, Reach, Rule, normalise};

/// The longest censor.
const MAX_CENSOR_BYTES: usize = 64;

/// Configures a [`Masker`]: names, exceptions, censor. Nothing is checked before
/// [`build`](Self::build).
///
/// ```
/// use bartizan_mask::Masker;
///
/// let masker = Masker::builder()
///     .names(["diagnosis", "salary"]) // also `last_diagnosis`, `monthlySalary`
///     .whole_name("code") // OAuth's `code`, but not `status_code`
///     .allow("next_token")
///     .censor("***")
///     .build()?;
/// assert_eq!(masker.query_cow("code=4f&status_code=200&salary=1"), "code=***&status_code=200&salary=***");
/// # Ok::<(), bartizan_mask::MaskError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MaskerBuilder {
    replaced: bool,
    names: Vec<(String, Reach)>,
    allowed: Vec<String>,
    censor: String,
    cookies_by_name: bool,
}

impl MaskerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            replaced: false,
            names: Vec::new(),
            allowed: Vec::new(),
            censor: DEFAULT_CENSOR.into(),
            cookies_by_name: false,
        }
    }

    /// Adds a sensitive name. It is masked as a whole name and as the last words of a longer one:
    /// `iban` hides `iban`, `customer_iban` and `customerIban`, but not `iban_valid`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push((name.into(), Reach::Words));
        self
    }

    /// Adds sensitive names, each as by [`name`](Self::name).
    pub fn names<I>(self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        names.into_iter().fold(self, Self::name)
    }

    /// Adds a sensitive name that is masked only when it is the whole name or its last `.` or `[]`
    /// segment: `code` hides `code` and `oauth.code`, but not `status_code`. For a default name this
    /// narrows what it hides.
    pub fn whole_name(mut self, name: impl Into<String>) -> Self {
        self.names.push((name.into(), Reach::Whole));
        self
    }

    /// Replaces the whole set: the default names and all that were added before. These names are
    /// masked as by [`name`](Self::name); exceptions made with [`allow`](Self::allow) stay.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::builder().replace_names(["diagnosis"]).build()?;
    /// assert!(masker.is_sensitive("diagnosis") && !masker.is_sensitive("password"));
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn replace_names<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.replaced = true;
        self.names.clear();
        self.names(names)
    }

    /// Shows the values of exactly this name, as a whole name or as the last segment. Longer names that
    /// end in it keep their own rule: after `allow("token")` a `user_token` is still masked.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::builder().allow("next_token").build()?;
    /// assert!(!masker.is_sensitive("nextToken") && masker.is_sensitive("token"));
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn allow(mut self, name: impl Into<String>) -> Self {
        self.allowed.push(name.into());
        self
    }

    /// The text in place of a masked value; default `[REDACTED]`. 1 to 64 visible ASCII characters that
    /// are safe in a header, in JSON and in a query: none of `"`, `\`, `&`, `;`, `#`, `%`.
    pub fn censor(mut self, censor: impl Into<String>) -> Self {
        self.censor = censor.into();
        self
    }

    /// Masks `cookie` and `set-cookie` headers cookie by cookie, by the cookie's name, and keeps the
    /// attributes of `set-cookie`. Default `false`: these headers are masked as a whole.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::builder().cookies_by_name(true).build()?;
    /// let mut line = String::new();
    /// masker.header("cookie", "theme=dark; app_session=4f", &mut line).unwrap();
    /// assert_eq!(line, "theme=dark; app_session=[REDACTED]");
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn cookies_by_name(mut self, by_name: bool) -> Self {
        self.cookies_by_name = by_name;
        self
    }

    /// Builds the masker.
    ///
    /// # Errors
    ///
    /// [`MaskError`], when a name is empty or too long, or the censor is unsafe in an output.
    pub fn build(self) -> Result<Masker, MaskError> {
        check_censor(&self.censor)?;
        let defaults = defaults::rules();
        let mut rules = if self.replaced { BTreeMap::new() } else { defaults.clone() };
        for (name, reach) in self.names {
            let name = check_name(&name)?;
            // A default name that is added or kept does not come to hide less.
            let default = defaults.get(&name).and_then(|rule| rule.reach).filter(|_| reach == Reach::Words);
            rules.entry(name).or_insert_with(Rule::default).reach = Some(default.unwrap_or(reach).max(reach));
        }
        for name in &self.allowed {
            rules.entry(check_name(name)?).or_insert_with(Rule::default).allowed = true;
        }
        Ok(Masker::new(Names::new(rules), &self.censor, self.cookies_by_name))
    }
}

fn check_name(name: &str) -> Result<Box<[u8]>, MaskError> {
    match normalise(name) {
        None => Err(MaskError::LongName { bytes: name.len() }),
        Some(normal) if normal.is_empty() => Err(MaskError::EmptyName { name: name.into() }),
        Some(normal) => Ok(normal),
    }
}

fn check_censor(censor: &str) -> Result<(), MaskError> {
    if !(1..=MAX_CENSOR_BYTES).contains(&censor.len()) {
        return Err(MaskError::CensorLength { bytes: censor.len() });
    }
    let unsafe_char = |c: &char| !c.is_ascii_graphic() || r#""\&;#%"#.contains(*c);
    censor.chars().find(unsafe_char).map_or(Ok(()), |found| Err(MaskError::CensorCharacter { found }))
}

/// Why a [`MaskerBuilder`] cannot be built.
///
/// ```
/// use bartizan_mask::{MaskError, Masker};
///
/// let error = Masker::builder().name("--").build().unwrap_err();
/// assert_eq!(error, MaskError::EmptyName { name: "--".into() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// A sensitive or allowed name has no letter and no digit.
    #[error("mask name {name:?} has no letter or digit: give the name of a field, such as \"iban\"")]
    EmptyName {
        /// The name as given.
        name: String,
    },
    /// A sensitive or allowed name is longer than 128 bytes.
    #[error("a mask name has {bytes} bytes: give the name of a field, of at most {MAX_NAME_BYTES}")]
    LongName {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The censor is empty or longer than 64 bytes.
    #[error("the mask censor has {bytes} bytes: give 1 to {MAX_CENSOR_BYTES}, such as \"[REDACTED]\"")]
    CensorLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The censor holds a character that would break a header, JSON or a query.
    #[error(
        "the mask censor holds {found:?}: give visible ASCII characters without \
         quotation mark, backslash, ampersand, semicolon, number sign or percent sign"
    )]
    CensorCharacter {
        /// The first such character.
        found: char,
    },
}

#[cfg(test)]
mod tests {
    use super::{MaskError, Masker};

    #[test]
    fn an_unsafe_censor_is_refused() {
        for (censor, found) in
            [("a b", ' '), ("\n", '\n'), ("\"x\"", '"'), ("\\", '\\'), ("a&b", '&'), ("…", '…')]
        {
            let error = Masker::builder().censor(censor).build().unwrap_err();
            assert_eq!(error, MaskError::CensorCharacter { found });
        }
        assert_eq!(Masker::builder().censor("").build().unwrap_err(), MaskError::CensorLength { bytes: 0 });
        assert!(Masker::builder().censor("*".repeat(64)).build().is_ok());
        assert!(Masker::builder().censor("*".repeat(65)).build().is_err());
    }

    #[test]
    fn a_name_that_cannot_match_is_refused() {
        for name in ["", " ", "-_.", "[]"] {
            assert_eq!(
                Masker::builder().name(name).build().unwrap_err(),
                MaskError::EmptyName { name: name.into() }
            );
        }
        assert!(Masker::builder().allow("").build().is_err());
        assert!(Masker::builder().name("n".repeat(128)).build().is_ok());
        let error = Masker::builder().name("n".repeat(129)).build().unwrap_err();
        assert!(error.to_string().contains("129"), "{error}");
    }

    #[test]
    fn a_default_name_that_is_added_again_hides_no_less() {
        let masker = Masker::builder().replace_names(["password", "card"]).build().unwrap();
        for name in ["dbpassword", "card", "loyalty_card"] {
            assert!(masker.is_sensitive(name), "{name}");
        }
        let masker = Masker::builder().whole_name("token").build().unwrap();
        assert!(masker.is_sensitive("token") && !masker.is_sensitive("page_token"));
        assert!(masker.is_sensitive("access_token"));
    }

    #[test]
    fn an_allowed_name_is_shown_and_names_that_end_in_it_are_not() {
        let masker = Masker::builder().allow("token").allow("csrf-token").build().unwrap();
        for name in ["token", "page.token", "csrf_token", "csrfToken"] {
            assert!(!masker.is_sensitive(name), "{name}");
        }
        for name in ["user_token", "access_token", "my_csrf_token"] {
            assert!(masker.is_sensitive(name), "{name}");
        }
    }
}
