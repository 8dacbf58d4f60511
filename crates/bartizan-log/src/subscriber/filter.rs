//! Which events a log layer wants.

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter};

use super::is_request_span;

/// The filter of a [`LogLayer`](crate::LogLayer): the directives of an [`EnvFilter`], less the span of each request.
///
/// That span is for subscribers that do not know the request's record. Where no other layer wants it, it is never made.
///
/// ```
/// use bartizan_log::{LogFilter, LogLayer, LogWriter};
/// use bartizan_mask::Masker;
/// use tracing_subscriber::EnvFilter;
/// use tracing_subscriber::layer::{Layer, SubscriberExt};
///
/// let filter = LogFilter::new(EnvFilter::new("info,hyper=warn"));
/// let layer = LogLayer::json(LogWriter::new(std::io::stdout())?, Masker::default());
/// let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
/// # let _ = subscriber;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LogFilter {
    directives: EnvFilter,
}

impl LogFilter {
    /// A filter with these directives.
    pub fn new(directives: EnvFilter) -> Self {
        Self { directives }
    }
}

impl<S: Subscriber> Filter<S> for LogFilter {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        !is_request_span(metadata) && Filter::enabled(&self.directives, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_request_span(metadata) {
            return Interest::never();
        }
        Filter::<S>::callsite_enabled(&self.directives, metadata)
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        Filter::event_enabled(&self.directives, event, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<S>::max_level_hint(&self.directives)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        Filter::on_new_span(&self.directives, attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        Filter::on_record(&self.directives, id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        Filter::on_enter(&self.directives, id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        Filter::on_exit(&self.directives, id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        Filter::on_close(&self.directives, id, context);
    }
}
