//! The names of OpenTelemetry's semantic conventions, version 1.44, in one table.
//!
//! HTTP names are stable; RPC names are a release candidate. Attribute values that the conventions
//! fix are at the end.
//!
//! ```
//! use bartizan_trace::conventions;
//! use bartizan_trace::opentelemetry::KeyValue;
//!
//! let method = KeyValue::new(conventions::HTTP_REQUEST_METHOD, "GET");
//! assert_eq!(method.key.as_str(), "http.request.method");
//! ```

/// The schema that all names here belong to.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* #[doc = concat!("\n\n`", $value, "`")] pub const $name: &str = $value;)*

        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($name), $value)),*];
    };
}

names! {
    /// The address of the client behind all trusted proxies.
    CLIENT_ADDRESS = "client.address";
    /// The port of the client.
    CLIENT_PORT = "client.port";
    /// What kind of error ended the operation; absent on success.
    ERROR_TYPE = "error.type";

    /// The method, or `_OTHER`.
    HTTP_REQUEST_METHOD = "http.request.method";
    /// The method as it was sent, where it is not a known one.
    HTTP_REQUEST_METHOD_ORIGINAL = "http.request.method_original";
    /// Bytes of the request body on the wire.
    HTTP_REQUEST_BODY_SIZE = "http.request.body.size";
    /// How often a client has sent the request again.
    HTTP_REQUEST_RESEND_COUNT = "http.request.resend_count";
    /// Bytes of the response body on the wire.
    HTTP_RESPONSE_BODY_SIZE = "http.response.body.size";
    /// The status as an integer.
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code";
    /// The matched route template; never the path.
    HTTP_ROUTE = "http.route";

    /// The address of the other end of the connection.
    NETWORK_PEER_ADDRESS = "network.peer.address";
    /// The port of the other end of the connection.
    NETWORK_PEER_PORT = "network.peer.port";
    /// The protocol where it is not HTTP.
    NETWORK_PROTOCOL_NAME = "network.protocol.name";
    /// `1.0`, `1.1`, `2` or `3`.
    NETWORK_PROTOCOL_VERSION = "network.protocol.version";

    /// `{package}.{Service}/{Method}`, or `_OTHER`.
    RPC_METHOD = "rpc.method";
    /// The method as it was sent, where the server has none such.
    RPC_METHOD_ORIGINAL = "rpc.method_original";
    /// The name of the gRPC status code, `OK` included.
    RPC_RESPONSE_STATUS_CODE = "rpc.response.status_code";
    /// Which RPC system it is.
    RPC_SYSTEM_NAME = "rpc.system.name";

    /// The host that the client asked for.
    SERVER_ADDRESS = "server.address";
    /// The port that the client asked for.
    SERVER_PORT = "server.port";

    /// The whole URL, masked.
    URL_FULL = "url.full";
    /// The path.
    URL_PATH = "url.path";
    /// The query, masked.
    URL_QUERY = "url.query";
    /// `http` or `https`.
    URL_SCHEME = "url.scheme";
    /// The template of a client's request.
    URL_TEMPLATE = "url.template";
    /// The `User-Agent` header.
    USER_AGENT_ORIGINAL = "user_agent.original";

    /// The environment of a deployment, as `production`.
    DEPLOYMENT_ENVIRONMENT_NAME = "deployment.environment.name";
    /// The name of the host.
    HOST_NAME = "host.name";
    /// The id of the process.
    PROCESS_PID = "process.pid";
    /// One running instance of a service.
    SERVICE_INSTANCE_ID = "service.instance.id";
    /// The name of a service.
    SERVICE_NAME = "service.name";
    /// The version of a service.
    SERVICE_VERSION = "service.version";

    /// The value of `http.request.method`, `rpc.method` and `error.type` for what is not known.
    OTHER = "_OTHER";
    /// The value of `rpc.system.name` for gRPC.
    GRPC = "grpc";
    /// What a span's name begins with if the method is `_OTHER`.
    HTTP = "HTTP";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_constant_is_named_as_its_value_and_no_value_is_listed_twice() {
        for (at, (name, value)) in ALL.iter().enumerate() {
            let expected = value.trim_start_matches('_').replace(['.', '-'], "_").to_uppercase();
            assert_eq!(*name, expected);
            assert!(ALL[..at].iter().all(|(_, other)| other != value), "{value} is there twice");
        }
    }
}
