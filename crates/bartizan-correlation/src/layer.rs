//! The layer and its settings.

use bartizan_core::{Observe, ObserveLayer, Settings};
use http::HeaderName;
use thiserror::Error;
use tower_layer::Layer;

use crate::observer::Correlation;

/// What kind of id is made where none came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum IdKind {
    /// A random UUID. The default.
    #[default]
    UuidV4,
    /// A UUID that begins with the time, so that ids sort by it.
    UuidV7,
}

/// A header name that cannot be used.
#[derive(Debug, Error)]
#[error("correlation header {0:?}: give a header name such as x-correlation-id")]
pub struct CorrelationError(String);

/// A tower layer that gives every request a correlation id.
///
/// Defaults: header `x-correlation-id`, incoming ids are trusted if valid, new ids are UUIDs of version 4.
///
/// ```
/// use bartizan_correlation::{CorrelationLayer, IdKind};
///
/// let layer = CorrelationLayer::request_id().kind(IdKind::UuidV7);
/// let edge = CorrelationLayer::new().trust_incoming(false);
/// let named = CorrelationLayer::header("x-amzn-trace")?;
/// # Ok::<(), bartizan_correlation::CorrelationError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CorrelationLayer(ObserveLayer<Correlation>);

impl CorrelationLayer {
    /// Ids travel in `x-correlation-id`.
    pub fn new() -> Self {
        Self::named(HeaderName::from_static("x-correlation-id"))
    }

    /// Ids travel in `x-request-id`.
    pub fn request_id() -> Self {
        Self::named(HeaderName::from_static("x-request-id"))
    }

    /// Ids travel in the header of this name.
    ///
    /// # Errors
    ///
    /// [`CorrelationError`] for what is no header name.
    pub fn header(name: &str) -> Result<Self, CorrelationError> {
        let header = name.parse().map_err(|_| CorrelationError(name.chars().take(64).collect()))?;
        Ok(Self::named(header))
    }

    fn named(header: HeaderName) -> Self {
        let correlation = Correlation { header, kind: IdKind::default(), trust_incoming: true };
        Self(ObserveLayer::new(correlation))
    }

    /// What kind of id is made.
    pub fn kind(self, kind: IdKind) -> Self {
        Self(self.0.changed(|correlation, _| correlation.kind = kind))
    }

    /// Whether valid incoming ids are taken over. Switch it off where anyone can call.
    pub fn trust_incoming(self, trust: bool) -> Self {
        Self(self.0.changed(|correlation, _| correlation.trust_incoming = trust))
    }

    /// How routes and clients are found, where this is the outermost bartizan layer.
    pub fn settings(self, settings: Settings) -> Self {
        Self(self.0.changed(|_, own| *own = settings))
    }

    /// The observer alone, to be fused with others in one [`ObserveLayer`].
    pub fn observer(&self) -> Correlation {
        self.0.observer().clone()
    }
}

impl Default for CorrelationLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for CorrelationLayer {
    type Service = Observe<S, Correlation>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bartizan_core::{CorrelationId, Observer, Record};
    use bytes::Bytes;
    use http::{HeaderValue, Request, Response};
    use http_body_util::Full;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::{CorrelationExchange, ids_replaced_total};

    /// The id that the handler saw, and the one that was echoed.
    async fn ids(layer: CorrelationLayer, values: &[&[u8]]) -> (String, String) {
        let service = layer.layer(service_fn(|request: Request<_>| async move {
            let record: &Record = request.extensions().get().unwrap();
            let seen = record.correlation_id().map(CorrelationId::to_string).unwrap();
            for value in request.headers().get_all("x-correlation-id") {
                assert_eq!(*value, *seen, "nothing else is left to be logged or sent on");
            }
            Ok::<_, Infallible>(
                Response::builder().header("seen", seen).body(Full::new(Bytes::new())).unwrap(),
            )
        }));
        let mut request = Request::new(Full::new(Bytes::new()));
        for value in values {
            request.headers_mut().append("x-correlation-id", HeaderValue::from_bytes(value).unwrap());
        }
        let response = service.oneshot(request).await.unwrap();
        let text = |name| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(response.headers().get_all("x-correlation-id").iter().count(), 1);
        (text("seen"), text("x-correlation-id"))
    }

    #[tokio::test]
    async fn a_valid_id_is_taken_over_and_echoed() {
        let longest = [b'x'; 128];
        for id in [&b"order-17"[..], b"A.b_c:d/e+f=g@h-9", &longest] {
            let (seen, echoed) = ids(CorrelationLayer::new(), &[id]).await;
            assert_eq!((seen.as_bytes(), echoed.as_bytes()), (id, id));
        }
    }

    #[tokio::test]
    async fn a_hostile_id_is_replaced_by_a_uuid_and_counted() {
        let too_long = [b'x'; 129];
        let huge = vec![b'x'; 65_536];
        let hostile: [&[u8]; 7] =
            [b"", b"a b", b"<script>", "gr\u{fc}n".as_bytes(), b"tab\there", &too_long, &huge];
        for id in hostile {
            let before = ids_replaced_total();
            let (seen, echoed) = ids(CorrelationLayer::new(), &[id]).await;
            assert_eq!(seen, echoed);
            assert_eq!(uuid::Uuid::parse_str(&seen).unwrap().get_version_num(), 4);
            assert!(ids_replaced_total() > before);
        }
    }

    #[tokio::test]
    async fn a_proxy_does_not_pass_on_what_was_replaced() {
        for (layer, came) in [
            (CorrelationLayer::new(), &["<script>"][..]),
            (CorrelationLayer::new(), &["one", "two"]),
            (CorrelationLayer::new().trust_incoming(false), &["order-17"]),
        ] {
            let backend = layer.client().layer(service_fn(|request: Request<Full<Bytes>>| async move {
                let (head, body) = request.into_parts();
                let mut response = Response::new(body);
                *response.headers_mut() = head.headers;
                Ok::<_, Infallible>(response)
            }));
            let proxy = service_fn(move |request| backend.clone().oneshot(request));
            let mut request = Request::new(Full::new(Bytes::new()));
            for id in came {
                request.headers_mut().append("x-correlation-id", id.parse().unwrap());
            }
            let proxy = layer.layer(proxy.map_response(|mut response: Response<_>| {
                let sent: Vec<_> = response.headers().get_all("x-correlation-id").iter().cloned().collect();
                assert_eq!(sent.len(), 1);
                response.headers_mut().insert("sent", sent[0].clone());
                response
            }));
            let response = proxy.oneshot(request).await.unwrap();
            assert_eq!(response.headers()["sent"], response.headers()["x-correlation-id"], "{came:?}");
        }
    }

    #[tokio::test]
    async fn an_id_that_came_twice_is_replaced() {
        let (seen, _) = ids(CorrelationLayer::new(), &[b"one", b"two"]).await;
        assert!(uuid::Uuid::parse_str(&seen).is_ok());
    }

    #[tokio::test]
    async fn at_the_edge_no_incoming_id_is_trusted() {
        let (seen, _) = ids(CorrelationLayer::new().trust_incoming(false), &[b"order-17"]).await;
        assert!(uuid::Uuid::parse_str(&seen).is_ok());
    }

    #[tokio::test]
    async fn version_seven_is_made_when_asked_for() {
        let (seen, _) = ids(CorrelationLayer::new().kind(IdKind::UuidV7), &[]).await;
        assert_eq!(uuid::Uuid::parse_str(&seen).unwrap().get_version_num(), 7);
    }

    #[tokio::test]
    async fn of_two_layers_the_outer_ones_id_counts() {
        let inner = CorrelationLayer::request_id();
        let service = CorrelationLayer::new()
            .layer(inner.layer(service_fn(|_| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
            })));
        let response = service.oneshot(Request::new(Full::new(Bytes::new()))).await.unwrap();
        assert_eq!(response.headers()["x-correlation-id"], response.headers()["x-request-id"]);
    }

    /// An observer that does not ask for the record to be left with the request.
    struct Unshared;

    impl Observer for Unshared {
        type Exchange = Option<CorrelationExchange>;

        fn shares_record(&self) -> bool {
            false
        }

        fn begin<B>(&self, _: &mut Request<B>, _: &Record) -> Self::Exchange {
            None
        }
    }

    #[tokio::test]
    async fn the_id_is_with_the_request_also_inside_of_a_layer_that_leaves_nothing_there() {
        let handler = service_fn(|request: Request<_>| async move {
            let record: Option<&Record> = request.extensions().get();
            assert_eq!(record.and_then(Record::correlation_id).map(CorrelationId::as_str), Some("order-17"));
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        });
        let service = ObserveLayer::new(Unshared).layer(CorrelationLayer::new().layer(handler));
        let mut request = Request::new(Full::new(Bytes::new()));
        request.headers_mut().insert("x-correlation-id", HeaderValue::from_static("order-17"));
        service.oneshot(request).await.unwrap();
    }

    #[test]
    fn a_bad_header_name_is_named_in_the_error() {
        let error = CorrelationLayer::header("not a name").unwrap_err().to_string();
        assert!(error.contains("not a name"), "{error}");
    }
}
