use super::*;

#[derive(Debug)]
struct Wrapped(io::Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not call")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn boxed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Box<dyn Error + Send + Sync> {
    error.into()
}

#[test]
fn the_kind_of_an_io_error_tells_wherever_it_is_in_the_chain() {
    use io::ErrorKind as Kind;
    let cases = [
        (Kind::ConnectionRefused, "connection_refused"),
        (Kind::ConnectionReset, "connection_reset"),
        (Kind::ConnectionAborted, "connection_reset"),
        (Kind::TimedOut, "timeout"),
        (Kind::InvalidData, "tls"),
        (Kind::UnexpectedEof, "closed"),
        (Kind::BrokenPipe, "closed"),
        (Kind::PermissionDenied, "service_error"),
    ];
    for (kind, name) in cases {
        assert_eq!(Failure::of(&io::Error::from(kind)).as_str(), name);
        assert_eq!(Failure::of(&boxed(Wrapped(kind.into()))).as_str(), name);
        let twice = io::Error::other(Wrapped(kind.into()));
        assert_eq!(Failure::of(&twice).as_str(), name, "inside of an io::Error");
    }
}

#[test]
fn what_is_not_known_to_be_an_error_is_any_failure() {
    assert_eq!(Failure::of(&"connection refused"), Failure::Other);
    assert_eq!(Failure::of(&boxed("a text that a peer has sent: dns error")), Failure::Other);
}

#[test]
fn an_endless_chain_of_sources_is_left() {
    #[derive(Debug)]
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }
    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Endless)
        }
    }
    assert_eq!(Failure::of(&boxed(Endless)), Failure::Other);
    assert_eq!(Failure::of(&io::Error::other(Endless)), Failure::Other);
}

#[tokio::test(start_paused = true)]
async fn timeouts_of_tokio_and_tower_are_told_by_what_they_say() {
    use std::time::Duration;
    use tower::{Service, ServiceExt};

    let never = std::future::pending::<()>();
    let elapsed = tokio::time::timeout(Duration::from_secs(1), never).await.unwrap_err();
    assert_eq!(Failure::of(&boxed(elapsed)), Failure::Timeout);

    let never = tower::service_fn(|()| std::future::pending::<Result<(), io::Error>>());
    let mut service = tower::timeout::Timeout::new(never, Duration::from_secs(1));
    let error = service.ready().await.unwrap().call(()).await.unwrap_err();
    assert_eq!(Failure::of(&error), Failure::Timeout);
}

#[cfg(feature = "hyper-util")]
mod over_hyper_util {
    use std::future::ready;

    use ::hyper_util::client::legacy::Client;
    use ::hyper_util::client::legacy::connect::HttpConnector;
    use ::hyper_util::client::legacy::connect::dns::Name;
    use ::hyper_util::rt::TokioExecutor;
    use bytes::Bytes;
    use http_body_util::Empty;
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn failure(url: String) -> &'static str {
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        Failure::of(&client.get(url.parse().unwrap()).await.unwrap_err()).as_str()
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_refuses() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(failure(format!("http://{address}/")).await, "connection_refused");
    }

    #[tokio::test]
    async fn a_connection_that_ends_or_is_reset_before_the_head_is_told_apart() {
        for (linger, name) in [(None, "closed"), (Some(0), "connection_reset")] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.read_exact(&mut [0; 16]).await.unwrap();
                if linger.is_some() {
                    stream.set_zero_linger().unwrap();
                } else {
                    // Nothing unread is left, or closing would reset.
                    let _ = tokio::time::timeout(
                        std::time::Duration::from_millis(20),
                        stream.read_to_end(&mut Vec::new()),
                    )
                    .await;
                }
            });
            assert_eq!(failure(format!("http://{address}/")).await, name);
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_no_connection_error() {
        let resolver = tower::service_fn(|_: Name| {
            ready(Err::<std::vec::IntoIter<std::net::SocketAddr>, _>(io::Error::other("no such host")))
        });
        let connector = HttpConnector::new_with_resolver(resolver);
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
        let error = client.get("http://nowhere.invalid/".parse().unwrap()).await.unwrap_err();
        assert_eq!(Failure::of(&error), Failure::NameResolution);
    }
}

#[cfg(feature = "tonic")]
#[tokio::test]
async fn a_tonic_channel_says_why_it_could_not_connect() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let error = endpoint.connect().await.unwrap_err();
    assert_eq!(Failure::of(&error), Failure::ConnectionRefused);
}
