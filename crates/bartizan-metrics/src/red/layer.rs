//! The layer and its settings.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Observe, ObserveLayer, Settings};
use metrics::Recorder;
use tower_layer::Layer;

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
    recorder: Option<Arc<DynRecorder>>,
    naming: Naming,
    max_series: usize,
    settings: Settings,
}

impl RedLayer {
    /// Records into the recorder of the moment, by Prometheus names, at most 2 000 combinations of labels.
    pub fn new() -> Self {
        Self { recorder: None, naming: Naming::default(), max_series: 2_000, settings: Settings::default() }
    }

    /// Records into this recorder, whatever is installed.
    pub fn recorder(mut self, recorder: impl Recorder + Send + Sync + 'static) -> Self {
        self.recorder = Some(Arc::new(recorder));
        self
    }

    /// By which names. Default: [`Naming::Prometheus`].
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// How many combinations of method, route, status and outcome get series of their own; at least 1, at most 100 000.
    pub fn max_series(mut self, max: usize) -> Self {
        self.max_series = max.clamp(1, 100_000);
        self
    }

    /// How routes and clients are found, where this is the outermost bartizan layer.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer`].
    pub fn into_observer(self) -> Red {
        Red::new(self.recorder, self.naming, self.max_series)
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
            .field("recorder", &self.recorder.is_some())
            .field("naming", &self.naming)
            .field("max_series", &self.max_series)
            .field("settings", &self.settings)
            .finish()
    }
}

impl<S> Layer<S> for RedLayer {
    type Service = Observe<S, Red>;

    fn layer(&self, inner: S) -> Self::Service {
        ObserveLayer::with_settings(self.clone().into_observer(), self.settings.clone()).layer(inner)
    }
}
