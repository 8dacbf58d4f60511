//! A tonic service of one unary method, and the calls that are sent to it.

use std::convert::Infallible;
use std::fmt::Debug;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::server::{Grpc, UnaryService};
use tonic_prost::ProstCodec;
use tower::{Layer, Service, ServiceExt};

use crate::job::{Job, Task, future_size};

const HEADERS: [(&str, &str); 5] = [
    ("content-type", "application/grpc"),
    ("te", "trailers"),
    ("user-agent", "grpc-go/1.70.0"),
    ("grpc-accept-encoding", "identity,gzip"),
    ("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dozjgNryP4J3jVmN"),
];

/// `Message { text: "Ada Lovelace" }`, with its prefix.
const MESSAGE: &[u8] = b"\0\0\0\0\x0e\x0a\x0cAda Lovelace";

#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(string, tag = "1")]
    text: String,
}

/// What tonic generates for a service, by hand.
#[derive(Clone, Copy)]
pub(crate) struct Greeter;

impl Service<Request<Body>> for Greeter {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Message, Message>::default());
            Ok(grpc.unary(Greet, request).await)
        })
    }
}

struct Greet;

impl UnaryService<Message> for Greet {
    type Response = Message;
    type Future = BoxFuture<tonic::Response<Message>, Status>;

    fn call(&mut self, request: tonic::Request<Message>) -> Self::Future {
        Box::pin(async move { Ok(tonic::Response::new(request.into_inner())) })
    }
}

impl Job {
    /// Does the task with the service and this layer around it.
    pub(crate) fn grpc<L, B>(&self, layer: L)
    where
        L: Layer<Greeter>,
        L::Service: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
        B: http_body::Body<Error: Debug> + Unpin,
    {
        if let Task::FutureSize = self.task {
            return future_size::<L::Service, _>();
        }
        let service = layer.layer(Greeter);
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "http://shop.example.com/greet.v1.Greeter/Greet".parse().unwrap();
        for (name, value) in
            HEADERS.into_iter().chain(self.parent.header().map(|value| ("traceparent", value)))
        {
            let shared = Bytes::from(value.as_bytes().to_vec()).slice(..);
            let value = HeaderValue::from_maybe_shared(shared).unwrap();
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let (head, ()) = request.into_parts();
        self.perform(|requests| {
            self.runtime.block_on(async {
                for _ in 0..requests {
                    let body = Body::new(Full::new(Bytes::from_static(MESSAGE)));
                    let request = Request::from_parts(head.clone(), body);
                    let mut service = service.clone();
                    let response = service.ready().await.unwrap().call(request).await.unwrap();
                    let mut body = response.into_body();
                    let mut status = None;
                    while let Some(frame) = body.frame().await {
                        if let Ok(trailers) = frame.unwrap().into_trailers() {
                            status = trailers.get("grpc-status").cloned();
                        }
                    }
                    assert_eq!(status.as_ref().map(HeaderValue::as_bytes), Some(b"0".as_slice()));
                }
            });
        });
    }
}
