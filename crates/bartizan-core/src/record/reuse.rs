//! A record that nobody has any more is made the record of another request.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::Span;

use super::trace::TraceCell;
use super::{Facts, Inner, Record};
use crate::fields::Fields;
use crate::request_body::RequestSize;

/// An empty record, where a request has left one.
pub(crate) type Left = Option<Record>;

impl Record {
    /// A record with this in it, and what `fill` adds.
    #[inline]
    pub(super) fn with(
        left: Left,
        facts: Facts,
        request_size: RequestSize,
        fill: impl FnOnce(&mut Inner),
    ) -> Self {
        if let Some(mut record) = left
            && let Some(inner) = Arc::get_mut(&mut record.0)
        {
            inner.facts = facts;
            inner.request_size = request_size;
            fill(inner);
            return record;
        }
        let mut inner = Inner::empty(facts, request_size);
        fill(&mut inner);
        Self(Arc::new(inner))
    }

    /// Empties a record that nobody else has any more. What was bound to it is let go at once.
    #[inline]
    pub(crate) fn leave(&mut self) -> Left {
        Arc::get_mut(&mut self.0)?.clear();
        Some(self.clone())
    }
}

impl Inner {
    fn empty(facts: Facts, request_size: RequestSize) -> Self {
        Self {
            facts,
            route: None,
            late_route: OnceLock::new(),
            unknown_method: None,
            path: None,
            correlation_id: OnceLock::new(),
            trace: TraceCell::default(),
            request_size,
            bound: Mutex::default(),
            span: Span::none(),
        }
    }

    /// Lets go of everything that belongs to the request alone.
    fn clear(&mut self) {
        self.route = None;
        self.late_route.take();
        self.unknown_method = None;
        self.path = None;
        self.request_size = RequestSize::Promised(None);
        self.correlation_id.take();
        self.trace.clear();
        let bound = self.bound.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !bound.is_empty() {
            *bound = Fields::default();
        }
        if !self.span.is_none() {
            self.span = Span::none();
        }
    }
}
