//! The fused stack: one service, one future and one body for all concerns.

use bartizan_core::{Catch, CatchLayer, Observe, ObserveLayer};
use bartizan_correlation::Correlation;
use bartizan_log::RequestLog;
use bartizan_metrics::red::Red;
use bartizan_trace::server::Trace;
use tower_layer::Layer;

/// The observers of the stack, in the order they are told. What is `None` is switched off.
pub type Observers = (Option<Correlation>, Option<Trace>, Option<Red>, Option<RequestLog>);

/// The service that [`StackLayer`] makes: the observers outside, the panic catcher innermost.
pub type Stack<S> = Observe<Catch<S>, Observers>;

/// The whole stack as one tower layer: what [`Observability::layer`](crate::Observability::layer) returns.
///
/// In its order: correlation id, trace, RED metrics, request log; around the service, the catcher that turns a panic or an
/// unhandled error into one answer.
#[derive(Clone, Debug)]
pub struct StackLayer {
    pub(crate) observe: ObserveLayer<Observers>,
}

impl<S> Layer<S> for StackLayer {
    type Service = Stack<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.observe.layer(CatchLayer::new().layer(inner))
    }
}
