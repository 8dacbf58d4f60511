//! The fused stack of calls that go out: one service, one future and one body for all concerns.

use bartizan_core::{Observe, ObserveLayer, Routes};
use bartizan_correlation::SendOn;
use bartizan_metrics::red::ClientRed;
use bartizan_trace::client::ClientTrace;
use tower_layer::Layer;

use crate::observability::Observability;

/// The observers of calls that go out, in the order they are told. What is `None` is switched off.
pub type ClientObservers = (Option<SendOn>, Option<ClientTrace>, Option<ClientRed>);

/// The service that [`ClientLayer`] makes.
pub type ClientStack<S> = Observe<S, ClientObservers>;

/// Correlation id, trace and RED metrics of the calls that this service makes: what [`Observability::client_layer`] returns.
///
/// With the feature `reqwest` it is a middleware of `reqwest-middleware` as well.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientLayer {
    pub(crate) observe: ObserveLayer<ClientObservers>,
}

impl ClientLayer {
    pub(crate) fn new(observers: ClientObservers) -> Self {
        Self { observe: ObserveLayer::client(observers) }
    }

    /// How the templates of URLs are found, for the names of spans: by a function, or by prefixes of the path. Default: not at all.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    /// use bartizan::core::Routes;
    ///
    /// let observability = Observability::builder("orders").init()?;
    /// let layer = observability.client_layer().templates(Routes::new().prefix("/items/{id}")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn templates(self, templates: Routes) -> Self {
        Self { observe: self.observe.changed(|_, settings| settings.routes = templates) }
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientStack<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.observe.layer(inner)
    }
}

impl Observability {
    /// The stack for calls that go out, as one tower layer: the correlation id and the trace go along, the call is a span and is
    /// counted by where it went. Put it inside of what retries, so that each attempt is one call.
    ///
    /// Around hyper-util's `Client`:
    ///
    /// ```no_run
    /// use bartizan::Observability;
    /// use bytes::Bytes;
    /// use http::Request;
    /// use http_body_util::{BodyExt, Full};
    /// use hyper_util::client::legacy::Client;
    /// use hyper_util::rt::TokioExecutor;
    /// use tower::{Layer, ServiceExt};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let observability = Observability::builder("orders").init()?;
    /// let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    /// let client = observability.client_layer().layer(client);
    ///
    /// let request = Request::get("http://stock:8080/items/7").body(Full::default())?;
    /// let response = client.clone().oneshot(request).await?;
    /// let body = response.into_body().collect().await?.to_bytes();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Around a tonic channel; the origin, which the channel knows but does not tell, is for the metrics and the span:
    ///
    /// ```no_run
    /// use bartizan::Observability;
    /// use tonic::transport::Endpoint;
    /// use tower::Layer;
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let observability = Observability::builder("orders").init()?;
    /// let endpoint = Endpoint::from_static("http://stock:50051");
    /// let channel = observability.client_layer().layer(endpoint.connect_lazy());
    ///
    /// // A generated client is made in the same way: `StockClient::with_origin(channel, ..)`.
    /// let client = tonic::client::Grpc::with_origin(channel, endpoint.uri().clone());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Why a call failed is told by its error's type: hyper-util's, tonic's and reqwest's are known by the features that are named
    /// after them.
    pub fn client_layer(&self) -> ClientLayer {
        self.0.client.clone()
    }
}
