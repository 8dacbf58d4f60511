//! The masker itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::builder::MaskerBuilder;
use crate::defaults;
use crate::names::Names;
use crate::templates;

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
    pub(crate) names: Names,
    pub(crate) censor: Box<str>,
    pub(crate) cookies_by_name: bool,
    pub(crate) masked: AtomicU64,
    pub(crate) placeholders: AtomicU64,
    /// Stands for this masker's rules.
    pub(crate) owner: u64,
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

    pub(crate) fn new(names: Names, censor: &str, cookies_by_name: bool) -> Self {
        let (masked, placeholders) = (AtomicU64::new(0), AtomicU64::new(0));
        let (censor, owner) = (censor.into(), templates::new_owner());
        Self { inner: Arc::new(Inner { names, censor, cookies_by_name, masked, placeholders, owner }) }
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
        self.inner.names.is_sensitive(name)
    }

    /// The censor to write in place of the value under this name, counted as one masked value;
    /// `None` when the value may be shown.
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
        self.is_sensitive(name).then(|| {
            self.count(1);
            self.censor()
        })
    }

    /// The text that stands in place of a masked value.
    ///
    /// ```
    /// assert_eq!(bartizan_mask::Masker::default().censor(), "[REDACTED]");
    /// ```
    pub fn censor(&self) -> &str {
        &self.inner.censor
    }

    /// How many values this masker and its clones have masked.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::default();
    /// assert_eq!(masker.text_cow("pin=1234 otp=99"), "pin=[REDACTED] otp=[REDACTED]");
    /// assert_eq!(masker.clone().masked_total(), 2);
    /// ```
    pub fn masked_total(&self) -> u64 {
        self.inner.masked.load(Ordering::Relaxed)
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
        self.inner.placeholders.load(Ordering::Relaxed)
    }

    pub(crate) fn count_placeholder(&self) {
        self.inner.placeholders.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn names(&self) -> &Names {
        &self.inner.names
    }

    #[inline]
    pub(crate) fn owner(&self) -> u64 {
        self.inner.owner
    }

    pub(crate) fn cookies_by_name(&self) -> bool {
        self.inner.cookies_by_name
    }

    /// Adds to the total, and leaves the shared counter alone when there is nothing to add.
    pub(crate) fn count(&self, masked: usize) {
        if masked > 0 {
            self.inner.masked.fetch_add(masked as u64, Ordering::Relaxed);
        }
    }
}

impl Default for Masker {
    fn default() -> Self {
        Self::new(Names::new(defaults::rules()), DEFAULT_CENSOR, false)
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
