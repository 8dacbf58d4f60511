//! Messages are counted both ways, whatever streams, compressed or not.

use futures_util::{StreamExt, stream};
use grpc_example::pb::EchoRequest;
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::server::{Told, ask, client, request, turn};

#[tokio::test]
async fn every_kind_of_method_counts_its_messages() {
    let _turn = turn().await;
    let mut client = client().await;
    client.unary(ask(Code::Ok, 0)).await.unwrap();
    client.server_stream(ask(Code::Ok, 1)).await.unwrap().into_inner().count().await;
    client.client_stream(stream::iter([ask(Code::Ok, 0)])).await.unwrap();
    client.bidi(stream::iter([ask(Code::Ok, 0)])).await.unwrap().into_inner().count().await;

    let told = Told::status("/demo.v1.Echo/Unary", "OK", 1, 1);
    let before = told.handled();
    let (id, unary) = request(ask(Code::Ok, 0));
    client.unary(unary).await.unwrap();
    told.check(&id, before).await;

    let told = Told::status("/demo.v1.Echo/ServerStream", "OK", 1, 700);
    let before = told.handled();
    let (id, serving) = request(ask(Code::Ok, 700));
    assert_eq!(client.server_stream(serving).await.unwrap().into_inner().count().await, 700);
    told.check(&id, before).await;

    for sent in [0_usize, 5] {
        let told = Told::status("/demo.v1.Echo/ClientStream", "OK", sent as u64, 1);
        let before = told.handled();
        let (id, streaming) = request(stream::iter(vec![ask(Code::Ok, 0); sent]));
        assert_eq!(client.client_stream(streaming).await.unwrap().into_inner().text, "hi".repeat(sent));
        told.check(&id, before).await;
    }

    let told = Told::status("/demo.v1.Echo/Bidi", "OK", 9, 9);
    let before = told.handled();
    let (id, both) = request(stream::iter(vec![ask(Code::Ok, 0); 9]));
    assert_eq!(client.bidi(both).await.unwrap().into_inner().count().await, 9);
    told.check(&id, before).await;

    let lab = bartizan_tests::Lab::get();
    let bidi = [("grpc_service", "demo.v1.Echo"), ("grpc_method", "Bidi")];
    let sum = |name| lab.sample(name, &bidi).unwrap();
    assert!(sum("grpc_server_msg_received_total") >= 10.0 && sum("grpc_server_msg_sent_total") >= 10.0);
}

#[tokio::test]
async fn compressed_messages_pass_untouched_and_are_counted() {
    let _turn = turn().await;
    let mut client = client()
        .await
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    client.unary(ask(Code::Ok, 0)).await.unwrap();
    let text = "compress me ".repeat(20_000);
    let told = Told::status("/demo.v1.Echo/Unary", "OK", 1, 1);
    let before = told.handled();
    let (id, request) = request(EchoRequest { text: text.clone(), ..EchoRequest::default() });
    let response = client.unary(request).await.unwrap();
    assert_eq!(response.metadata().get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(response.into_inner().text, text);
    told.check(&id, before).await;
    let line = crate::server::completed(&id).await;
    assert!(line["request_bytes"].as_u64().unwrap() < 20_000, "what was counted is what was on the wire");
}
