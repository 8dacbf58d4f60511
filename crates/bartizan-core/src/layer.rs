//! [`ObserveLayer`] and [`Observe`]: the one service wrapper under every bartizan layer.

use std::fmt;
use std::sync::Arc;
use std::task::{self, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::client::Trust;
use crate::clock::Clock;
use crate::future::ResponseFuture;
use crate::kept::Kept;
use crate::live::Live;
use crate::observer::Observer;
use crate::record::{Left, Record};
use crate::request_body;
use crate::route::Routes;
use crate::side::Side;

/// A tower layer that lets an [`Observer`] (or a tuple of them) watch every exchange.
///
/// The settings count where this is the outermost bartizan layer: that one makes the [`Record`].
///
/// ```
/// use bartizan_core::{ObserveLayer, Routes, Settings, Trust};
/// # use bartizan_core::{Ending, Exchange, Observer, Record};
/// # struct Watch; struct Watched;
/// # impl Observer for Watch { type Exchange = Watched; fn begin<B>(&self, _: &mut http::Request<B>, _: &Record) -> Watched { Watched } }
/// # impl Exchange for Watched { fn end(&mut self, _: &Ending, _: &Record) {} }
///
/// let layer = ObserveLayer::with_settings(Watch, Settings {
///     routes: Routes::new().prefix("/files/{*path}")?,
///     trust: Trust::hops(1),
///     ..Settings::default()
/// });
/// # Ok::<(), bartizan_core::RouteError>(())
/// ```
pub struct ObserveLayer<O>(Arc<Shared<O>>);

struct Shared<O> {
    side: Side,
    observer: O,
    settings: Settings,
}

/// What the outermost layer needs to make a [`Record`], and every layer to measure.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How routes are found. Default: only what the host matched.
    pub routes: Routes,
    /// Whose forwarded headers are believed. Default: nobody's.
    pub trust: Trust,
    /// The clock that measures. Default: the system's monotonic clock.
    pub clock: Clock,
}

impl<O: Observer> ObserveLayer<O> {
    /// A layer with default [`Settings`].
    pub fn new(observer: O) -> Self {
        Self::with_settings(observer, Settings::default())
    }

    /// A layer with these settings.
    pub fn with_settings(observer: O, settings: Settings) -> Self {
        Self(Arc::new(Shared { side: Side::Server, observer, settings }))
    }

    /// A layer for calls that go out: around hyper-util's `Client`, a tonic channel, or any other service that sends requests.
    ///
    /// It ends each call exactly once, as for requests that come in, but leaves the caller's request alone: log lines meanwhile
    /// belong to that one, and the call's own [`Record`] is known to the observer only. Of the [`Settings`], the routes name
    /// templates for the URLs that are called, and the trust is not asked.
    ///
    /// ```
    /// use bartizan_core::{Ending, Exchange, ObserveLayer, Observer, Record};
    /// # struct Watch; struct Watched;
    /// # impl Observer for Watch { type Exchange = Watched; fn begin<B>(&self, _: &mut http::Request<B>, _: &Record) -> Watched { Watched } }
    /// impl Exchange for Watched {
    ///     fn end(&mut self, ending: &Ending, _: &Record) {
    ///         println!("called, and it ended as {:?}", ending.error_type().unwrap_or("a success"));
    ///     }
    /// }
    ///
    /// let layer = ObserveLayer::client(Watch);
    /// ```
    pub fn client(observer: O) -> Self {
        Self(Arc::new(Shared { side: Side::Client, observer, settings: Settings::default() }))
    }

    /// The observer.
    pub fn observer(&self) -> &O {
        &self.0.observer
    }

    /// A layer of its own with a changed observer or changed [`Settings`]: for the builder methods of layers that wrap this one.
    /// `layer` itself shares: axum calls it for every request.
    #[must_use]
    pub fn changed(&self, change: impl FnOnce(&mut O, &mut Settings)) -> Self
    where
        O: Clone,
    {
        let mut observer = self.0.observer.clone();
        let mut settings = self.0.settings.clone();
        change(&mut observer, &mut settings);
        Self(Arc::new(Shared { side: self.0.side, observer, settings }))
    }
}

impl<S, O> Layer<S> for ObserveLayer<O> {
    type Service = Observe<S, O>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe { inner, shared: Arc::clone(&self.0) }
    }
}

impl<O> Clone for ObserveLayer<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O> fmt::Debug for ObserveLayer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserveLayer").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// A service whose exchanges are watched: what [`ObserveLayer`] makes of the inner one.
///
/// A layer that is met twice on a request's way, on a router and on a part of it say, watches it once.
///
/// It works for any `Service<http::Request<B>, Response = http::Response<R>>`. Readiness, errors and the
/// type of the request's body stay as they are; the response's body is wrapped without a box. Errors need no trait, but must
/// not borrow: those of calls that go out are [classified](crate::Failure) by their type.
pub struct Observe<S, O> {
    inner: S,
    shared: Arc<Shared<O>>,
}

impl<S, O, B, R> Service<Request<B>> for Observe<S, O>
where
    S: Service<Request<B>, Response = Response<R>>,
    O: Observer,
    B: Body + 'static,
    S::Error: 'static,
    R: Body,
{
    type Response = Response<ResponseBody<R, O::Exchange>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, O::Exchange>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut live =
            if self.shared.observer.is_on() { self.shared.begin(&mut request) } else { Kept::default() };
        let Some(watched) = live.get_mut() else {
            return ResponseFuture::new(self.inner.call(request), live);
        };
        let (entered, state) = watched.within();
        let polling = state.polling();
        let inner = self.inner.call(request);
        polling.done();
        drop(entered);
        ResponseFuture::new(inner, live)
    }
}

impl<O: Observer> Shared<O> {
    #[inline]
    fn begin<B: Body + 'static>(&self, request: &mut Request<B>) -> Kept<Live<O::Exchange>> {
        let Self { side, observer, settings } = self;
        let started = settings.clock.now();
        let maker = std::ptr::from_ref(self).addr();
        let known = match side {
            Side::Client => None,
            Side::Server => Record::of(request),
        };
        let again = known.as_ref().is_some_and(|record| record.is_made_by(maker));
        let mut live = Kept::new(|left| {
            let record = match known {
                Some(record) => {
                    if observer.shares_record() {
                        record.share(request);
                    }
                    record.refine(request, &settings.routes);
                    record
                }
                None => self.record(request, maker, left),
            };
            Live::new(record, settings.clock, started)
        });
        if let (Some(live), false) = (live.get_mut(), again) {
            live.watch(|record| observer.begin(request, record));
        }
        live
    }

    /// Makes the record of a request that no layer has seen yet.
    fn record<B: Body + 'static>(&self, request: &mut Request<B>, maker: usize, left: Left) -> Record {
        let Settings { routes, trust, .. } = &self.settings;
        let record = match self.side {
            Side::Client => Record::make_outbound(request, routes, maker, left),
            Side::Server => Record::make(request, routes, trust, maker, self.observer.shares_record(), left),
        };
        request_body::count(request, &record);
        record
    }
}

impl<S: Clone, O> Clone for Observe<S, O> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug, O> fmt::Debug for Observe<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observe").field("inner", &self.inner).finish_non_exhaustive()
    }
}
