//! Where spans are sent to, and how.

use std::fmt;

use http::Uri;

use super::error::{SetupError, shown};

/// The wire protocol between this process and the collector.
///
/// ```
/// use bartizan_trace::setup::Protocol;
///
/// assert_eq!(Protocol::HttpProtobuf.to_string(), "http/protobuf");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// OTLP over gRPC, by habit on port 4317.
    Grpc,
    /// OTLP as protobuf over HTTP/1.1, by habit on port 4318.
    HttpProtobuf,
}

impl fmt::Display for Protocol {
    /// The name that `OTEL_EXPORTER_OTLP_PROTOCOL` has for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
        })
    }
}

impl Protocol {
    pub(super) fn parse(setting: &'static str, value: &str) -> Result<Self, SetupError> {
        match value.to_ascii_lowercase().as_str() {
            "grpc" => Ok(Self::Grpc),
            "http/protobuf" => Ok(Self::HttpProtobuf),
            _ => Err(SetupError::invalid(
                setting,
                shown(value),
                "grpc or http/protobuf",
                "every collector that takes http/json takes http/protobuf on the same port",
            )),
        }
    }
}

/// The collector's address as it was set, not yet checked.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// The variable or the method that set it, for errors.
    pub(super) setting: &'static str,
    pub(super) url: String,
    /// Set for traces alone, so it is used as it is; the path of the signal is not added.
    pub(super) complete: bool,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("setting", &self.setting).finish_non_exhaustive()
    }
}

/// An address that can be used.
pub(crate) struct Target {
    /// Feeds errors about what the address asks for.
    pub(crate) setting: &'static str,
    pub(crate) protocol: Protocol,
    /// With the path `/v1/traces` where the protocol and the setting need it.
    pub(crate) uri: Uri,
}

impl Target {
    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Scheme, host and port: what may be shown. Paths and queries of some vendors hold keys.
    pub(crate) fn origin(&self) -> String {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}", self.uri.scheme_str().unwrap_or("http"))
    }
}

impl Endpoint {
    /// Checks the address and settles the protocol.
    ///
    /// Without a protocol it is the specification's default, HTTP, except on port 4317: that is the
    /// port of gRPC on every collector, and HTTP sent there only fails.
    pub(super) fn resolve(&self, protocol: Option<Protocol>) -> Result<Target, SetupError> {
        let invalid =
            |found: &str, fix| SetupError::invalid(self.setting, found, "an http:// or https:// URL", fix);
        let uri: Uri =
            self.url.parse().map_err(|_| invalid("is not a URL", "write it as http://collector:4318"))?;
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(invalid(
                "does not begin with http:// or https://",
                "write it as http://collector:4317",
            ));
        };
        if authority.as_str().contains('@') {
            return Err(invalid(
                "holds a user or a password",
                "send credentials by OTEL_EXPORTER_OTLP_HEADERS, they are not taken from the URL",
            ));
        }
        let protocol = protocol.unwrap_or(match uri.port_u16() {
            Some(4317) => Protocol::Grpc,
            _ => Protocol::HttpProtobuf,
        });
        let uri = if self.complete || protocol == Protocol::Grpc {
            uri
        } else {
            with_path_of_signal(uri)
                .map_err(|_| invalid("is not a URL", "write it as http://collector:4318"))?
        };
        Ok(Target { setting: self.setting, protocol, uri })
    }
}

/// Adds to the path, and leaves a query where it is: some vendors have their keys in it.
fn with_path_of_signal(uri: Uri) -> Result<Uri, http::Error> {
    let mark = if uri.query().is_some() { "?" } else { "" };
    let (path, query) = (uri.path().trim_end_matches('/'), uri.query().unwrap_or_default());
    let path_and_query = [path, "/v1/traces", mark, query].concat();
    http::uri::Builder::from(uri).path_and_query(path_and_query).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(url: &str, protocol: Option<Protocol>) -> Result<(Protocol, String), String> {
        let endpoint = Endpoint { setting: "TEST", url: url.to_owned(), complete: false };
        endpoint
            .resolve(protocol)
            .map(|target| (target.protocol, target.uri.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_path_of_the_signal_is_added_for_http() {
        for url in ["http://c:4318", "http://c:4318/"] {
            assert_eq!(
                resolve(url, None).unwrap(),
                (Protocol::HttpProtobuf, "http://c:4318/v1/traces".into())
            );
        }
        assert_eq!(resolve("https://c/otlp", None).unwrap().1, "https://c/otlp/v1/traces");
        assert_eq!(resolve("https://c/otlp/?key=a/b", None).unwrap().1, "https://c/otlp/v1/traces?key=a/b");
    }

    #[test]
    fn an_address_set_for_traces_alone_is_used_as_it_is() {
        let endpoint = Endpoint { setting: "TEST", url: "http://c/in?key=1".into(), complete: true };
        let target = endpoint.resolve(None).unwrap();
        assert_eq!(target.uri.to_string(), "http://c/in?key=1");
        assert_eq!(target.origin(), "http://c");
    }

    #[test]
    fn port_4317_means_grpc_unless_a_protocol_is_set() {
        assert_eq!(resolve("http://c:4317", None).unwrap().0, Protocol::Grpc);
        let chosen = resolve("http://c:4317", Some(Protocol::HttpProtobuf)).unwrap();
        assert_eq!(chosen, (Protocol::HttpProtobuf, "http://c:4317/v1/traces".into()));
    }

    #[test]
    fn an_address_without_a_scheme_or_with_another_one_is_an_error() {
        for bad in ["collector:4317", "localhost", "ftp://c", "/v1/traces", "http://", "http://[::1"] {
            assert!(resolve(bad, None).unwrap_err().starts_with("TEST "), "{bad}");
        }
    }

    #[test]
    fn credentials_in_the_address_are_refused_and_never_shown() {
        let endpoint = Endpoint { setting: "TEST", url: "http://user:hunter2@c".into(), complete: false };
        let error = endpoint.resolve(None).err().unwrap();
        assert!(!format!("{error} {error:?} {endpoint:?}").contains("hunter2"));
    }

    #[test]
    fn http_json_is_an_error_that_names_the_choice() {
        let error = Protocol::parse("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json").unwrap_err().to_string();
        assert!(
            error.contains("OTEL_EXPORTER_OTLP_PROTOCOL") && error.contains("grpc or http/protobuf"),
            "{error}"
        );
    }
}
