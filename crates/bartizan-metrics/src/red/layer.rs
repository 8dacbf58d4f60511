//! The layer and its settings.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Observe, ObserveLayer, Settings};
use metrics::Recorder;
use tower_layer::Layer;

use super::known::Known;
use super::labels::{CustomLabel, LabelError, Labels};
use super::names::Naming;
use super::observer::Red;

pub(super) type DynRecorder = dyn Recorder + Send + Sync;

/// A tower layer that records RED metrics; see the [module's documentation](crate::red).
///
/// ```
/// use bartizan_metrics::{Naming, RedLayer};
///
/// let layer = RedLayer::new().naming(Naming::OpenTelemetry).max_series(500);
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedLayer {
    options: Arc<Options>,
    observe: ObserveLayer<Red>,
}

#[derive(Clone)]
pub(super) struct Options {
    pub(super) recorder: Option<Arc<DynRecorder>>,
    pub(super) naming: Naming,
    pub(super) max_series: usize,
    pub(super) labels: Labels,
    pub(super) known: Vec<Known>,
    settings: Settings,
}

impl RedLayer {
    /// Records into the recorder of the moment, by Prometheus names, at most 2 000 combinations of labels.
    pub fn new() -> Self {
        Self::of(Options {
            recorder: None,
            naming: Naming::default(),
            max_series: 2_000,
            labels: Labels::default(),
            known: Vec::new(),
            settings: Settings::default(),
        })
    }

    /// Makes the layer with its table of handles, which is shared by all services that it makes: axum calls `layer` for every request.
    fn of(options: Options) -> Self {
        let observe = ObserveLayer::with_settings(Red::new(&options), options.settings.clone());
        Self { options: Arc::new(options), observe }
    }

    fn with(&self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::clone(&self.options);
        change(&mut options);
        Self::of(options)
    }

    /// Records into this recorder, whatever is installed.
    pub fn recorder(self, recorder: impl Recorder + Send + Sync + 'static) -> Self {
        self.with(|options| options.recorder = Some(Arc::new(recorder)))
    }

    /// By which names. Default: [`Naming::Prometheus`].
    pub fn naming(self, naming: Naming) -> Self {
        self.with(|options| options.naming = naming)
    }

    /// How many combinations of method, route, status and outcome get series of their own; at least 1, at most 100 000.
    pub fn max_series(self, max: usize) -> Self {
        self.with(|options| options.max_series = max.clamp(1, 100_000))
    }

    /// A label of your own on `http_requests_total`, the durations and the sizes, and on what gRPC has in their place; not on what is in
    /// flight. At most four; see [`CustomLabel`] for their values. Without any there is no cost.
    ///
    /// # Errors
    ///
    /// [`LabelError`] for a name that is bad or taken, a fifth label, or no values.
    pub fn label(self, label: CustomLabel) -> Result<Self, LabelError> {
        let labels = self.options.labels.clone().with(label)?;
        Ok(self.with(|options| options.labels = labels))
    }

    pub(super) fn with_known(self, more: impl Iterator<Item = Known>) -> Self {
        self.with(|options| options.known.extend(more))
    }

    /// How routes and clients are found, where this is the outermost bartizan layer.
    pub fn settings(self, settings: Settings) -> Self {
        self.with(|options| options.settings = settings)
    }

    /// What a client's layer has in common with this one.
    pub(super) fn shared_options(&self) -> (Option<Arc<DynRecorder>>, Naming, usize) {
        (self.options.recorder.clone(), self.options.naming, self.options.max_series)
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer`].
    pub fn observer(&self) -> Red {
        self.observe.observer().show_known();
        self.observe.observer().clone()
    }
}

impl Default for RedLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RedLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedLayer")
            .field("recorder", &self.options.recorder.is_some())
            .field("naming", &self.options.naming)
            .field("max_series", &self.options.max_series)
            .field("settings", &self.options.settings)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for RedLayer {
    type Service = Observe<S, Red>;

    fn layer(&self, inner: S) -> Self::Service {
        self.observe.observer().show_known();
        self.observe.layer(inner)
    }
}
