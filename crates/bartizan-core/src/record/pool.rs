//! Records are made for every request and let go at its end, so each thread keeps some to make new ones in.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::trace::TraceCell;
use super::{Facts, Inner};
use crate::fields::Fields;
use crate::request_body::RequestSize;

/// A record is about 400 bytes.
const KEPT: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<Arc<Inner>>> = const { RefCell::new(Vec::new()) };
}

/// A record with this in it, and what `fill` adds.
#[inline]
pub(super) fn take(facts: Facts, request_size: RequestSize, fill: impl FnOnce(&mut Inner)) -> Arc<Inner> {
    let kept = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten();
    if let Some(mut kept) = kept
        && let Some(inner) = Arc::get_mut(&mut kept)
    {
        inner.facts = facts;
        inner.request_size = request_size;
        fill(inner);
        return kept;
    }
    let mut inner = Inner::empty(facts, request_size);
    fill(&mut inner);
    Arc::new(inner)
}

/// Keeps a record that nobody else has any more. What was bound to it is let go at once.
#[inline]
pub(super) fn give_back(record: &mut Arc<Inner>) {
    if Arc::strong_count(record) > 1 {
        return;
    }
    let Some(inner) = Arc::get_mut(record) else { return };
    inner.clear();
    let _ = POOL.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut()
            && pool.len() < KEPT
        {
            pool.push(Arc::clone(record));
        }
    });
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
            span: tracing::Span::none(),
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
            self.span = tracing::Span::none();
        }
    }
}
