//! OTLP over gRPC.

use std::time::Duration;

use http::HeaderMap;
use opentelemetry_otlp::{Compression, SpanExporter, WithExportConfig, WithTonicConfig};
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

use super::Transport;
use crate::setup::SetupError;

/// Finds out about peers that have gone without a word, between exports.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Makes the exporter; it connects with the first batch. Must be called inside a runtime.
pub(super) fn exporter(transport: &Transport) -> Result<SpanExporter, SetupError> {
    let failed = |error: &dyn std::error::Error| SetupError::Exporter(error.to_string());
    let endpoint = Endpoint::from(transport.target.uri.clone())
        .timeout(transport.timeout)
        .connect_timeout(transport.timeout)
        .tcp_keepalive(Some(KEEPALIVE));
    #[cfg(feature = "otlp-tls")]
    let endpoint = if transport.target.is_https() {
        endpoint
            .tls_config(super::tls::grpc_config(transport.ca.as_ref())?)
            .map_err(|error| failed(&error))?
    } else {
        endpoint
    };
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_channel(endpoint.connect_lazy())
        .with_timeout(transport.timeout)
        .with_interceptor(AddHeaders::new(&transport.headers));
    if transport.gzip {
        exporter = exporter.with_compression(Compression::Gzip);
    }
    exporter.build().map_err(|error| failed(&error))
}

/// Sets the headers on every call, last, so that they win over what the library reads from the
/// process environment by itself.
#[derive(Clone)]
struct AddHeaders(Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>);

impl AddHeaders {
    fn new(headers: &HeaderMap) -> Self {
        let pairs = headers.iter().filter_map(|(name, value)| {
            let key = MetadataKey::from_bytes(name.as_str().as_bytes()).ok()?;
            let mut value = MetadataValue::try_from(value.as_bytes()).ok()?;
            value.set_sensitive(true);
            Some((key, value))
        });
        Self(pairs.collect())
    }
}

impl Interceptor for AddHeaders {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (key, value) in &self.0 {
            request.metadata_mut().insert(key.clone(), value.clone());
        }
        Ok(request)
    }
}
