//! Collectors for tests: one that takes spans by both protocols, and several that do not.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "no test file uses all of it, and a test may fail anywhere"
)]

use std::convert::Infallible;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bartizan_trace::opentelemetry::trace::{Span, Tracer};
use bartizan_trace::setup::Protocol;
use bartizan_trace::{TraceSettings, Tracing};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tonic::codec::CompressionEncoding;

/// One export request as it arrived.
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) request: ExportTraceServiceRequest,
}

impl Received {
    pub(crate) fn span_names(&self) -> Vec<String> {
        let scopes = self.request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| &scope.spans).map(|span| span.name.clone()).collect()
    }

    /// A text attribute of the resource.
    pub(crate) fn resource(&self, name: &str) -> Option<String> {
        let attributes = &self.request.resource_spans[0].resource.as_ref()?.attributes;
        let value = attributes.iter().find(|attribute| attribute.key == name)?.value.clone()?.value?;
        Some(format!("{value:?}"))
    }
}

/// What a collector says to every request; this also decides which protocol it speaks.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Http(StatusCode),
    Grpc(tonic::Code),
}

impl Answer {
    pub(crate) fn ok(protocol: Protocol) -> Self {
        if protocol == Protocol::Grpc { Self::Grpc(tonic::Code::Ok) } else { Self::Http(StatusCode::OK) }
    }
}

/// A collector on a runtime of its own.
#[derive(Clone)]
pub(crate) struct Collector {
    pub(crate) addr: SocketAddr,
    answer: Answer,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Collector {
    pub(crate) fn start(answer: Answer) -> Self {
        Self::start_at(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), answer, None)
    }

    pub(crate) fn start_at(addr: SocketAddr, answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(addr).unwrap();
        listener.set_nonblocking(true).unwrap();
        let collector = Self { addr: listener.local_addr().unwrap(), answer, received: Arc::default() };
        let serving = collector.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (collector, tls) = (serving.clone(), tls.clone());
                    tokio::spawn(async move {
                        match tls {
                            None => collector.serve(stream).await,
                            Some(tls) => {
                                // A client that does not trust us is gone already.
                                if let Ok(stream) = tls.accept(stream).await {
                                    collector.serve(stream).await;
                                }
                            }
                        }
                    });
                }
            });
        });
        collector
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let (server, stream) = (auto::Builder::new(TokioExecutor::new()), TokioIo::new(stream));
        let _ = match self.answer {
            Answer::Http(status) => {
                let service = service_fn(move |request| {
                    let collector = self.clone();
                    async move { collector.take_http(request, status).await }
                });
                server.serve_connection(stream, service).await
            }
            Answer::Grpc(code) => {
                let service = TraceServiceServer::new(Grpc { collector: self, code })
                    .accept_compressed(CompressionEncoding::Gzip);
                server.serve_connection(stream, TowerToHyperService::new(service)).await
            }
        };
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn received(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap()
    }

    pub(crate) fn span_names(&self) -> Vec<String> {
        self.received().iter().flat_map(Received::span_names).collect()
    }

    async fn take_http(
        &self,
        request: Request<Incoming>,
        status: StatusCode,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let mut body = body.collect().await.unwrap().to_bytes();
        if parts.headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
            let mut plain = flate2::write::GzDecoder::new(Vec::new());
            plain.write_all(&body).unwrap();
            body = plain.finish().unwrap().into();
        }
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        self.received().push(Received { path: parts.uri.path().to_owned(), headers: parts.headers, request });
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        Ok(response)
    }
}

struct Grpc {
    collector: Collector,
    code: tonic::Code,
}

#[tonic::async_trait]
impl TraceService for Grpc {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let (metadata, _, request) = request.into_parts();
        self.collector.received().push(Received {
            path: String::new(),
            headers: metadata.into_headers(),
            request,
        });
        match self.code {
            tonic::Code::Ok => Ok(tonic::Response::new(ExportTraceServiceResponse::default())),
            code => Err(tonic::Status::new(code, "")),
        }
    }
}

/// A port that nobody listens on.
pub(crate) fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A collector that takes connections and never says a word.
pub(crate) fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            kept.push(stream);
        }
    });
    addr
}

/// Settings for tests: nothing is sent before it is asked for.
pub(crate) fn settings(endpoint: impl Into<String>) -> TraceSettings {
    TraceSettings::new().service_name("test").endpoint(endpoint).batch_delay(Duration::from_mins(1))
}

pub(crate) fn end_spans(tracing: &Tracing, count: usize) {
    let tracer = tracing.tracer().unwrap();
    for n in 0..count {
        tracer.start(format!("span {n}")).end();
    }
}
