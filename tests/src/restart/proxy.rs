//! What stands between clients and instances: a Service that balances connections, and a proxy that balances requests.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::fleet::Instances;

/// As kube-proxy does: a connection goes to the instance that is next in turn, and stays with it until either side closes.
pub async fn service(instances: Instances) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let instance = instances.pick();
            tokio::spawn(async move {
                // The client sees a failure as the end of its connection.
                if let Ok(mut server) = TcpStream::connect(instance).await {
                    let _ = (client.set_nodelay(true), server.set_nodelay(true));
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    address
}

type Upstream = SendRequest<Full<Bytes>>;
type Idle = Arc<Mutex<HashMap<SocketAddr, Vec<Upstream>>>>;

/// As an ingress does over HTTP/1.1: requests take turns, connections to instances are kept alive for the next one. It never repeats a
/// request; one that fails is a 502 with the reason.
pub async fn http_proxy(instances: Instances) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let idle = Idle::default();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (instances, idle) = (instances.clone(), Arc::clone(&idle));
            let service = service_fn(move |request| forward(request, instances.clone(), Arc::clone(&idle)));
            tokio::spawn(async move {
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(client), service).await;
            });
        }
    });
    address
}

async fn forward(
    request: Request<Incoming>,
    instances: Instances,
    idle: Idle,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (mut parts, body) = request.into_parts();
    without_connection(&mut parts.headers);
    let request = Request::from_parts(parts, Full::from(body.collect().await?.to_bytes()));
    let answered = send(request, instances.pick(), &idle).await;
    Ok(answered.unwrap_or_else(|error| {
        let mut answer = Response::new(Full::from(error));
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        answer
    }))
}

async fn send(
    request: Request<Full<Bytes>>,
    instance: SocketAddr,
    idle: &Idle,
) -> Result<Response<Full<Bytes>>, String> {
    let kept = idle.lock().unwrap().entry(instance).or_default().pop();
    let mut upstream = match kept.filter(|upstream| !upstream.is_closed()) {
        Some(upstream) => upstream,
        None => connect(instance).await.map_err(|error| format!("connecting: {error}"))?,
    };
    let response = upstream.send_request(request).await.map_err(|error| format!("sending: {error:?}"))?;
    let (mut parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| format!("receiving: {error:?}"))?.to_bytes();
    without_connection(&mut parts.headers);
    if upstream.ready().await.is_ok() {
        idle.lock().unwrap().entry(instance).or_default().push(upstream);
    }
    Ok(Response::from_parts(parts, Full::from(body)))
}

async fn connect(instance: SocketAddr) -> Result<Upstream, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(instance).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// These are about one connection, not about the message.
fn without_connection(headers: &mut HeaderMap) {
    headers.remove(header::CONNECTION);
    headers.remove(header::TRANSFER_ENCODING);
}
