use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::mpsc;

use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use super::*;

fn store() -> Store {
    let store = Store::new();
    metrics::with_local_recorder(&store, || metrics::counter!("orders_total").increment(3));
    store
}

fn request(method: Method, path: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Full::default()).unwrap()
}

async fn ask(endpoint: &MetricsEndpoint, method: Method, path: &str, token: Option<&str>) -> Response<Bytes> {
    let hello = |request: Request<Full<Bytes>>| async move {
        let body = format!("{} {}", request.method(), request.uri().path());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(body)))
    };
    let service = endpoint.clone().layer().layer(service_fn(hello));
    let response = service.oneshot(request(method, path, token)).await.unwrap();
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

fn body(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

#[tokio::test]
async fn the_layer_answers_its_path_and_passes_the_rest_on_untouched() {
    let endpoint = MetricsEndpoint::new(store());
    let page = ask(&endpoint, Method::GET, "/metrics?a=b", None).await;
    assert_eq!(page.status(), 200);
    assert!(body(&page).contains("orders_total 3\n"));
    assert_eq!(page.headers()[CONTENT_LENGTH], page.body().len().to_string());
    for path in ["/", "/metric", "/metrics2", "/metrics/other", "/metrics/business/x", "/a/metrics"] {
        assert_eq!(body(&ask(&endpoint, Method::POST, path, None).await), format!("POST {path}"));
    }
}

#[tokio::test]
async fn head_has_the_length_and_other_methods_are_refused() {
    let endpoint = MetricsEndpoint::new(store());
    let head = ask(&endpoint, Method::HEAD, "/metrics", None).await;
    assert_eq!((head.status().as_u16(), body(&head)), (200, ""));
    assert!(head.headers()[CONTENT_LENGTH].to_str().unwrap().parse::<usize>().unwrap() > 100);
    let refused = ask(&endpoint, Method::POST, "/metrics", None).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()[ALLOW]),
        (405, &"GET, HEAD, OPTIONS".parse().unwrap())
    );
    assert_eq!(ask(&endpoint, Method::OPTIONS, "/metrics", None).await.status(), 204);
}

#[tokio::test]
async fn with_a_token_nobody_else_is_answered() {
    let endpoint = MetricsEndpoint::new(store()).token("s3cret");
    for path in ["/metrics", "/metrics/business"] {
        for token in [None, Some(""), Some("s3cre"), Some("s3cret2")] {
            let refused = ask(&endpoint, Method::GET, path, token).await;
            assert_eq!((refused.status().as_u16(), body(&refused)), (401, ""));
            assert_eq!(refused.headers()[WWW_AUTHENTICATE], "Bearer");
        }
    }
    assert_eq!(ask(&endpoint, Method::GET, "/metrics", Some("s3cret")).await.status(), 200);
    assert_eq!(ask(&endpoint, Method::GET, "/other", None).await.status(), 200);
    assert!(!format!("{endpoint:?} {:?}", endpoint.clone().layer()).contains("s3cret"));
    let closed = MetricsEndpoint::new(store()).token("");
    assert_eq!(ask(&closed, Method::GET, "/metrics", Some("")).await.status(), 401);
}

#[tokio::test]
async fn the_path_moves_and_off_says_so() {
    let endpoint = MetricsEndpoint::new(store()).path("/-/prometheus").unwrap();
    assert_eq!(ask(&endpoint, Method::GET, "/-/prometheus", None).await.status(), 200);
    assert_eq!(body(&ask(&endpoint, Method::GET, "/metrics", None).await), "GET /metrics");
    let off = ask(&MetricsEndpoint::off(), Method::GET, "/metrics", None).await;
    assert_eq!(off.status(), 404);
    assert!(body(&off).contains("ENABLE_METRICS"));
    for bad in ["", "/", "metrics", "/a/", "/a//b", "/a b", "/{x}", &format!("/{}", "x".repeat(200))] {
        assert!(MetricsEndpoint::off().path(bad).is_err(), "{bad}");
    }
}

/// A page that takes as long as the test says, and how the rest of the runtime fares meanwhile.
async fn others_go_on_while_a_page_is_written() {
    let store = store();
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    store.at_scrape(move || {
        let _ = wait.lock().unwrap().recv();
    });
    let endpoint = MetricsEndpoint::new(store);
    let pages: Vec<_> = (0..20)
        .map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { ask(&endpoint, Method::GET, "/metrics", None).await.status() })
        })
        .collect();
    while pages.iter().filter(|page| page.is_finished()).count() < 19 {
        tokio::task::yield_now().await;
        assert_eq!(ask(&endpoint, Method::GET, "/orders", None).await.status(), 200);
    }
    // One of them finds things out, and the others do not wait for it.
    assert_eq!(pages.iter().filter(|page| !page.is_finished()).count(), 1);
    go.send(()).unwrap();
    for page in pages {
        assert_eq!(page.await.unwrap(), 200);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_scrape_blocks_no_request_on_a_current_thread_runtime() {
    others_go_on_while_a_page_is_written().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_blocks_no_request_on_a_multi_thread_runtime() {
    others_go_on_while_a_page_is_written().await;
}

#[cfg(feature = "listener")]
#[tokio::test]
async fn the_listener_serves_the_page_over_a_socket_and_stops_when_dropped() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(MetricsEndpoint::new(store()).serve(listener));
    for (path, wanted) in [("/metrics", "orders_total 3\n"), ("/", "HTTP/1.1 404 Not Found")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(wanted), "{answer}");
    }
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    idle.read_exact(&mut [0; 16]).await.unwrap();
    serving.abort();
    let _ = serving.await;
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[cfg(feature = "business")]
#[tokio::test(start_paused = true)]
async fn a_collector_that_hangs_slows_no_page() {
    use serde_json::{Value, json};
    use tokio::time::Instant;

    let store = store();
    let business = Collectors::new(&store);
    business.register("hanging", std::future::pending::<Result<Value, String>>).unwrap();
    business.register("quick", || async { Ok::<_, String>(json!({ "n": 7 })) }).unwrap();
    let endpoint = MetricsEndpoint::new(store).business(business);
    let began = Instant::now();
    for _ in 0..10 {
        assert_eq!(ask(&endpoint, Method::GET, "/metrics", None).await.status(), 200);
    }
    assert!(body(&ask(&endpoint, Method::GET, "/metrics", None).await).contains("business_quick_n 7\n"));
    assert!(began.elapsed() < std::time::Duration::from_secs(1), "{:?}", began.elapsed());
    let document = ask(&endpoint, Method::GET, "/metrics/business", None).await;
    assert_eq!(document.headers()[CONTENT_TYPE], "application/json");
    let document: Value = serde_json::from_slice(document.body()).unwrap();
    assert_eq!(
        (&document["metrics"]["quick"]["n"], &document["errors"]["hanging"]),
        (&json!(7), &json!("timeout"))
    );
}

#[cfg(feature = "listener")]
#[tokio::test(start_paused = true)]
async fn clients_that_never_finish_a_request_do_not_keep_prometheus_out() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _serving = tokio::spawn(MetricsEndpoint::new(store()).serve(listener));
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost:").await.unwrap();
        slow.push(stream);
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    assert!(page.contains("orders_total 3\n"), "{page}");
}
