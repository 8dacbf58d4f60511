//! OTLP as protobuf over HTTP/1.1.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::HeaderMap;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Compression, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};

use super::Transport;
use crate::setup::SetupError;

/// Finds out about peers that have gone without a word, between exports.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Makes the exporter; it connects with the first batch.
pub(super) fn exporter(transport: &Transport) -> Result<SpanExporter, SetupError> {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(transport.timeout));
    connector.set_keepalive(Some(KEEPALIVE));
    connector.set_nodelay(true);
    #[cfg(feature = "otlp-tls")]
    let connector = {
        connector.enforce_http(false);
        hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(super::tls::http_config(transport.ca.as_ref())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector)
    };
    let client = HyperClient::new(connector, transport.timeout, None);
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(WithHeaders { client, headers: transport.headers.clone() })
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(transport.target.uri.to_string())
        .with_timeout(transport.timeout);
    if transport.gzip {
        exporter = exporter.with_compression(Compression::Gzip);
    }
    exporter.build().map_err(|error| SetupError::Exporter(error.to_string()))
}

/// Sets the headers on every request, last, so that they win over what the library reads from the
/// process environment by itself.
struct WithHeaders<C: Connect + Clone + Send + Sync + 'static> {
    client: HyperClient<C>,
    headers: HeaderMap,
}

impl<C: Connect + Clone + Send + Sync + 'static> fmt::Debug for WithHeaders<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithHeaders")
    }
}

impl<C> HttpClient for WithHeaders<C>
where
    C: Connect + Clone + Send + Sync + 'static,
    HyperClient<C>: fmt::Debug,
{
    fn send_bytes<'a, 'future>(
        &'a self,
        mut request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'a: 'future,
        Self: 'future,
    {
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        self.client.send_bytes(request)
    }
}
