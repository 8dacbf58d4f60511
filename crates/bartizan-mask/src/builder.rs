//! Configuration of a masker.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::defaults;
use crate::error::MaskError;
use crate::json::{self, Paths};
use crate::masker::{Counters, DEFAULT_CENSOR, Rules};
use crate::names::{Hide, Names, Reach, Rule, normalise};
use crate::policy::Policy;
#[cfg(feature = "hmac")]
use crate::pseudonym::Keys;
use crate::values::Values;
use crate::{Action, Masker, ValueKind};

/// The longest censor.
pub(crate) const MAX_CENSOR_BYTES: usize = 64;

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
    names: Vec<(String, Reach, Action)>,
    allowed: Vec<String>,
    show_only: bool,
    paths: Vec<(String, Option<Action>)>,
    routes: Vec<(String, MaskerBuilder)>,
    values: Vec<(ValueKind, Action)>,
    #[cfg(feature = "regex")]
    patterns: Vec<(String, Action)>,
    censor: String,
    cookies_by_name: bool,
    #[cfg(feature = "hmac")]
    keys: Option<Result<Keys, MaskError>>,
}

impl MaskerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            replaced: false,
            names: Vec::new(),
            allowed: Vec::new(),
            show_only: false,
            paths: Vec::new(),
            routes: Vec::new(),
            values: Vec::new(),
            #[cfg(feature = "regex")]
            patterns: Vec::new(),
            censor: DEFAULT_CENSOR.into(),
            cookies_by_name: false,
            #[cfg(feature = "hmac")]
            keys: None,
        }
    }

    /// Adds a sensitive name. It is masked as a whole name and as the last words of a longer one:
    /// `iban` hides `iban`, `customer_iban` and `customerIban`, but not `iban_valid`.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.name_as(name, Action::Censor)
    }

    /// Adds a sensitive name as by [`name`](Self::name), and says what becomes of its values.
    ///
    /// ```
    /// use bartizan_mask::{Action, Masker};
    ///
    /// let masker = Masker::builder().name_as("iban", Action::KeepLast4).build()?;
    /// assert_eq!(masker.query_cow("iban=DE89370400440532013000"), "iban=[REDACTED]3000");
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn name_as(mut self, name: impl Into<String>, action: Action) -> Self {
        self.names.push((name.into(), Reach::Words, action));
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
        self.names.push((name.into(), Reach::Whole, Action::Censor));
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

    /// Hides every value whose name or path is not allowed: these names, as by [`allow`](Self::allow), and what
    /// [`allow_path`](Self::allow_path) leads to. What an allowed name holds is shown as a whole, save that
    /// sensitive names in it are still hidden. In JSON, names and structure stay; pairs in free text count too. What has no name,
    /// as `x` in `?id=1&x` and a body of plain text, is hidden.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::builder().show_only(["order_id", "item"]).build()?;
    /// let (mut json, mut out) = (masker.json(), Vec::new());
    /// json.push(br#"{"orderId": 7, "item": {"name": "tea", "pin": 1}, "to": {"street": "x"}}"#, &mut out);
    /// json.finish(false, &mut out);
    /// let expected = br#"{"orderId":7,"item":{"name":"tea","pin":"[REDACTED]"},"to":{"street":"[REDACTED]"}}"#;
    /// assert_eq!(out, expected);
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn show_only<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.show_only = true;
        names.into_iter().fold(self, Self::allow)
    }

    /// Hides what stands at this path of a JSON document, whatever its name: `user.cards[*].number`,
    /// `**.pin` (at any depth), `[0].key`, `user["a.b"]`, `user.*` (every member). Names compare as elsewhere: case,
    /// `-` and `_` make no difference. All paths together may have 127 segments. A path that hides wins over one
    /// that shows, and both over names.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::builder().path("cards[*].number").build()?;
    /// let (mut json, mut out) = (masker.json(), Vec::new());
    /// json.push(br#"{"number": 1, "cards": [{"number": 2}, {"number": 3}]}"#, &mut out);
    /// json.finish(false, &mut out);
    /// assert_eq!(out, br#"{"number":1,"cards":[{"number":"[REDACTED]"},{"number":"[REDACTED]"}]}"#);
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    pub fn path(self, path: impl Into<String>) -> Self {
        self.path_as(path, Action::Censor)
    }

    /// Hides what stands at this path as by [`path`](Self::path), and says what becomes of it.
    pub fn path_as(mut self, path: impl Into<String>, action: Action) -> Self {
        self.paths.push((path.into(), Some(action)));
        self
    }

    /// Shows what stands at this path of a JSON document, though its name is sensitive or is not allowed.
    /// Sensitive names below it are still hidden.
    pub fn allow_path(mut self, path: impl Into<String>) -> Self {
        self.paths.push((path.into(), None));
        self
    }

    /// Hides values of this kind wherever they stand. Default: none are.
    pub fn value(self, kind: ValueKind) -> Self {
        self.value_as(kind, Action::Censor)
    }

    /// Hides values of these kinds, each as by [`value`](Self::value).
    pub fn values(self, kinds: impl IntoIterator<Item = ValueKind>) -> Self {
        kinds.into_iter().fold(self, Self::value)
    }

    /// Hides values of this kind as by [`value`](Self::value), and says what becomes of them.
    pub fn value_as(mut self, kind: ValueKind, action: Action) -> Self {
        self.values.push((kind, action));
        self
    }

    /// Hides what matches a pattern wherever it stands, in the syntax of the `regex` crate, whose matching takes time
    /// linear in the length of the text. A compiled pattern may have 1 MiB. Where a text is cut, its last 256 bytes
    /// are left out, because a match might begin there.
    ///
    /// ```
    /// let masker = bartizan_mask::Masker::builder().pattern(r"\bCUST-\d{6}\b").build()?;
    /// assert_eq!(masker.text_cow("order of CUST-004711"), "order of [REDACTED]");
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    #[cfg(feature = "regex")]
    pub fn pattern(self, pattern: impl Into<String>) -> Self {
        self.pattern_as(pattern, Action::Censor)
    }

    /// Hides what matches a pattern as by [`pattern`](Self::pattern), and says what becomes of it.
    #[cfg(feature = "regex")]
    pub fn pattern_as(mut self, pattern: impl Into<String>, action: Action) -> Self {
        self.patterns.push((pattern.into(), action));
        self
    }

    /// Rules of their own for the routes of a template, or, where the pattern ends in `{*rest}`, for all that begin
    /// like it: what this builder has been told so far, changed by `policy`. See [`Masker::for_route`].
    /// The request's own line and spans follow them; other events of the request follow the rules for all.
    pub fn route(mut self, pattern: impl Into<String>, policy: impl FnOnce(Self) -> Self) -> Self {
        let mut copy = self.clone();
        copy.routes.clear();
        self.routes.push((pattern.into(), policy(copy)));
        self
    }

    /// The key of [`Action::Pseudonym`], and its id, which stands in front of every pseudonym: 1 to 32 letters,
    /// digits, `-`, `_`, `.`. Give a random key of 32 bytes. Can be
    /// [changed](Masker::rotate_pseudonym_key) while the process runs. Without one, the censor is written.
    #[cfg(feature = "hmac")]
    pub fn pseudonym_key(mut self, id: &str, key: &[u8]) -> Self {
        self.keys = Some(Keys::new(id, key).ok_or_else(|| MaskError::PseudonymKey { id: id.into() }));
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
    /// [`MaskError`], when a name is empty or too long, a path is none, or the censor is unsafe in an output.
    pub fn build(self) -> Result<Masker, MaskError> {
        self.build_with(&Arc::default())
    }

    fn build_with(self, counters: &Arc<Counters>) -> Result<Masker, MaskError> {
        check_censor(&self.censor)?;
        let mut actions = vec![Action::Censor];
        let defaults = defaults::rules();
        let mut rules = if self.replaced { BTreeMap::new() } else { defaults.clone() };
        for (name, reach, action) in self.names {
            let name = check_name(&name)?;
            // A default name that is added or kept does not come to hide less.
            let default = defaults.get(&name).and_then(|rule| rule.reach).filter(|_| reach == Reach::Words);
            let rule = rules.entry(name).or_insert_with(Rule::default);
            (rule.reach, rule.hide) =
                (Some(default.unwrap_or(reach).max(reach)), place(action, &mut actions)?);
        }
        for name in &self.allowed {
            rules.entry(check_name(name)?).or_insert_with(Rule::default).allowed = true;
        }
        let mut paths = Paths::default();
        for (path, action) in self.paths {
            let rule = match action {
                Some(action) => json::Rule::Hide(place(action, &mut actions)?),
                None => json::Rule::Show,
            };
            paths.add(&path, rule).ok_or(MaskError::Path { path })?;
        }
        let mut values = Values::default();
        for (kind, action) in self.values {
            values.add(kind, place(action, &mut actions)?);
        }
        #[cfg(feature = "regex")]
        for (pattern, action) in self.patterns {
            let hide = place(action, &mut actions)?;
            values.add_pattern(&pattern, hide).ok_or(MaskError::Pattern { pattern })?;
        }
        let names = Names::new(rules);
        let rules = Rules {
            names: if self.show_only { names.hide_others() } else { names },
            paths,
            values,
            actions: actions.into(),
            censor: self.censor.into(),
            cookies_by_name: self.cookies_by_name,
            #[cfg(feature = "hmac")]
            keys: self.keys.transpose()?,
        };
        let policies = self
            .routes
            .into_iter()
            .map(|(route, builder)| builder.build_with(counters).map(|masker| Policy::new(&route, masker)));
        Ok(Masker::new(rules, policies.collect::<Result<_, _>>()?, Arc::clone(counters)))
    }
}

/// The place of an action among the others.
fn place(action: Action, actions: &mut Vec<Action>) -> Result<Hide, MaskError> {
    if let Action::Text(text) = &action {
        check_censor(text)?;
    }
    let at = actions.iter().position(|known| *known == action).unwrap_or(actions.len());
    if at == actions.len() {
        actions.push(action);
    }
    u8::try_from(at).ok().filter(|at| *at < Hide::OTHERS.0).map(Hide).ok_or(MaskError::Actions)
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

#[cfg(test)]
mod tests;
