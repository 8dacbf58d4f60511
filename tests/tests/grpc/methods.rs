//! Which methods there are: strangers cannot grow the page, and a method's first call is told under its name.

use bartizan_tests::Lab;
use http::Request;
use http_body_util::BodyExt;
use tonic::Code;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

use crate::server::{Told, ask, channel, client, request, turn};

async fn call(channel: &mut Channel, path: &str, id: &str) -> String {
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-correlation-id", id)
        .body(Body::empty())
        .unwrap();
    let response = channel.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(response.headers()["x-correlation-id"], id);
    let status = response.headers()["grpc-status"].to_str().unwrap().to_owned();
    response.into_body().collect().await.unwrap();
    status
}

#[tokio::test]
async fn unknown_methods_are_one_series() {
    let _turn = turn().await;
    let mut channel = channel().await;
    let mut series = 0;
    for n in 0..2_000 {
        let path =
            if n % 2 == 0 { format!("/made.up{n}/Method{n}") } else { format!("/demo.v1.Echo/Made{n}") };
        assert_eq!(call(&mut channel, &path, "made-up").await, "12");
        if n == 10 {
            series = Lab::get().page().lines().count();
        }
    }
    let page = Lab::get().page();
    assert_eq!(page.lines().count(), series, "the page has not grown");
    assert!(!page.contains("made.up") && !page.contains("Made"), "{page}");

    let told = Told { messages: (Some(0), Some(0)), ..Told::status("_OTHER", "UNIMPLEMENTED", 0, 0) };
    let before = told.handled();
    assert_eq!(call(&mut channel, "/made.up/Again", "made-up-again").await, "12");
    told.check("made-up-again", before).await;
    let span = crate::server::span("made-up-again");
    assert_eq!(crate::server::attribute(&span, "rpc.method_original").as_deref(), Some("made.up/Again"));
}

#[tokio::test]
async fn the_first_call_of_a_method_is_told_under_its_name() {
    let _turn = turn().await;
    let mut client = client().await;
    // Whatever other tests have called before: begun and ended are equal for each method.
    let (id, request) = request(ask(Code::NotFound, 0));
    client.unary(request).await.unwrap_err();
    assert_eq!(crate::server::completed(&id).await["route"], "/demo.v1.Echo/Unary");
    let page = Lab::get().page();
    let sum = |name: &str, method: &str| -> f64 {
        let method = format!("grpc_method=\"{method}\"");
        let of_method = page.lines().filter(|line| line.starts_with(name) && line.contains(&method));
        of_method.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    for method in ["Unary", "_OTHER"] {
        assert_eq!(
            sum("grpc_server_started_total{", method),
            sum("grpc_server_handled_total{", method),
            "{method}"
        );
    }
    assert!(sum("grpc_server_started_total{", "Unary") >= 1.0);
    assert_eq!(sum("grpc_server_in_flight{", "_OTHER"), 0.0);
}
