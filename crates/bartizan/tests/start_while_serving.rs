//! Startup checks beside a server that listens already. One test a process: the stack is installed once.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use bartizan::health::{CheckOptions, Startup};
use bartizan::{Exit, Observability, ServeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn status(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn probes_keep_traffic_out_and_at_the_deadline_the_service_ends_with_the_check() {
    let startup = Startup::new().deadline(Duration::from_secs(1));
    let stack = Observability::builder("late").vars(|_| None).log_sink(std::io::sink()).startup(startup);
    let stack = stack.init().unwrap();
    let refused = || async { Err::<(), _>("refused by postgres://app:s3cret@db") };
    let options = CheckOptions::new().startup(true).readiness(false);
    stack.health().register_with("database", refused, options).unwrap();
    stack.start_while_serving();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app: Router = Router::new().merge(stack.routes());
    let serving = tokio::spawn({
        let stack = stack.clone();
        async move { stack.serve(listener, app).await }
    });
    for (path, expected) in [("/health/live", "200"), ("/health/startup", "503"), ("/health/ready", "503")] {
        assert_eq!(status(address, path).await, expected, "{path}");
    }
    let error = serving.await.unwrap().unwrap_err();
    assert!(matches!(error, ServeError::Startup(_)), "{error}");
    let exit = Exit::from(Err(error));
    assert_eq!(exit.code(), 69);
    assert!(exit.to_string().contains("`database`") && !exit.to_string().contains("s3cret"), "{exit}");
}
