//! The nine outcomes of calls that go out, with scripted bodies and mock clients; and the request that makes them, left alone.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;

use bartizan_core::{Context, GrpcCode, ObserveLayer, Outcome, Record, Route, Routes, Settings, Side};
use bartizan_tests::{ScriptedBody, Seen, Step, Witness};
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt, service_fn};

type Answer = Response<ScriptedBody>;

fn request() -> Request<ScriptedBody> {
    Request::get("http://stock/items").body(ScriptedBody::default()).unwrap()
}

fn answer(status: u16, steps: impl IntoIterator<Item = Step>) -> Answer {
    Response::builder().status(status).body(ScriptedBody::new(steps)).unwrap()
}

/// Makes a call that is answered so, and reads the body to its end or error.
async fn call(request: Request<ScriptedBody>, answer: Answer) -> Seen {
    let witness = Witness::default();
    let client = ObserveLayer::client(witness.clone());
    let client = client.layer(service_fn(|_| ready(Ok::<_, Infallible>(answer.clone()))));
    let _ = client.oneshot(request).await.unwrap().into_body().collect().await;
    let seen = witness.sole();
    assert_eq!(seen.ending.side, Side::Client);
    seen
}

#[tokio::test]
async fn a_call_with_a_response_is_judged_by_its_status_or_its_body() {
    let data = Step::Data("hello");
    let cases = [
        (answer(200, [data.clone()]), Outcome::Ok, None),
        (answer(302, []), Outcome::Ok, None),
        (answer(404, [data.clone()]), Outcome::ClientError, Some("404")),
        (answer(503, [data.clone()]), Outcome::ServerError, Some("503")),
        (answer(200, [data.clone(), Step::Error]), Outcome::BodyError, Some("body_error")),
        (answer(101, []), Outcome::Upgraded, None),
    ];
    for (answer, outcome, error) in cases {
        let status = answer.status();
        let seen = call(request(), answer).await;
        assert_eq!((seen.ending.outcome, seen.ending.error_type()), (outcome, error), "{status}");
        assert!(!seen.in_context, "there is no request that makes the call");
    }
}

#[tokio::test]
async fn every_grpc_code_but_ok_is_an_error() {
    for (code, outcome, error) in [
        ("0", Outcome::Ok, None),
        ("5", Outcome::ClientError, Some("NOT_FOUND")),
        ("14", Outcome::ServerError, Some("UNAVAILABLE")),
    ] {
        let trailers = http::HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.parse().unwrap())]);
        let mut request = request();
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        let seen = call(request, answer(200, [Step::Data("message"), Step::Trailers(trailers)])).await;
        assert_eq!((seen.ending.outcome, seen.ending.error_type()), (outcome, error));
        assert_eq!(seen.ending.grpc_code.map(GrpcCode::as_u8), code.parse().ok());
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled() {
    let witness = Witness::default();
    let layer = ObserveLayer::client(witness.clone());
    let mut never = layer.layer(service_fn(|_| pending::<Result<Answer, Infallible>>()));
    assert!(never.call(request()).now_or_never().is_none());
    assert_eq!(witness.sole().ending.outcome, Outcome::CancelledBeforeHead);

    let witness = Witness::default();
    let layer = ObserveLayer::client(witness.clone());
    let hanging = answer(200, [Step::Data("first"), Step::Hang]);
    let client = layer.layer(service_fn(|_| ready(Ok::<_, Infallible>(hanging.clone()))));
    let mut body = client.oneshot(request()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(witness.in_flight(), 1);
    drop(body);
    assert_eq!(witness.sole().ending.outcome, Outcome::CancelledMidBody);
}

#[tokio::test]
async fn an_error_is_classified_and_a_panic_ends_the_call_as_well() {
    let witness = Witness::default();
    let layer = ObserveLayer::client(witness.clone());
    let refused = || ready(Err::<Answer, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)));
    layer.layer(service_fn(|_| refused())).oneshot(request()).await.unwrap_err();
    let ending = witness.sole().ending;
    assert_eq!(ending.outcome, Outcome::ServiceError);
    assert_eq!(ending.error_type(), Some("connection_refused"));

    let witness = Witness::default();
    let layer = ObserveLayer::client(witness.clone());
    let panicking =
        service_fn(|_| async { if true { panic!("inside") } else { Ok::<_, Infallible>(answer(200, [])) } });
    let call = layer.layer(panicking).oneshot(request());
    assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    assert_eq!(witness.sole().ending.outcome, Outcome::Panicked);
}

#[tokio::test]
async fn a_request_that_is_passed_on_keeps_its_record_and_its_context() {
    let (inbound, outbound) = (Witness::default(), Witness::default());
    let templates = Routes::new().function(|_| Some(Route::from("/items/{id}")));
    let client = ObserveLayer::client(outbound.clone())
        .changed(|_, settings| settings.routes = templates)
        .layer(service_fn(|request: Request<ScriptedBody>| async move {
            // What a proxy passes on has the record of the request that came in.
            let passed: &Record = request.extensions().get().unwrap();
            assert_eq!(passed.route(), "/proxy");
            Context::with_current(|context| assert_eq!(context.record().unwrap().route(), "/proxy"));
            Ok::<_, Infallible>(answer(404, [Step::Data("no")]))
        }));
    let routes = Routes::new().prefix("/proxy").unwrap();
    let proxy = ObserveLayer::with_settings(inbound.clone(), Settings { routes, ..Settings::default() })
        .layer(service_fn(move |request| client.clone().oneshot(request)));
    let request = Request::get("/proxy").body(ScriptedBody::default()).unwrap();
    proxy.oneshot(request).await.unwrap().into_body().collect().await.unwrap();

    let (inbound, outbound) = (inbound.sole(), outbound.sole());
    assert_eq!((inbound.route.as_str(), inbound.ending.side), ("/proxy", Side::Server));
    assert_eq!((outbound.route.as_str(), outbound.ending.side), ("/items/{id}", Side::Client));
    assert!(outbound.in_context, "the call ends inside of the request");
    assert_eq!((inbound.ending.error_type(), outbound.ending.error_type()), (None, Some("404")));
}
