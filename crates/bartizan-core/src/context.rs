//! The context that is current while a request is worked on: its [`Record`], and the scopes entered in it.
//!
//! A layer makes the context current around every poll of the inner service and its body. What is spawned
//! leaves it, unless it is carried along:
//!
//! ```
//! use bartizan_core::Context;
//!
//! # async fn handler() {
//! tokio::spawn(Context::current().carry(async {
//!     // log lines here still belong to the request
//! }));
//! # }
//! ```

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use pin_project_lite::pin_project;
use tracing::{Dispatch, span::Id};

use crate::fields::Fields;
use crate::record::Record;
use crate::value::Value;

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context::NONE) };
}

/// The request record and the scopes that log lines belong to. Cloning it counts references.
#[derive(Clone, Default)]
pub struct Context {
    record: Option<Record>,
    scope: Option<Arc<Scope>>,
}

struct Scope {
    fields: Fields,
    parent: Option<Arc<Scope>>,
}

impl Context {
    /// No request, no scope.
    pub const NONE: Self = Self { record: None, scope: None };

    #[inline]
    pub(crate) fn of(record: Record) -> Self {
        Self { record: Some(record), scope: None }
    }

    /// A copy of what is current on this thread.
    pub fn current() -> Self {
        Self::with_current(Self::clone).unwrap_or_default()
    }

    /// Looks at what is current on this thread without a copy; `None` where the thread is ending. A context that
    /// `look` enters does not become current.
    pub fn with_current<T>(look: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| current.try_borrow().ok().map(|current| look(&current))).ok().flatten()
    }

    /// The request that is being worked on.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// This context with a block's fields on top. They end with the block; an inner name hides an outer one.
    #[must_use]
    pub fn scoped<N, V>(mut self, fields: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Cow<'static, str>>,
        V: Into<Value>,
    {
        let mut own = Fields::default();
        for (name, value) in fields {
            own.bind(name.into(), value.into());
        }
        self.scope = Some(Arc::new(Scope { fields: own, parent: self.scope.take() }));
        self
    }

    /// Visits every field that a line written now would carry: scopes from the innermost out, then what is bound to
    /// the request. A name can come twice; the first one counts.
    pub fn visit_fields(&self, mut visit: impl FnMut(&str, &Value)) {
        let mut scope = self.scope.as_ref();
        while let Some(current) = scope {
            current.fields.visit(&mut visit);
            scope = current.parent.as_ref();
        }
        if let Some(record) = &self.record {
            record.visit_bound(&mut visit);
        }
    }

    /// Runs `work` with this context current, and restores the one before, also when `work` panics.
    #[inline]
    pub fn enter<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let _entered = self.entered();
        work()
    }

    /// Makes this context current, and the span of its request, until what is returned is dropped.
    #[inline]
    pub(crate) fn entered(&mut self) -> Entered<'_> {
        self.tell_span(Dispatch::enter);
        swap(self);
        Entered(self)
    }

    /// Tells the subscriber of the request's span, if that is enabled.
    #[inline]
    fn tell_span(&self, tell: fn(&Dispatch, &Id)) {
        if let Some(record) = &self.record {
            record.span().with_subscriber(|(id, subscriber)| tell(subscriber, id));
        }
    }

    /// Keeps this context current in every poll of `future`, wherever it is spawned.
    pub fn carry<F>(self, future: F) -> Carried<F> {
        Carried { future, context: self }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("record", &self.record).finish_non_exhaustive()
    }
}

/// Holds the previous context where the entered one was, and swaps them back at the end.
pub(crate) struct Entered<'a>(&'a mut Context);

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        swap(self.0);
        self.0.tell_span(Dispatch::exit);
    }
}

/// Does nothing where the thread is ending, or someone looks at the current context: better a line without its ids
/// than a panic.
#[inline]
fn swap(context: &mut Context) {
    let _ = CURRENT.try_with(|current| {
        if let Ok(mut current) = current.try_borrow_mut() {
            std::mem::swap(&mut *current, context);
        }
    });
}

pin_project! {
    /// A future that keeps a context current in every poll: what [`Context::carry`] returns.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Carried<F> {
        #[pin]
        future: F,
        context: Context,
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.context.enter(|| this.future.poll(cx))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use super::*;
    use crate::{Routes, Trust};

    fn context() -> Context {
        let mut request = http::Request::new(http_body_util::Empty::<bytes::Bytes>::new());
        Context::of(Record::make(&mut request, &Routes::new(), &Trust::nobody(), 0, true, None))
    }

    fn names() -> Vec<String> {
        let mut names = Vec::new();
        Context::with_current(|context| context.visit_fields(|name, _| names.push(name.to_owned())));
        names
    }

    #[test]
    fn the_context_before_comes_back_also_after_a_panic() {
        let mut outer = context();
        outer.enter(|| {
            let caught = std::panic::catch_unwind(|| {
                Context::default().enter(|| {
                    assert!(Context::current().record().is_none());
                    panic!("unwinds through enter");
                });
            });
            assert!(caught.is_err());
            assert!(Context::current().record().is_some());
        });
        assert!(Context::current().record().is_none());
    }

    #[test]
    fn inner_scopes_come_first_and_end_with_their_block() {
        let mut outer = context();
        outer.enter(|| {
            Context::current().record().unwrap().bind("tenant", "acme");
            Context::current().scoped([("file", "a.csv")]).enter(|| {
                Context::current()
                    .scoped([("row", 7)])
                    .enter(|| assert_eq!(names(), ["row", "file", "tenant"]));
            });
            assert_eq!(names(), ["tenant"]);
        });
    }

    #[tokio::test]
    async fn a_carried_future_keeps_its_request_in_another_task() {
        let context = context();
        context.record().unwrap().bind("tenant", "acme");
        let carried = context.carry(async { names() });
        assert_eq!(tokio::spawn(carried).await.unwrap(), ["tenant"]);
        assert!(names().is_empty());
    }

    #[test]
    fn entering_while_someone_looks_does_not_panic() {
        let mut inner = context();
        Context::with_current(|_| inner.enter(|| assert!(Context::current().record().is_none())));
        assert!(inner.record().is_some());
    }

    /// Knows which spans are entered.
    #[derive(Clone, Default)]
    struct Spans(Arc<std::sync::Mutex<Vec<u64>>>);

    impl tracing::Subscriber for Spans {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> Id {
            Id::from_u64(7)
        }
        fn record(&self, _: &Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &tracing::Event<'_>) {}
        fn enter(&self, id: &Id) {
            self.0.lock().unwrap().push(id.into_u64());
        }
        fn exit(&self, id: &Id) {
            assert_eq!(self.0.lock().unwrap().pop(), Some(id.into_u64()));
        }
    }

    #[test]
    fn the_span_of_the_request_is_entered_with_its_context_and_left_also_after_a_panic() {
        let spans = Spans::default();
        tracing::subscriber::with_default(spans.clone(), || {
            let mut context = context();
            context.enter(|| assert_eq!(*spans.0.lock().unwrap(), [7]));
            assert!(spans.0.lock().unwrap().is_empty());
            let inside = AssertUnwindSafe(|| context.enter(|| panic!("unwinds through enter")));
            assert!(std::panic::catch_unwind(inside).is_err());
            assert!(spans.0.lock().unwrap().is_empty());
        });
    }
}
