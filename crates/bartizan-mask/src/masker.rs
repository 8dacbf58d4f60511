//! The masker itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Action;
use crate::builder::MaskerBuilder;
use crate::defaults;
#[cfg(feature = "hmac")]
use crate::error::MaskError;
use crate::header::CommonHeaders;
use crate::json::Paths;
use crate::names::Names;
use crate::policy::Policy;
#[cfg(feature = "hmac")]
use crate::pseudonym::Keys;
use crate::values::Values;

/// The censor where none is configured.
pub(crate) const DEFAULT_CENSOR: &str = "[REDACTED]";

/// Hides the values of sensitive names in everything that leaves the process.
///
/// Built once and shared: a clone is one more `Arc`. The default hides the frozen set of names
/// (see [the crate's table](crate#which-names)) behind `[REDACTED]`; [`builder`](Self::builder)
/// changes both.
///
/// ```
/// use bartizan_mask::Masker;
///
/// let masker = Masker::default();
/// let mut line = String::new();
/// let masked = masker.query("page=2&password=hunter2", &mut line)?;
/// assert_eq!((line.as_str(), masked), ("page=2&password=[REDACTED]", 1));
/// # Ok::<(), std::fmt::Error>(())
/// ```
#[derive(Clone)]
pub struct Masker {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) rules: Rules,
    pub(crate) policies: Box<[Policy]>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) headers: CommonHeaders,
}

/// What is hidden, and how.
pub(crate) struct Rules {
    pub(crate) names: Names,
    pub(crate) paths: Paths,
    pub(crate) values: Values,
    pub(crate) actions: Box<[Action]>,
    pub(crate) censor: Box<str>,
    pub(crate) cookies_by_name: bool,
    #[cfg(feature = "hmac")]
    pub(crate) keys: Option<Keys>,
}

/// What a masker and its policies have done.
#[derive(Default)]
pub(crate) struct Counters {
    masked: AtomicU64,
    placeholders: AtomicU64,
}

impl Masker {
    /// A builder that begins with the default names and the censor `[REDACTED]`.
    ///
    /// ```
    /// use bartizan_mask::Masker;
    ///
    /// let masker = Masker::builder().name("iban").allow("next_token").censor("***").build()?;
    /// assert!(masker.is_sensitive("customer-iban"));
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn builder() -> MaskerBuilder {
        MaskerBuilder::new()
    }

    pub(crate) fn new(rules: Rules, policies: Box<[Policy]>, counters: Arc<Counters>) -> Self {
        let headers = CommonHeaders::of(&rules.names, rules.cookies_by_name);
        Self { inner: Arc::new(Inner { rules, policies, counters, headers }) }
    }

    /// Whether the value under this name has to be hidden: a field, header, parameter or column.
    ///
    /// Letter case, `-`, `_` and camelCase make no difference, and percent-encoding is undone. The
    /// last `.` or `[]` segment counts as the name, and so does what stands before a bracket. A name of
    /// more than 128 bytes, percent-decoded, is sensitive: it cannot be judged. Most names are told apart
    /// by their last letters; for the others, the cost is one pass and a table probe for each word.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// for name in ["password", "newPassword", "X-Api-Key", "pass%77ord", "user[password]", "card.cvv"] {
    ///     assert!(masker.is_sensitive(name), "{name}");
    /// }
    /// for name in ["password_reset_url", "token_count", "session_count", "spinner", "user_id"] {
    ///     assert!(!masker.is_sensitive(name), "{name}");
    /// }
    /// ```
    #[inline]
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.is_sensitive_bytes(name.as_bytes())
    }

    /// [`is_sensitive`](Self::is_sensitive) for a name off the wire, which may be no valid UTF-8.
    ///
    /// ```
    /// assert!(bartizan_mask::Masker::default().is_sensitive_bytes(b"\xFF_token"));
    /// ```
    #[inline]
    pub fn is_sensitive_bytes(&self, name: &[u8]) -> bool {
        self.inner.rules.names.is_sensitive(name)
    }

    /// The censor to write in place of the value under this name, counted as one masked value;
    /// `None` when the value may be shown.
    ///
    /// For an action that needs the value, this is the censor; see [`mask_value`](Self::mask_value).
    ///
    /// This is how a field is masked before its value is even formatted. What may be shown by name
    /// still goes through [`text`](Self::text).
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert_eq!(masker.censor_for("password"), Some("[REDACTED]"));
    /// assert_eq!(masker.censor_for("user_id"), None);
    /// assert_eq!(masker.masked_total(), 1);
    /// ```
    #[inline]
    pub fn censor_for(&self, name: &str) -> Option<&str> {
        let hide = self.names().hides(name.as_bytes())?;
        self.count(1);
        Some(self.fixed(hide))
    }

    /// The text that stands in place of a masked value.
    ///
    /// ```
    /// assert_eq!(bartizan_mask::Masker::default().censor(), "[REDACTED]");
    /// ```
    pub fn censor(&self) -> &str {
        &self.inner.rules.censor
    }

    /// How many values this masker and its clones have masked.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert_eq!(masker.text_cow("pin=1234 otp=99"), "pin=[REDACTED] otp=[REDACTED]");
    /// assert_eq!(masker.clone().masked_total(), 2);
    /// ```
    pub fn masked_total(&self) -> u64 {
        self.inner.counters.masked.load(Ordering::Relaxed)
    }

    /// How many bodies this masker and its clones have replaced by a placeholder, because they were of no type
    /// that can be masked, compressed or invalid.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// masker.body(Some("application/json"), None, b"{\"pin\": 1x}", false, &mut String::new());
    /// assert_eq!(masker.placeholders_total(), 1);
    /// ```
    pub fn placeholders_total(&self) -> u64 {
        self.inner.counters.placeholders.load(Ordering::Relaxed)
    }

    pub(crate) fn count_placeholder(&self) {
        self.inner.counters.placeholders.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn names(&self) -> &Names {
        &self.inner.rules.names
    }

    pub(crate) fn paths(&self) -> &Paths {
        &self.inner.rules.paths
    }

    #[inline]
    pub(crate) fn values(&self) -> &Values {
        &self.inner.rules.values
    }

    pub(crate) fn actions(&self) -> &[Action] {
        &self.inner.rules.actions
    }

    #[cfg(feature = "hmac")]
    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.inner.rules.keys.as_ref()
    }

    /// Puts another key in place of the one that pseudonyms are made with, for all clones and policies.
    /// Pseudonyms made before stay what they are: the id of the key stands in front of them.
    ///
    /// # Errors
    ///
    /// [`MaskError::PseudonymKey`], when the id is not valid, the key is empty, or the masker has none to replace.
    ///
    /// ```
    /// use bartizan_mask::{Action, Masker};
    ///
    /// let masker =
    ///     Masker::builder().name_as("user", Action::Pseudonym).pseudonym_key("2026-10", b"secret one").build()?;
    /// masker.rotate_pseudonym_key("2026-11", b"secret two")?;
    /// assert!(masker.query_cow("user=ada").starts_with("user=2026-11:"));
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    #[cfg(feature = "hmac")]
    pub fn rotate_pseudonym_key(&self, id: &str, key: &[u8]) -> Result<(), MaskError> {
        let rotated = self.keys().is_some_and(|keys| keys.rotate(id, key));
        rotated.then_some(()).ok_or_else(|| MaskError::PseudonymKey { id: id.into() })
    }

    pub(crate) fn policies(&self) -> &[Policy] {
        &self.inner.policies
    }

    #[inline]
    pub(crate) fn common_headers(&self) -> &CommonHeaders {
        &self.inner.headers
    }

    pub(crate) fn cookies_by_name(&self) -> bool {
        self.inner.rules.cookies_by_name
    }

    /// Adds to the total, and leaves the shared counter alone when there is nothing to add.
    pub(crate) fn count(&self, masked: usize) {
        if masked > 0 {
            self.inner.counters.masked.fetch_add(masked as u64, Ordering::Relaxed);
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            names: Names::new(defaults::rules()),
            paths: Paths::default(),
            values: Values::default(),
            actions: Box::default(),
            censor: DEFAULT_CENSOR.into(),
            cookies_by_name: false,
            #[cfg(feature = "hmac")]
            keys: None,
        }
    }
}

impl Default for Masker {
    fn default() -> Self {
        Self::new(Rules::default(), Box::default(), Arc::default())
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, allowed) = self.names().counts();
        f.debug_struct("Masker")
            .field("names", &names)
            .field("allowed", &allowed)
            .field("cookies_by_name", &self.cookies_by_name())
            .field("masked_total", &self.masked_total())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Masker;

    #[test]
    fn a_masker_is_shared_between_threads() {
        fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
        shared(&Masker::default());
    }

    #[test]
    fn debug_shows_counts_and_no_censor() {
        let masker = Masker::builder().replace_names(["a", "b"]).allow("c").censor("@@@").build().unwrap();
        let shown = format!("{masker:?}");
        assert_eq!(shown, "Masker { names: 2, allowed: 1, cookies_by_name: false, masked_total: 0 }");
    }

    #[test]
    fn only_masked_values_are_counted_and_each_once() {
        let masker = Masker::default();
        let mut out = String::new();
        assert_eq!(masker.query("a=1&b=2", &mut out), Ok(0));
        assert_eq!(masker.masked_total(), 0);
        assert_eq!(masker.query("a=1&pin=2&pin=3&pin=", &mut out), Ok(2));
        let again = out.clone();
        assert_eq!(masker.text_cow(&again), again);
        assert_eq!(masker.masked_total(), 2);
    }
}
