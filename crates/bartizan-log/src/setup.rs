//! Setting a log up from code and environment.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

use bartizan_core::TraceIds;
use bartizan_mask::Masker;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{self, Filtered};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::subscriber::{LogFilter, LogLayer};
use crate::writer::{LogGuard, LogWriter};

/// How lines look.
///
/// ```
/// use bartizan_log::LogFormat;
///
/// assert_eq!("console".parse(), Ok(LogFormat::Console));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people; in colours on a terminal, unless `NO_COLOR` is set.
    Console,
    /// [`Console`](Self::Console) if standard output is a terminal and the lines go there, else [`Json`](Self::Json).
    #[default]
    Auto,
}

impl FromStr for LogFormat {
    type Err = ParseError;

    /// Reads `json`, `console` or `auto`, in any letter case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let names = [("json", Self::Json), ("console", Self::Console), ("auto", Self::Auto)];
        names
            .iter()
            .find(|(name, _)| text.trim().eq_ignore_ascii_case(name))
            .map(|(_, format)| *format)
            .ok_or_else(|| ParseError::new(text, "json, console, auto"))
    }
}

/// A word that is none of those that can be read: of a [`LogFormat`], or a [`CaptureWhen`](crate::CaptureWhen).
///
/// ```
/// use bartizan_log::LogFormat;
///
/// let error = "xml".parse::<LogFormat>().unwrap_err();
/// assert_eq!(error.to_string(), "\"xml\" is none of json, console, auto");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{value:?} is none of {known}")]
pub struct ParseError {
    value: String,
    known: &'static str,
}

impl ParseError {
    pub(crate) fn new(value: &str, known: &'static str) -> Self {
        Self { value: shown(value), known }
    }
}

/// Why a log cannot be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// A filter that cannot be read.
    #[error(
        "{setting}={value:?} is no log filter ({source}): give a level (trace, debug, info, warn, error, off) or \
         directives such as info,hyper=warn"
    )]
    Filter {
        /// The variable or the setting.
        setting: &'static str,
        /// Its value, at most 200 characters of it.
        value: String,
        /// What is wrong.
        source: filter::ParseError,
    },
    /// A single word that is no level.
    #[error("{setting}={value:?} is no log level: give one of trace, debug, info, warn, error, off")]
    Level {
        /// The variable or the setting.
        setting: &'static str,
        /// Its value, at most 200 characters of it.
        value: String,
    },
    /// A format that does not exist.
    #[error("LOG_FORMAT={value:?} is no log format: give one of json, console, auto")]
    Format {
        /// Its value, at most 200 characters of it.
        value: String,
    },
    /// The writer's thread cannot be started.
    #[error(
        "the thread that writes the log cannot be started ({0}): raise the limit of threads or processes"
    )]
    Thread(#[from] io::Error),
}

type Env = dyn Fn(&str) -> Option<String>;

/// Makes a log: a layer that masks and writes, a filter, and a writer that blocks nobody.
///
/// The environment goes before the settings made here:
///
/// | variable | what | default |
/// |---|---|---|
/// | `RUST_LOG` | which events: directives such as `info,hyper=warn` | `LOG_LEVEL` |
/// | `LOG_LEVEL` | the same; a single word must be a level (also `warning`, `critical`, `fatal`) | [`filter`](Self::filter), else `info` |
/// | `LOG_FORMAT` | `json`, `console` or `auto` | [`format`](Self::format), else `auto` |
/// | `NO_COLOR` | no colours, whatever its value | |
///
/// Directives that name only your own crates leave the request events out: their target is `bartizan::request`.
///
/// ```
/// use bartizan_log::LogBuilder;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let (layer, guard) = LogBuilder::new().filter("info,hyper=warn").build()?.into_layer();
/// let subscriber = tracing_subscriber::registry().with(layer);
/// tracing::subscriber::with_default(subscriber, || tracing::info!(order = 17, "paid"));
/// assert!(guard.shutdown(std::time::Duration::from_secs(2)));
/// # Ok::<(), bartizan_log::LogError>(())
/// ```
#[must_use]
pub struct LogBuilder {
    masker: Masker,
    filter: Option<String>,
    format: LogFormat,
    sink: Option<Box<dyn Write + Send>>,
    capacity: usize,
    trace_ids: Option<fn() -> Option<TraceIds>>,
    json_strings: bool,
    env: Box<Env>,
}

impl LogBuilder {
    /// A log to standard output.
    pub fn new() -> Self {
        Self {
            masker: Masker::default(),
            filter: None,
            format: LogFormat::Auto,
            sink: None,
            capacity: LogWriter::DEFAULT_CAPACITY,
            trace_ids: None,
            json_strings: false,
            env: Box::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())),
        }
    }

    /// Sets what masks. Default: [`Masker::default`].
    pub fn masker(mut self, masker: Masker) -> Self {
        self.masker = masker;
        self
    }

    /// Sets which events are wanted where the environment does not say. Default: `info`.
    pub fn filter(mut self, directives: impl Into<String>) -> Self {
        self.filter = Some(directives.into());
        self
    }

    /// Sets how lines look where the environment does not say. Default: [`LogFormat::Auto`].
    pub fn format(mut self, format: LogFormat) -> Self {
        self.format = format;
        self
    }

    /// Sets where lines go. Default: standard output.
    pub fn sink(mut self, sink: impl Write + Send + 'static) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// Sets how many bytes wait at most to be written. Default: 4 MiB.
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = bytes;
        self
    }

    /// Sets where the ids of the current span come from; see [`LogLayer::trace_ids`].
    pub fn trace_ids(mut self, current: fn() -> Option<TraceIds>) -> Self {
        self.trace_ids = Some(current);
        self
    }

    /// Whether text that is JSON is masked as JSON; see [`LogLayer::json_strings`]. Default: no.
    pub fn json_strings(mut self, on: bool) -> Self {
        self.json_strings = on;
        self
    }

    /// Sets how variables are read. Default: the process's environment.
    pub fn env(mut self, read: impl Fn(&str) -> Option<String> + 'static) -> Self {
        self.env = Box::new(read);
        self
    }

    /// Makes the log, and starts the writer's thread.
    ///
    /// # Errors
    ///
    /// [`LogError`] for a variable or a setting that cannot be read, and where there can be no more threads.
    pub fn build(self) -> Result<Log, LogError> {
        let filter = LogFilter::new(self.read_filter()?);
        let format = match self.variable("LOG_FORMAT") {
            Some(value) => value.parse().map_err(|_| LogError::Format { value: shown(&value) })?,
            None => self.format,
        };
        let terminal = self.sink.is_none() && io::stdout().is_terminal();
        let colours = terminal && self.variable("NO_COLOR").is_none();
        let sink = self.sink.unwrap_or_else(|| Box::new(io::stdout()));
        let writer = LogWriter::with_capacity(sink, self.capacity)?;
        let guard = LogGuard::new(writer.clone());
        let mut layer = match format {
            LogFormat::Console => LogLayer::console(writer, self.masker, colours),
            LogFormat::Auto if terminal => LogLayer::console(writer, self.masker, colours),
            LogFormat::Auto | LogFormat::Json => LogLayer::json(writer, self.masker),
        };
        layer = layer.json_strings(self.json_strings);
        if let Some(current) = self.trace_ids {
            layer = layer.trace_ids(current);
        }
        Ok(Log { layer, filter, guard })
    }

    fn read_filter(&self) -> Result<EnvFilter, LogError> {
        if let Some(value) = self.variable("RUST_LOG") {
            parse("RUST_LOG", &value)
        } else if let Some(value) = self.variable("LOG_LEVEL") {
            parse_level("LOG_LEVEL", &value)
        } else {
            parse_level("filter", self.filter.as_deref().unwrap_or("info"))
        }
    }

    /// A variable that is set to nothing is not set.
    fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
}

impl Default for LogBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LogBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogBuilder")
            .field("masker", &self.masker)
            .field("filter", &self.filter)
            .field("format", &self.format)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

fn parse(setting: &'static str, value: &str) -> Result<EnvFilter, LogError> {
    let filter = EnvFilter::builder().with_regex(false).parse(value);
    filter.map_err(|source| LogError::Filter { setting, value: shown(value), source })
}

/// A lone word would be read as the name of a target, which silences all others: here it must be a level.
fn parse_level(setting: &'static str, value: &str) -> Result<EnvFilter, LogError> {
    if value.contains(['=', ',', '[']) {
        return parse(setting, value);
    }
    let level = match &*value.to_ascii_lowercase() {
        "trace" => "trace",
        "debug" => "debug",
        "info" => "info",
        "warn" | "warning" => "warn",
        "error" | "critical" | "fatal" => "error",
        "off" => "off",
        _ => return Err(LogError::Level { setting, value: shown(value) }),
    };
    parse(setting, level)
}

fn shown(value: &str) -> String {
    value.chars().take(200).collect()
}

/// The parts of a log, to be put into a subscriber.
///
/// ```
/// use bartizan_log::{Log, LogBuilder};
/// use tracing_subscriber::layer::{Layer, SubscriberExt};
///
/// let Log { layer, filter, guard } = LogBuilder::new().build()?;
/// let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
/// # let _ = (subscriber, guard);
/// # Ok::<(), bartizan_log::LogError>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Log {
    /// Masks and writes.
    pub layer: LogLayer,
    /// Which events the layer should have.
    pub filter: LogFilter,
    /// Writes the last lines.
    pub guard: LogGuard,
}

impl Log {
    /// The layer with its filter, and the guard.
    pub fn into_layer<S>(self) -> (Filtered<LogLayer, LogFilter, S>, LogGuard)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        (self.layer.with_filter(self.filter), self.guard)
    }
}
