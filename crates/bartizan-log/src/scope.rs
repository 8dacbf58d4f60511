//! Fields that an application adds to its lines: for the rest of a request, or for a block.

use std::borrow::Cow;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bartizan_core::{Carried, Context, Value};
use pin_project_lite::pin_project;

/// Adds a field to every later line of the current request, whatever task writes it. Says whether it was taken: not
/// outside of a request, and not if the request has 32 fields already or the name is not allowed
/// (see [`Record::bind`](bartizan_core::Record::bind)). Binding a name again replaces its value.
///
/// ```
/// async fn handler() {
///     bartizan_log::bind("tenant_id", "acme");
///     bartizan_log::bind("user_id", 17);
/// }
/// ```
pub fn bind(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> bool {
    Context::with_current(|context| context.record().is_some_and(|record| record.bind(name, value)))
        .unwrap_or(false)
}

/// Fields for the lines of a block of code, in a request or outside of one. They end with the block; an inner name
/// hides an outer one.
///
/// ```
/// use bartizan_log::Scope;
///
/// # async fn import() -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example() -> Result<(), std::io::Error> {
/// let scope = Scope::new().field("file", "a.csv").field("rows", 300);
/// scope.run_result(import()).await?; // an error is logged as `block failed`, with these fields
/// # Ok(())
/// # }
///
/// let sum = Scope::new().field("step", "sum").call(|| 1 + 2);
/// assert_eq!(sum, 3);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a scope does nothing until something runs in it"]
pub struct Scope {
    fields: Vec<(Cow<'static, str>, Value)>,
}

impl Scope {
    /// A scope without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field, under the same rules as [`bind`].
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Runs a future in this scope, wherever it is polled. The request that is current now stays current in it.
    pub fn run<F: Future>(self, future: F) -> Carried<F> {
        self.context().carry(future)
    }

    /// Like [`run`](Self::run), and logs an error that leaves the block: an `ERROR` event `block failed` with the
    /// error's text in `error`.
    pub fn run_result<F, T, E>(self, future: F) -> Carried<ErrorLogged<F>>
    where
        F: Future<Output = Result<T, E>>,
        E: Display,
    {
        self.run(ErrorLogged { future })
    }

    /// Runs a closure in this scope.
    pub fn call<T>(self, work: impl FnOnce() -> T) -> T {
        self.context().enter(work)
    }

    /// Like [`call`](Self::call), and logs an error that leaves the block.
    ///
    /// # Errors
    ///
    /// That of `work`.
    pub fn call_result<T, E: Display>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.call(|| work().inspect_err(log))
    }

    fn context(self) -> Context {
        Context::current().scoped(self.fields)
    }
}

fn log(error: &impl Display) {
    tracing::error!(target: "bartizan::scope", error = %error, "block failed");
}

pin_project! {
    /// A future that logs the error it ends in: part of what [`Scope::run_result`] returns.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct ErrorLogged<F> {
        #[pin]
        future: F,
    }
}

impl<F, T, E> Future for ErrorLogged<F>
where
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().future.poll(cx)).inspect_err(log))
    }
}
