//! The layer and its settings.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Observe, ObserveLayer};
use metrics::Recorder;
use tower_layer::Layer;

use super::observer::ClientRed;
use crate::red::layer::{DynRecorder, RedLayer};
use crate::red::names::Naming;

/// A tower layer for clients that records RED metrics of the calls; see the [module's documentation](crate::red::client).
///
/// ```
/// use bartizan_metrics::red::ClientRedLayer;
///
/// let layer = ClientRedLayer::new().max_servers(20);
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClientRedLayer {
    options: Options,
    observe: ObserveLayer<ClientRed>,
}

#[derive(Clone)]
pub(super) struct Options {
    pub(super) recorder: Option<Arc<DynRecorder>>,
    pub(super) naming: Naming,
    pub(super) max_series: usize,
    pub(super) max_servers: u16,
}

impl ClientRedLayer {
    /// Records into the recorder of the moment, by Prometheus names, at most 100 addresses and 2 000 combinations of labels.
    pub fn new() -> Self {
        RedLayer::new().client()
    }

    /// Makes the layer with its table of handles, which is shared by all services that it makes.
    fn of(options: Options) -> Self {
        Self { observe: ObserveLayer::client(ClientRed::new(&options)), options }
    }

    /// Records into this recorder, whatever is installed.
    pub fn recorder(self, recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self::of(Options { recorder: Some(Arc::new(recorder)), ..self.options })
    }

    /// By which names. Default: [`Naming::Prometheus`].
    pub fn naming(self, naming: Naming) -> Self {
        Self::of(Options { naming, ..self.options })
    }

    /// How many combinations of labels get series of their own; at least 1, at most 100 000.
    pub fn max_series(self, max: usize) -> Self {
        Self::of(Options { max_series: max.clamp(1, 100_000), ..self.options })
    }

    /// How many addresses get series of their own; at least 1, at most 10 000.
    pub fn max_servers(self, max: u16) -> Self {
        Self::of(Options { max_servers: max.clamp(1, 10_000), ..self.options })
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer::client`].
    pub fn observer(&self) -> ClientRed {
        self.observe.observer().clone()
    }
}

impl RedLayer {
    /// The layer for the calls that this service makes: the same recorder, names and cap on series, and at most 100 addresses.
    ///
    /// ```
    /// use bartizan_metrics::{Naming, RedLayer};
    ///
    /// let client = RedLayer::new().naming(Naming::OpenTelemetry).client().max_servers(20);
    /// ```
    pub fn client(&self) -> ClientRedLayer {
        let (recorder, naming, max_series) = self.shared_options();
        ClientRedLayer::of(Options { recorder, naming, max_series, max_servers: 100 })
    }
}

impl Default for ClientRedLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ClientRedLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRedLayer")
            .field("recorder", &self.options.recorder.is_some())
            .field("naming", &self.options.naming)
            .field("max_series", &self.options.max_series)
            .field("max_servers", &self.options.max_servers)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ClientRedLayer {
    type Service = Observe<S, ClientRed>;

    fn layer(&self, inner: S) -> Self::Service {
        self.observe.layer(inner)
    }
}
