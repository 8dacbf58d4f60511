//! `grpc.health.v1` as gRPC's own C core sees it, through Python (Debian: `python3-grpcio`).
#![cfg(feature = "tonic")]

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Command, Stdio},
};

use bartizan_health::Registry;
use tonic::transport::{Server, server::TcpIncoming};

/// The messages by hand, so that nothing of ours is on this side: field 1 is a string or a number.
const CLIENT: &str = r#"
import sys, grpc
def request(service): return b"\x0a" + bytes([len(service)]) + service.encode() if service else b""
def status(response): return response[1] if response else 0
channel = grpc.insecure_channel(sys.argv[1])
check = channel.unary_unary("/grpc.health.v1.Health/Check", request, status)
watch = channel.unary_stream("/grpc.health.v1.Health/Watch", request, status)
for service in "", "liveness", "database":
    print(service, check(service, timeout=30))
try:
    check("late", timeout=30)
except grpc.RpcError as error:
    print("late", error.code().name)
for told in watch("late", timeout=30):
    print("late", told, flush=True)
print("end", check("", timeout=30))
"#;

fn python() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let import = Command::new(python).args(["-c", "import grpc"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    })
}

/// What the client says, and what happens here when it does.
fn talk(python: &str, address: SocketAddr, registry: &Registry) -> Vec<String> {
    let mut client = Command::new(python)
        .args(["-c", CLIENT, &address.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut said = Vec::new();
    for line in BufReader::new(client.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("text");
        match &*line {
            "late 3" => registry.register("late", || async {}).expect("there is room"),
            "late 1" => registry.drain(),
            _ => {}
        }
        said.push(line);
    }
    assert!(client.wait().expect("it ends").success());
    said
}

// R-HLT-7
#[tokio::test]
async fn a_client_of_another_make_understands_check_and_watch() {
    let Some(python) = python() else {
        let reason = "no python3 with the package grpc: install python3-grpcio";
        assert!(env::var_os("BARTIZAN_REQUIRE_SERVICES").is_none(), "{reason}");
        println!("skipped: {reason}");
        return;
    };
    let registry = Registry::builder().register("database", || async {}).build().unwrap();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let health = registry.grpc().check_names(true).build().unwrap();
    tokio::spawn(Server::builder().add_service(health).serve_with_incoming(incoming));

    let said = tokio::task::spawn_blocking(move || talk(python, address, &registry)).await.unwrap();
    let expected =
        [" 1", "liveness 1", "database 1", "late NOT_FOUND", "late 3", "late 1", "late 2", "end 2"];
    assert_eq!(said, expected);
}
