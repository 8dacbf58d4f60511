//! Every code in every shape that tonic gives an answer.

use futures_util::{StreamExt, stream};
use tonic::Code;

use crate::server::{Told, ask, client, request, turn};

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

fn codes() -> impl Iterator<Item = (Code, &'static str)> {
    (0..).map(Code::from_i32).zip(NAMES)
}

/// The status that the client saw, and its correlation id.
fn seen<T>(result: Result<tonic::Response<T>, tonic::Status>) -> (Code, Option<String>) {
    let id = |metadata: &tonic::metadata::MetadataMap| {
        metadata.get("x-correlation-id").map(|id| id.to_str().unwrap().to_owned())
    };
    match result {
        Ok(response) => (Code::Ok, id(response.metadata())),
        Err(status) => (status.code(), id(status.metadata())),
    }
}

#[tokio::test]
async fn trailers_only() {
    let _turn = turn().await;
    let mut client = client().await;
    // From the first call that succeeds the method is known.
    client.unary(ask(Code::Ok, 0)).await.unwrap();
    for (code, name) in codes() {
        let told = Told::status("/demo.v1.Echo/Unary", name, 1, u64::from(code == Code::Ok));
        let before = told.handled();
        let (id, request) = request(ask(code, 0));
        assert_eq!(seen(client.unary(request).await), (code, Some(id.clone())), "{name}");
        told.check(&id, before).await;
    }
}

#[tokio::test]
async fn trailers_after_messages() {
    let _turn = turn().await;
    let mut client = client().await;
    client.server_stream(ask(Code::Ok, 1)).await.unwrap().into_inner().count().await;
    for (code, name) in codes() {
        let told = Told::status("/demo.v1.Echo/ServerStream", name, 1, 3);
        let before = told.handled();
        let (id, request) = request(ask(code, 3));
        let response = client.server_stream(request).await.unwrap();
        assert_eq!(response.metadata().get("x-correlation-id").unwrap().to_str().unwrap(), id);
        let items: Vec<_> = response.into_inner().collect().await;
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 3, "{name}");
        let end = items.into_iter().find_map(Result::err).map_or(Code::Ok, |status| status.code());
        assert_eq!(end, code, "{name}");
        told.check(&id, before).await;
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream() {
    let _turn = turn().await;
    let mut client = client().await;
    client.bidi(stream::iter([ask(Code::Ok, 0)])).await.unwrap().into_inner().count().await;
    for (code, name) in codes().skip(1) {
        let (id, request) = request(stream::iter([ask(Code::Ok, 0), ask(code, 0), ask(Code::Ok, 0)]));
        let mut replies = client.bidi(request).await.unwrap().into_inner();
        assert!(replies.message().await.unwrap().is_some());
        assert_eq!(replies.message().await.unwrap_err().code(), code, "{name}");
        let line = crate::server::completed(&id).await;
        assert_eq!(line["grpc_code"], name);
        assert_eq!(line["response_messages"], 1);
        // How far ahead the service has read is the transport's affair.
        assert!((2..=3).contains(&line["request_messages"].as_u64().unwrap()), "{name}");
        let span = crate::server::span(&id);
        assert_eq!(crate::server::attribute(&span, "rpc.response.status_code").as_deref(), Some(name));
    }
}
