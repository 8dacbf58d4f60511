//! Another service's answer to a GET.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header::USER_AGENT, uri::Scheme};
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;

use super::with_causes;
use crate::{Check, Health, HealthError};

#[cfg(feature = "http-tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "http-tls"))]
type Connector = HttpConnector;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("bartizan-health/", env!("CARGO_PKG_VERSION")));

/// Sends a GET (feature `http`; over TLS `http-tls`).
///
/// A status of 200 to 399 is healthy, as for the probes of Kubernetes; redirects are not followed, and the body is
/// not read. Each run makes a connection of its own, by HTTP/1.1, so that it finds what a new client would find.
/// Details are the `status`.
///
/// ```
/// use bartizan_health::{Registry, checks::HttpCheck};
/// use http::{HeaderValue, header::AUTHORIZATION};
///
/// let mut token = HeaderValue::from_static("Bearer s3cret");
/// token.set_sensitive(true);
/// let orders = HttpCheck::new("http://orders.internal:8080/readyz")?.header(AUTHORIZATION, token);
/// Registry::new().register("orders", orders)?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone)]
pub struct HttpCheck {
    client: Client<Connector, Empty<Bytes>>,
    uri: Uri,
    headers: HeaderMap,
}

impl HttpCheck {
    /// Over TLS it trusts the root certificates of Mozilla.
    ///
    /// # Errors
    ///
    /// It is no absolute URL of `http`, or with the feature `http-tls` of `https`; or it has a user or password,
    /// for which there is [`header`](Self::header).
    pub fn new(url: &str) -> Result<Self, HealthError> {
        let uri: Uri = url.parse().map_err(|_| HealthError::Url { reason: "it cannot be read" })?;
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(HealthError::Url { reason: "it has no host, or has a user in front of it" });
        }
        if uri.scheme() == Some(&Scheme::HTTPS) && !cfg!(feature = "http-tls") {
            return Err(HealthError::Url { reason: "`https` needs the feature `http-tls`" });
        }
        if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(HealthError::Url { reason: "it is neither `http` nor `https`" });
        }
        let headers = [(USER_AGENT, AGENT)].into_iter().collect();
        let connector = connector().ok_or(HealthError::Url { reason: "TLS cannot be set up" })?;
        Ok(Self { client: client(connector), uri, headers })
    }

    /// Sends a header too; a second one of that name takes the place of the first.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Uses these settings of TLS, for root certificates of your own or a client certificate (feature `http-tls`).
    #[cfg(feature = "http-tls")]
    #[must_use]
    pub fn tls(mut self, mut config: rustls::ClientConfig) -> Self {
        // The connector sets it, and takes it ill if somebody else does.
        config.alpn_protocols.clear();
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
        self.client = client(builder.https_or_http().enable_http1().build());
        self
    }
}

fn client(connector: Connector) -> Client<Connector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
}

/// None if the provider has no version of TLS that is safe, which this one has.
#[cfg(feature = "http-tls")]
fn connector() -> Option<Connector> {
    // By name, as a process may have no default provider of cryptography, or another one.
    let provider = rustls::crypto::ring::default_provider();
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider).ok()?;
    Some(builder.https_or_http().enable_http1().build())
}

#[cfg(not(feature = "http-tls"))]
fn connector() -> Option<Connector> {
    Some(HttpConnector::new())
}

impl Check for HttpCheck {
    async fn check(&self) -> Health {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let status = match self.client.request(request).await {
            Ok(response) => response.status(),
            Err(error) => return Health::unhealthy(with_causes(&error)),
        };
        let health = if (200..400).contains(&status.as_u16()) {
            Health::healthy()
        } else {
            Health::unhealthy(format!("answered {status}"))
        };
        health.with_details(json!({ "status": status.as_u16() }))
    }

    fn is_dependency(&self) -> bool {
        true
    }

    fn is_cancel_safe(&self) -> bool {
        true
    }
}

impl fmt::Debug for HttpCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.uri.authority().map(http::uri::Authority::as_str);
        f.debug_struct("HttpCheck").field("host", &host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_asked_is_refused_and_not_repeated() {
        for url in [
            "",
            "/readyz",
            "orders.internal",
            "ftp://s3cret",
            "http://app:s3cret@orders.internal/",
            "http://s3cret@orders.internal/",
            "http://s3 cret/",
            "unix:///s3cret",
        ] {
            let error = HttpCheck::new(url).unwrap_err();
            assert!(matches!(error, HealthError::Url { .. }) && !error.to_string().contains("cret"), "{url}");
        }
        assert!(HttpCheck::new("http://orders.internal/readyz?x=1").is_ok());
        assert_eq!(HttpCheck::new("https://orders.internal/").is_ok(), cfg!(feature = "http-tls"));
    }

    #[test]
    fn neither_query_nor_headers_are_in_debug() {
        let check = HttpCheck::new("http://orders.internal/?key=s3cret").unwrap();
        let check = check.header(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"));
        assert_eq!(format!("{check:?}"), r#"HttpCheck { host: Some("orders.internal"), .. }"#);
    }
}
