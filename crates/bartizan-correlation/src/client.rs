//! The way out: the id of the request that is being worked on goes along with the calls that it makes.

use bartizan_core::{Context, CorrelationId, Ending, Exchange, Observe, ObserveLayer, Observer, Record};
use http::{HeaderName, Request};
use tower_layer::Layer;

use crate::layer::{CorrelationLayer, IdKind};

/// A tower layer for clients: every call carries the correlation id of the request that is being worked on, or a new one.
///
/// A request that has the header already keeps it. What comes back is not looked at.
///
/// ```
/// use bartizan_correlation::ClientCorrelationLayer;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // In place of this service: hyper-util's `Client`, or a tonic channel.
/// let client = ClientCorrelationLayer::new().layer(service_fn(|request: Request<Full<Bytes>>| async move {
///     assert!(request.headers().contains_key("x-correlation-id"));
///     Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::new())))
/// }));
/// client.oneshot(Request::get("http://stock/items").body(Full::new(Bytes::new())).unwrap()).await.unwrap();
/// # });
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCorrelationLayer(ObserveLayer<SendOn>);

impl ClientCorrelationLayer {
    /// Ids travel in `x-correlation-id`, new ones are UUIDs of version 4. For another header or kind, see
    /// [`CorrelationLayer::client`].
    pub fn new() -> Self {
        CorrelationLayer::new().client()
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer::client`].
    pub fn observer(&self) -> SendOn {
        self.0.observer().clone()
    }
}

impl Default for ClientCorrelationLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ClientCorrelationLayer {
    type Service = Observe<S, SendOn>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

impl CorrelationLayer {
    /// The layer for the calls that this service makes: the same header, the same kind of new ids.
    ///
    /// ```
    /// use bartizan_correlation::CorrelationLayer;
    ///
    /// let server = CorrelationLayer::request_id();
    /// let client = server.client();
    /// ```
    pub fn client(&self) -> ClientCorrelationLayer {
        let own = self.observer();
        ClientCorrelationLayer(ObserveLayer::client(SendOn { header: own.header, kind: own.kind }))
    }
}

/// The observer behind [`ClientCorrelationLayer`], for stacks that fuse several.
#[derive(Clone, Debug)]
pub struct SendOn {
    header: HeaderName,
    kind: IdKind,
}

/// One call with an id.
#[derive(Debug)]
pub struct SendOnExchange(());

impl Observer for SendOn {
    type Exchange = SendOnExchange;

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> SendOnExchange {
        let id = if let Some(own) = request.headers().get(&self.header) {
            CorrelationId::new(own.clone())
        } else {
            let id = current().unwrap_or_else(|| self.kind.make());
            request.headers_mut().insert(self.header.clone(), id.header_value().clone());
            Some(id)
        };
        if let Some(id) = id {
            record.set_correlation_id(id);
        }
        SendOnExchange(())
    }
}

impl Exchange for SendOnExchange {
    fn end(&mut self, _: &Ending, _: &Record) {}
}

/// The id of the request that is being worked on.
fn current() -> Option<CorrelationId> {
    Context::with_current(|context| context.record().and_then(Record::correlation_id).cloned()).flatten()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http::Response;
    use http_body_util::Full;
    use tower::{ServiceExt, service_fn};

    use super::*;

    /// The id that a call with this header carries.
    async fn sent(layer: &ClientCorrelationLayer, own: Option<&'static str>) -> String {
        let client = layer.layer(service_fn(|request: Request<Full<Bytes>>| async move {
            assert!(request.extensions().get::<Record>().is_none(), "the call's record is not the callee's");
            let mut values = request.headers().get_all("x-correlation-id").iter();
            let id = values.next().unwrap().to_str().unwrap().to_owned();
            assert!(values.next().is_none());
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(id))))
        }));
        let mut request = Request::new(Full::new(Bytes::new()));
        if let Some(own) = own {
            request.headers_mut().insert("x-correlation-id", own.parse().unwrap());
        }
        let body = client.oneshot(request).await.unwrap().into_body();
        let bytes = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn inside_a_request_its_id_goes_along() {
        let handler = service_fn(|_: Request<Full<Bytes>>| async {
            let layer = ClientCorrelationLayer::new();
            assert_eq!(sent(&layer, None).await, "order-17");
            assert_eq!(sent(&layer, Some("own")).await, "own", "a header that is there stays");
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        });
        let mut request = Request::new(Full::new(Bytes::new()));
        request.headers_mut().insert("x-correlation-id", "order-17".parse().unwrap());
        CorrelationLayer::new().layer(handler).oneshot(request).await.unwrap();
    }

    #[tokio::test]
    async fn outside_of_one_an_id_is_made() {
        let layer = CorrelationLayer::new().kind(IdKind::UuidV7).client();
        let id = sent(&layer, None).await;
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    }
}
