//! The nine outcomes, with scripted bodies and mock services: every way an exchange can end, ends it once.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bartizan_core::{CatchLayer, Clock, GrpcCode, ObserveLayer, Outcome, Settings};
use bartizan_tests::{ScriptedBody, Step, Witness};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt, service_fn};

type Answer = Response<ScriptedBody>;

fn layer(witness: &Witness) -> ObserveLayer<Witness> {
    let clock = Clock::new(|| tokio::time::Instant::now().into_std());
    ObserveLayer::with_settings(witness.clone(), Settings { clock, ..Settings::default() })
}

fn request() -> Request<ScriptedBody> {
    Request::new(ScriptedBody::default())
}

fn grpc() -> Request<ScriptedBody> {
    Request::post("/pkg.S/M")
        .header("content-type", "application/grpc")
        .body(ScriptedBody::default())
        .unwrap()
}

async fn panicking<B>(_: Request<B>) -> Result<Answer, Infallible> {
    panic!("secret detail")
}

fn grpc_status(code: &'static str) -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(code))])
}

/// Sends a request to a service that gives this answer, and reads the body to its end or error.
async fn exchange(request: Request<ScriptedBody>, answer: Answer) -> Witness {
    let witness = Witness::default();
    let service = layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(answer.clone()))));
    let response = service.oneshot(request).await.unwrap();
    let _ = response.into_body().collect().await;
    witness
}

#[tokio::test]
async fn a_body_read_to_its_end_is_judged_by_status() {
    for (status, outcome) in [
        (200, Outcome::Ok),
        (302, Outcome::Ok),
        (404, Outcome::ClientError),
        (500, Outcome::ServerError),
        (599, Outcome::ServerError),
    ] {
        let mut answer = Response::new(ScriptedBody::new([Step::Data("hello"), Step::Data(" world")]));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        let seen = exchange(request(), answer).await.sole();
        assert_eq!(seen.ending.outcome, outcome, "{status}");
        assert_eq!(seen.ending.status.unwrap().as_u16(), status);
        assert_eq!((seen.chunks, seen.ending.response_bytes), (2, 11));
        assert!(seen.in_context);
    }
}

#[tokio::test]
async fn what_is_read_of_the_request_is_counted_where_the_body_can_be_and_promised_elsewhere() {
    async fn read<B>(body: B) -> Option<u64>
    where
        B: Body<Error: std::fmt::Debug> + Send + 'static,
    {
        let witness = Witness::default();
        let service = layer(&witness).layer(service_fn(|request: Request<B>| async move {
            request.into_body().collect().await.unwrap();
            Ok::<_, Infallible>(Response::new(ScriptedBody::default().that_tells_its_end()))
        }));
        drop(service.oneshot(Request::new(body)).await.unwrap());
        witness.sole().ending.request_bytes
    }
    let steps = [Step::Data("four"), Step::Data("teen bytes")];
    assert_eq!(read(axum::body::Body::new(ScriptedBody::new(steps.clone()))).await, Some(14));
    assert_eq!(read(axum::body::Body::empty()).await, Some(0));
    assert_eq!(read(ScriptedBody::new(steps.clone())).await, None);
    assert_eq!(read(ScriptedBody::new(steps).of_exactly(14)).await, Some(14));
    assert_eq!(read(ScriptedBody::default().that_tells_its_end()).await, Some(0));
}

#[tokio::test]
async fn a_body_that_is_never_polled_ends_at_the_head() {
    let cases = [
        (Method::HEAD, 200, ScriptedBody::new([Step::Data("never sent")])),
        (Method::GET, 204, ScriptedBody::new([Step::Data("never sent")])),
        (Method::GET, 304, ScriptedBody::new([Step::Data("never sent")])),
        (Method::GET, 200, ScriptedBody::default().that_tells_its_end()),
    ];
    for (method, status, body) in cases {
        let witness = Witness::default();
        let mut answer = Response::new(body);
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        let service = layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(answer.clone()))));
        let mut request = request();
        *request.method_mut() = method.clone();
        drop(service.oneshot(request).await.unwrap());
        assert_eq!(witness.sole().ending.outcome, Outcome::Ok, "{method} {status}");
        assert_eq!(witness.sole().ending.response_bytes, 0);
    }
}

#[tokio::test]
async fn a_drop_after_the_promised_length_is_no_cancel() {
    for by_header in [true, false] {
        let mut body = ScriptedBody::new([Step::Data("12345"), Step::Data("67890")]);
        if !by_header {
            body = body.of_exactly(10);
        }
        let mut answer = Response::new(body);
        if by_header {
            answer.headers_mut().insert("content-length", HeaderValue::from_static("10"));
        }
        for (frames, outcome) in [(1, Outcome::CancelledMidBody), (2, Outcome::Ok)] {
            let witness = Witness::default();
            let service = layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(answer.clone()))));
            let mut body = service.oneshot(request()).await.unwrap().into_body();
            for _ in 0..frames {
                body.frame().await.unwrap().unwrap();
            }
            assert_eq!(witness.in_flight(), 1);
            drop(body);
            assert_eq!(witness.sole().ending.outcome, outcome, "{frames} frames");
        }
    }
}

#[tokio::test]
async fn a_body_that_tells_its_end_ends_with_its_last_frame() {
    let witness = Witness::default();
    let body = ScriptedBody::new([Step::Data("last")]).that_tells_its_end();
    let service =
        layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(Response::new(body.clone())))));
    let mut body = service.oneshot(request()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(witness.sole().ending.outcome, Outcome::Ok);
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn size_hint_and_end_are_forwarded() {
    let witness = Witness::default();
    let body = ScriptedBody::new([Step::Data("12345")]).of_exactly(5);
    let service =
        layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(Response::new(body.clone())))));
    let body = service.oneshot(request()).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(5));
    assert!(!body.is_end_stream());
}

#[tokio::test]
async fn a_future_dropped_before_the_head_is_cancelled() {
    let witness = Witness::default();
    let mut service = layer(&witness).layer(service_fn(|_| pending::<Result<Answer, Infallible>>()));
    // Never polled, and polled once: both are a request that the client gave up.
    drop(service.call(request()));
    let mut future = Box::pin(service.call(request()));
    assert!(future.as_mut().now_or_never().is_none());
    drop(future);
    let seen = witness.seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert_eq!(seen.ending.outcome, Outcome::CancelledBeforeHead);
        assert_eq!(seen.ending.status_or_implied().as_u16(), 499);
    }
}

#[tokio::test]
async fn a_body_dropped_with_data_to_come_is_cancelled() {
    let witness = Witness::default();
    let body = ScriptedBody::new([Step::Data("first"), Step::Hang]);
    let service =
        layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(Response::new(body.clone())))));
    let mut body = service.oneshot(request()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert!(body.frame().now_or_never().is_none());
    drop(body);
    let seen = witness.sole();
    assert_eq!(seen.ending.outcome, Outcome::CancelledMidBody);
    assert_eq!(seen.ending.response_bytes, 5);
}

#[tokio::test]
async fn an_error_after_the_head_is_a_body_error_and_keeps_the_status() {
    let answer = Response::new(ScriptedBody::new([Step::Data("first"), Step::Error]));
    let seen = exchange(request(), answer).await.sole();
    assert_eq!(seen.ending.outcome, Outcome::BodyError);
    assert_eq!(seen.ending.status, Some(StatusCode::OK));
    assert_eq!(seen.ending.error_type(), Some("body_error"));
}

#[tokio::test]
async fn an_error_of_the_service_passes_through_and_counts() {
    let witness = Witness::default();
    let service = layer(&witness).layer(service_fn(|_| ready(Err::<Answer, _>("no"))));
    assert_eq!(service.oneshot(request()).await.unwrap_err(), "no");
    assert_eq!(witness.sole().ending.outcome, Outcome::ServiceError);
}

#[tokio::test]
async fn a_panic_counts_wherever_it_unwinds() {
    // In `call`, before there is a future.
    let witness = Witness::default();
    let mut service = layer(&witness)
        .layer(service_fn(|_| -> std::future::Ready<Result<Answer, Infallible>> { panic!("in call") }));
    assert!(std::panic::catch_unwind(AssertUnwindSafe(|| drop(service.call(request())))).is_err());
    assert_eq!(witness.sole().ending.outcome, Outcome::Panicked);

    // In the future.
    let witness = Witness::default();
    let service = layer(&witness).layer(service_fn(panicking));
    assert!(AssertUnwindSafe(service.oneshot(request())).catch_unwind().await.is_err());
    assert_eq!(witness.sole().ending.outcome, Outcome::Panicked);

    // In the body, after the head.
    let witness = Witness::default();
    let body = ScriptedBody::new([Step::Data("first"), Step::Panic]);
    let service =
        layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(Response::new(body.clone())))));
    let body = service.oneshot(request()).await.unwrap().into_body();
    assert!(AssertUnwindSafe(body.collect()).catch_unwind().await.is_err());
    let seen = witness.sole();
    assert_eq!((seen.ending.outcome, seen.ending.status), (Outcome::Panicked, Some(StatusCode::OK)));
}

#[tokio::test]
async fn a_caught_panic_and_a_caught_error_are_answered_and_still_say_so() {
    let witness = Witness::default();
    let service = layer(&witness).layer(CatchLayer::new().layer(service_fn(panicking)));
    let response = service.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), 500);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], br#"{"error":"internal_server_error","request_id":null}"#);
    let seen = witness.sole();
    assert_eq!((seen.ending.outcome, seen.ending.status.unwrap().as_u16()), (Outcome::Panicked, 500));
    assert_eq!(seen.ending.error_type(), Some("panicked"));

    let witness = Witness::default();
    let failing = service_fn(|_| ready(Err::<Answer, _>("secret detail")));
    let service = layer(&witness).layer(CatchLayer::new().layer(failing));
    let response = service.oneshot(grpc()).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["grpc-status"]),
        (200, &HeaderValue::from_static("13"))
    );
    drop(response);
    let seen = witness.sole();
    assert_eq!(
        (seen.ending.outcome, seen.ending.grpc_code),
        (Outcome::ServiceError, Some(GrpcCode::INTERNAL))
    );
}

#[tokio::test]
async fn a_panic_in_call_is_caught_as_well() {
    let witness = Witness::default();
    let panicking = service_fn(|_| -> std::future::Ready<Result<Answer, Infallible>> { panic!("in call") });
    let service = layer(&witness).layer(CatchLayer::new().layer(panicking));
    assert_eq!(service.oneshot(request()).await.unwrap().status(), 500);
    assert_eq!(witness.seen().len(), 1);
    assert_eq!(witness.seen()[0].ending.outcome, Outcome::Panicked);
}

#[tokio::test]
async fn an_upgrade_ends_at_the_head() {
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    assert_eq!(exchange(request(), answer).await.sole().ending.outcome, Outcome::Upgraded);

    let mut connect = request();
    *connect.method_mut() = Method::CONNECT;
    let answer = Response::new(ScriptedBody::new([Step::Hang]));
    let witness = Witness::default();
    let service = layer(&witness).layer(service_fn(|_| ready(Ok::<_, Infallible>(answer.clone()))));
    let response = service.oneshot(connect).await.unwrap();
    assert_eq!(witness.sole().ending.outcome, Outcome::Upgraded);
    drop(response);
    assert_eq!(witness.seen().len(), 1);
}

#[tokio::test]
async fn the_status_of_a_grpc_call_is_in_its_trailers() {
    for (code, outcome) in [("0", Outcome::Ok), ("5", Outcome::ClientError), ("13", Outcome::ServerError)] {
        let trailers = Step::Trailers(grpc_status(code));
        let answer = Response::new(ScriptedBody::new([Step::Data("message"), trailers]));
        let ending = exchange(grpc(), answer).await.sole().ending;
        assert_eq!(ending.outcome, outcome);
        assert_eq!(ending.grpc_code.unwrap().as_u8().to_string(), code);
    }
}

#[tokio::test]
async fn a_trailers_only_grpc_answer_and_a_missing_status_are_told_apart() {
    let mut answer = Response::new(ScriptedBody::default().that_tells_its_end());
    *answer.headers_mut() = grpc_status("7");
    let ending = exchange(grpc(), answer).await.sole().ending;
    assert_eq!((ending.outcome, ending.grpc_code), (Outcome::ClientError, Some(GrpcCode::PERMISSION_DENIED)));

    let answer = Response::new(ScriptedBody::new([Step::Data("message")]));
    let ending = exchange(grpc(), answer).await.sole().ending;
    assert_eq!((ending.outcome, ending.grpc_code), (Outcome::ServerError, Some(GrpcCode::UNKNOWN)));
    assert_eq!(ending.error_type(), Some("UNKNOWN"));
}

#[tokio::test(start_paused = true)]
async fn durations_run_to_the_first_byte_and_to_the_true_end() {
    let witness = Witness::default();
    let service = layer(&witness).layer(service_fn(|_| async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok::<_, Infallible>(Response::new(ScriptedBody::new([Step::Data("a"), Step::Data("b")])))
    }));
    let mut body = service.oneshot(request()).await.unwrap().into_body();
    tokio::time::advance(Duration::from_millis(20)).await;
    body.frame().await.unwrap().unwrap();
    tokio::time::advance(Duration::from_millis(50)).await;
    body.collect().await.unwrap();
    let ending = witness.sole().ending;
    assert_eq!(ending.first_byte, Some(Duration::from_millis(50)));
    assert_eq!(ending.duration, Duration::from_millis(100));
}

/// Dropped after every possible number of polls, an exchange ends once, and as what it was at that point.
#[tokio::test]
async fn a_drop_at_every_await_is_counted_once_and_under_its_name() {
    for polls in 0..12 {
        let witness = Witness::default();
        let mut service = layer(&witness).layer(service_fn(|_| async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            let yields = [Step::Data("a"), Step::Yield, Step::Data("b"), Step::Yield, Step::Data("c")];
            Ok::<_, Infallible>(Response::new(ScriptedBody::new(yields)))
        }));
        let mut head = None;
        let mut exchange = Box::pin(async {
            let response = service.call(request()).await.unwrap();
            head = Some(());
            response.into_body().collect().await.unwrap()
        });
        let mut done = false;
        for _ in 0..polls {
            if !done {
                done = exchange.as_mut().now_or_never().is_some();
            }
        }
        drop(exchange);
        let expected = match (done, head) {
            (true, _) => vec![Outcome::Ok],
            (false, Some(())) => vec![Outcome::CancelledMidBody],
            // An async block that was never polled has not called the service.
            (false, None) if polls == 0 => vec![],
            (false, None) => vec![Outcome::CancelledBeforeHead],
        };
        let outcomes: Vec<_> = witness.seen().iter().map(|seen| seen.ending.outcome).collect();
        assert_eq!(outcomes, expected, "after {polls} polls");
        assert_eq!(witness.in_flight(), 0, "after {polls} polls");
    }
}

#[tokio::test]
async fn an_observer_that_panics_at_the_end_harms_nobody() {
    use bartizan_core::{Ending, Exchange, Observer, Record};

    struct Bad;
    struct BadExchange;
    impl Observer for Bad {
        type Exchange = BadExchange;
        fn begin<B>(&self, _: &mut Request<B>, _: &Record) -> BadExchange {
            BadExchange
        }
    }
    impl Exchange for BadExchange {
        fn end(&mut self, _: &Ending, _: &Record) {
            panic!("bad observer")
        }
    }

    let service = ObserveLayer::new(Bad).layer(service_fn(|_| pending::<Result<Answer, Infallible>>()));
    let mut service = service;
    let future = service.call(request());
    let unwound = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _future = future;
        panic!("outer")
    }));
    assert!(unwound.is_err());
}
