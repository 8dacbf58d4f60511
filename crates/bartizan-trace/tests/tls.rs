//! Spans go over TLS to a collector that can be trusted, and to no other.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail, too")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bartizan_trace::setup::Protocol;
use bartizan_trace::{SetupError, TraceSettings};
use rcgen::CertifiedKey;
use support::{Answer, Collector, end_spans, settings};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

/// A collector with a certificate of its own making, and the file to trust it by.
fn collector(protocol: Protocol) -> (Collector, PathBuf) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![cert.der().clone()],
            PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));
    let collector = Collector::start_at(([127, 0, 0, 1], 0).into(), Answer::ok(protocol), Some(tls));
    let file = file(&format!("{}.pem", collector.addr.port()));
    fs::write(&file, cert.pem()).unwrap();
    (collector, file)
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn secure(collector: &Collector, protocol: Protocol) -> TraceSettings {
    settings(format!("https://{}", collector.addr)).protocol(protocol)
}

#[test]
fn spans_arrive_at_a_collector_whose_authority_is_trusted() {
    for protocol in PROTOCOLS {
        let (collector, ca) = collector(protocol);
        let tracing = secure(&collector, protocol).ca_certificate(ca).build().unwrap();
        end_spans(&tracing, 3);
        tracing.shutdown(Duration::from_secs(10)).unwrap();
        assert_eq!(collector.span_names().len(), 3, "{protocol}");
    }
}

#[test]
fn a_collector_that_nobody_vouches_for_gets_nothing() {
    for protocol in PROTOCOLS {
        let (collector, _) = collector(protocol);
        let tracing = secure(&collector, protocol).build().unwrap();
        end_spans(&tracing, 3);
        assert_eq!(tracing.shutdown(Duration::from_secs(10)).unwrap_err().spans, 3);
        assert!(collector.received().is_empty(), "{protocol}");
    }
}

#[test]
fn what_is_no_certificate_is_an_error_that_names_the_variable() {
    let contents = [
        ("empty.pem", Some("")),
        ("text.pem", Some("not a certificate")),
        ("broken.pem", Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        ("missing.pem", None),
    ];
    for (name, content) in contents {
        let file = file(name);
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        for protocol in PROTOCOLS {
            let path = file.to_str().unwrap().to_owned();
            let error: SetupError = settings("https://127.0.0.1:9")
                .protocol(protocol)
                .read_vars(|name| (name == "OTEL_EXPORTER_OTLP_CERTIFICATE").then(|| path.clone()))
                .and_then(TraceSettings::build)
                .unwrap_err();
            assert!(
                error.to_string().starts_with("OTEL_EXPORTER_OTLP_CERTIFICATE names a file"),
                "{name}: {error}"
            );
        }
    }
}
