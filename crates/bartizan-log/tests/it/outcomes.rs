//! Every way in which an exchange can end has its line.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::json;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::service::{get, layer};
use crate::support::{Object, Trial};

/// A body that does what it is told, the last step first.
struct Script(Vec<Step>);

#[derive(Clone)]
enum Step {
    Data(&'static str),
    Trailers(&'static str),
    Fail,
    Panic,
}

impl http_body::Body for Script {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(self.0.pop().map(|step| match step {
            Step::Data(data) => Ok(Frame::data(Bytes::from(data))),
            Step::Trailers(code) => Ok(Frame::trailers(HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-status"),
                http::HeaderValue::from_static(code),
            )]))),
            Step::Fail => Err(std::io::Error::other("broken")),
            Step::Panic => panic!("in the body"),
        }))
    }
}

fn answer(status: u16, steps: &[Step]) -> Response<Script> {
    let mut response = Response::new(Script(steps.iter().rev().cloned().collect()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// The line of a service whose answer is read for at most so many frames.
fn line<S, E: 'static>(service: S, request: Request<crate::service::Body>, frames: usize) -> Object
where
    S: Service<Request<crate::service::Body>, Response = Response<Script>, Error = E>,
{
    let mut lines = Trial::new().lines_of(async {
        if let Ok(response) = layer().layer(service).oneshot(request).await {
            let mut body = response.into_body();
            for _ in 0..frames {
                if !matches!(body.frame().await, Some(Ok(_))) {
                    break;
                }
            }
        }
    });
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

fn check(line: &Object, level: &str, outcome: &str, status: Option<u16>) {
    assert_eq!(line["level"], level, "{line:?}");
    assert_eq!(line["outcome"], outcome, "{line:?}");
    assert_eq!(line.get("status"), status.map(|status| json!(status)).as_ref(), "{line:?}");
}

fn ok(
    response: fn() -> Response<Script>,
) -> impl Service<Request<crate::service::Body>, Response = Response<Script>, Error = Infallible> {
    service_fn(move |_| async move { Ok(response()) })
}

#[test]
fn statuses_decide_the_outcome_at_the_end_of_the_body() {
    let line = |response| line(ok(response), get("/"), 9);
    check(&line(|| answer(200, &[Step::Data("ab"), Step::Data("c")])), "INFO", "ok", Some(200));
    check(&line(|| answer(302, &[])), "INFO", "ok", Some(302));
    check(&line(|| answer(404, &[])), "WARN", "client_error", Some(404));
    check(&line(|| answer(101, &[])), "INFO", "upgraded", Some(101));
    let failed = line(|| answer(503, &[Step::Data("abc")]));
    check(&failed, "ERROR", "server_error", Some(503));
    assert_eq!((&failed["error_type"], &failed["response_bytes"]), (&json!("503"), &json!(3)));
}

#[test]
fn a_client_that_goes_away_is_told_apart_by_when() {
    let pending = service_fn(|_| std::future::pending::<Result<Response<Script>, Infallible>>());
    let mut lines = Trial::new().lines_of(async {
        let call = layer().layer(pending).oneshot(get("/"));
        assert!(tokio::time::timeout(Duration::from_millis(7), call).await.is_err());
    });
    let line = lines.remove(0);
    check(&line, "WARN", "cancelled_before_head", None);
    assert_eq!((&line["duration_ms"], &line["error_type"]), (&json!(7.0), &json!("cancelled_before_head")));

    let left = self::line(ok(|| answer(200, &[Step::Data("a"), Step::Data("b")])), get("/"), 1);
    check(&left, "WARN", "cancelled_mid_body", Some(200));
    assert_eq!(left["response_bytes"], 1);
}

#[test]
fn errors_and_panics_are_errors() {
    let broken = line(ok(|| answer(200, &[Step::Data("a"), Step::Fail])), get("/"), 9);
    check(&broken, "ERROR", "body_error", Some(200));
    assert_eq!(broken["error_type"], "body_error");

    let failing = service_fn(|_| async { Err::<Response<Script>, _>(std::fmt::Error) });
    check(&line(failing, get("/"), 9), "ERROR", "service_error", None);

    let panicking =
        service_fn(|_| async { panic!("in the handler") as Result<Response<Script>, Infallible> });
    let mut lines = Trial::new().lines_of(async {
        let call = layer().layer(panicking).oneshot(get("/"));
        assert!(tokio::spawn(call).await.is_err());
        let body = ok(|| answer(200, &[Step::Panic]));
        let response = layer().layer(body).oneshot(get("/")).await.unwrap();
        assert!(tokio::spawn(response.into_body().collect()).await.is_err());
    });
    check(&lines.remove(0), "ERROR", "panicked", None);
    check(&lines.remove(0), "ERROR", "panicked", Some(200));
}

#[test]
fn a_grpc_call_has_the_code_of_its_trailers() {
    let request = || {
        let mut request = get("/orders.Orders/Get");
        *request.method_mut() = http::Method::POST;
        request.headers_mut().insert("content-type", http::HeaderValue::from_static("application/grpc"));
        request
    };
    let line = |response| line(ok(response), request(), 9);
    let fine = line(|| answer(200, &[Step::Data("m"), Step::Trailers("0")]));
    check(&fine, "INFO", "ok", Some(200));
    assert_eq!(fine["grpc_code"], "OK");
    assert!(!fine.contains_key("error_type"));
    let missing = line(|| answer(200, &[Step::Trailers("5")]));
    check(&missing, "WARN", "client_error", Some(200));
    assert_eq!(missing["grpc_code"], "NOT_FOUND");
    let failed = line(|| answer(200, &[Step::Data("m"), Step::Trailers("13")]));
    check(&failed, "ERROR", "server_error", Some(200));
    assert_eq!((&failed["grpc_code"], &failed["error_type"]), (&json!("INTERNAL"), &json!("INTERNAL")));
    check(&line(|| answer(200, &[Step::Data("m")])), "ERROR", "server_error", Some(200));
}
