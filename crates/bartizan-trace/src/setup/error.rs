//! What can be wrong with the settings.

/// A setting that cannot be used, named together with the way out.
///
/// Neither the text nor `Debug` ever holds a header's value, an endpoint or a resource attribute:
/// they may be secrets.
///
/// ```
/// use bartizan_trace::TraceSettings;
///
/// let error = TraceSettings::new()
///     .read_vars(|name| (name == "OTEL_TRACES_SAMPLER").then(|| "sometimes".to_owned()))
///     .unwrap_err();
/// assert!(error.to_string().starts_with("OTEL_TRACES_SAMPLER is \"sometimes\", but must be one of"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The value has not the form that the setting needs.
    #[error("{setting} {found}, but must be {expected}; {fix}")]
    Invalid {
        /// The variable, or the method of [`TraceSettings`](super::TraceSettings).
        setting: &'static str,
        /// What is wrong with it, without the value where that may be secret.
        found: String,
        /// The form it must have.
        expected: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// The settings ask for something that was not compiled in.
    #[error(
        "{setting} asks for {wanted}, which this program was built without; \
         build it with the feature `{feature}` (of bartizan, or of bartizan-trace where that is used alone), or {instead}"
    )]
    FeatureMissing {
        /// The variable, or the method of [`TraceSettings`](super::TraceSettings).
        setting: &'static str,
        /// What the setting asks for.
        wanted: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
        /// The other way out.
        instead: &'static str,
    },
    /// The exporter's thread or transport could not be made.
    #[error(
        "the span exporter could not be started: {0}; free threads or file descriptors, or set OTEL_ENABLED=false"
    )]
    Exporter(String),
}

impl SetupError {
    pub(crate) fn invalid(
        setting: &'static str,
        found: impl Into<String>,
        expected: &'static str,
        fix: &'static str,
    ) -> Self {
        Self::Invalid { setting, found: found.into(), expected, fix }
    }
}

/// A value in an error's text: only for settings with a closed vocabulary, and cut short.
pub(super) fn shown(value: &str) -> String {
    format!("is {}", quoted(value))
}

/// The value alone, for one of several.
pub(crate) fn quoted(value: &str) -> String {
    let short: String = value.chars().take(40).collect();
    let cut = if short.len() < value.len() { "..." } else { "" };
    format!("{short:?}{cut}")
}
