//! Whatever a client sends, a line is one valid object without a secret.

use bartizan_log::{RequestLogLayer, bind};
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use proptest::prelude::*;
use serde_json::json;
use tracing::{info, info_span};

use crate::service::{Body, Service, get};
use crate::support::{Object, Trial};

const SECRET: &str = "hunter2";

/// A service that repeats what it was sent in every place that a log line has.
fn echo(text: String) -> Service {
    Service::new(move || {
        let text = text.clone();
        async move {
            bind("bound", text.clone());
            let _span = info_span!("echo", in_span = %text, in_debug = ?text).entered();
            info!(field = text, shown = %text, "echo {text}");
            Response::builder()
                .header(
                    "x-echo",
                    HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static("")),
                )
                .body(Body::from(text))
                .unwrap()
        }
    })
    .layered(|layer: RequestLogLayer| layer.request_headers(true).response_headers(true).start_event(true))
}

fn sent(request: Request<Body>, text: &str) -> Vec<Object> {
    let lines = Trial::new().lines_of(echo(text.to_owned()).call(request));
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line["target"] != "forged"), "{lines:#?}");
    lines
}

#[test]
fn the_table_of_hostile_input_makes_three_clean_lines_each() {
    let long = "A".repeat(64 * 1024);
    let texts = [
        "x\n{\"target\":\"forged\"}",
        "\",\"target\":\"forged",
        "\\\",\"target\":\"forged",
        "\r\n\r\n\0\u{7f}",
        "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
        "\u{9b}31m\u{85}\u{2028}\u{2029}\u{202e}",
        "漢字 🦀 ä",
        "%00%0a%0d%22%5c%ff%c0%af",
        "}}}]]]{{{[[[",
        "\u{feff}\u{fffd}\u{ffff}",
        &long,
    ];
    for text in texts {
        sent(get("/"), text);
    }
}

#[test]
fn raw_bytes_in_headers_and_uris_are_escaped() {
    let mut request = get("/");
    let headers = request.headers_mut();
    let all: Vec<u8> = (0x20..=0xff).filter(|byte| *byte != 0x7f).collect();
    headers.insert("user-agent", HeaderValue::from_bytes(&all).unwrap());
    headers.insert("x-raw", HeaderValue::from_bytes(&all).unwrap());
    headers.insert("x-tab", HeaderValue::from_bytes(b"a\tb").unwrap());
    headers.insert("x-long", HeaderValue::from_bytes(&vec![0xff; 64 * 1024]).unwrap());
    headers.insert("cookie", HeaderValue::from_bytes(&vec![0xff; 64 * 1024]).unwrap());
    let lines = sent(request, "x");
    let agent = lines[2]["user_agent"].as_str().unwrap();
    assert!(agent.is_ascii() && agent.contains("\\xFF") && agent.contains('"'), "{agent}");
    assert_eq!(lines[2]["request_headers"]["cookie"], "[REDACTED]");

    for uri in [
        &b"/%00%0a%0d%ff?a=%ff&%ff=%00&=&&&"[..],
        b"/\xc3\xa4/\xe2\x80\xae?q=\xc3\xa4",
        b"/a\"b{c}|d?x=\"{}\"|",
        b"*",
    ] {
        let Ok(uri) = Uri::try_from(uri) else { continue };
        let mut request = get("/");
        *request.uri_mut() = uri;
        let lines = sent(request, "x");
        assert!(lines[2]["path"].as_str().unwrap().is_ascii(), "{:?}", lines[2]["path"]);
    }
}

#[test]
fn long_paths_queries_and_agents_are_cut_on_a_characters_boundary() {
    let mut request = get(&format!("/{}?{}", "p".repeat(20_000), "q=1&".repeat(5_000)));
    let agent = format!("x{}", "ä".repeat(10_000));
    request.headers_mut().insert("user-agent", HeaderValue::from_bytes(agent.as_bytes()).unwrap());
    let line = &sent(request, "x")[2];
    for (name, limit) in [("path", 4096), ("query", 4096), ("user_agent", 4 * 1024)] {
        let text = line[name].as_str().unwrap();
        assert!(text.len() <= limit + 8 && text.ends_with("...[cut]"), "{name}: {}", text.len());
    }
}

#[test]
fn a_secret_in_any_place_is_in_no_line() {
    let secrets = [
        ("authorization", "Bearer hunter2"),
        ("proxy-authorization", "Basic hunter2"),
        ("cookie", "a=1; session=hunter2"),
        ("x-api-key", "hunter2"),
        ("X-Auth-Token", "hunter2"),
        ("x-forwarded-uri", "/x?access_token=hunter2"),
        ("referer", "https://ada:hunter2@example.org/?token=hunter2"),
        ("user-agent", "x password=hunter2"),
    ];
    let mut request =
        get("/reset/hunter2?password=hunter2&x[client_secret]=hunter2&next=%2F%3Ftoken%3Dhunter2");
    for (name, value) in secrets {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_static(value));
    }
    let text = Trial::new().text(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let service = Service::new(|| async {
            bind("session", SECRET);
            bind("note", format!("token={SECRET}"));
            let _span = info_span!("s", api_key = SECRET, note = format!("pwd: {SECRET}")).entered();
            info!(card_number = SECRET, cvv = ?SECRET, "login with password={SECRET}");
            tracing::error!(error = %format!("postgres://ada:{SECRET}@db/orders"), "oh");
            Response::builder().header("set-cookie", "id=hunter2; Path=/").body(Body::default()).unwrap()
        })
        .layered(|layer| layer.request_headers(true).response_headers(true).start_event(true));
        runtime.block_on(service.call(request));
    });
    assert!(!text.contains(SECRET), "{text}");
    assert_eq!(crate::support::read_lines(&text).len(), 4);
}

#[test]
fn an_event_that_looks_like_a_request_line_is_written_like_any_other() {
    let forged = r#"{"a":1},"level":"forged""#;
    let text = Trial::new().text(|| {
        info!(target: "bartizan::request", request_headers = forged, password = SECRET, "request completed");
    });
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["request_headers"], &line["level"]), (&json!(forged), &json!("INFO")));
    assert_eq!(line["password"], "[REDACTED]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_anywhere_makes_clean_lines(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut request = get("/");
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            request.headers_mut().insert("user-agent", value.clone());
            request.headers_mut().insert("x-any", value);
        }
        if let Ok(uri) = Uri::try_from([b"/", &bytes[..]].concat()) {
            *request.uri_mut() = uri;
        }
        let lines = sent(request, &text);
        let bound = lines[1]["bound"].as_str().unwrap();
        prop_assert!(bound.contains("[REDACTED]") || text.starts_with(bound));
        prop_assert_eq!(&lines[2]["outcome"], &json!("ok"));
    }
}

#[test]
fn a_header_that_is_asked_for_twice_is_shown_once() {
    let host = http::header::HOST;
    let service = Service::new(|| async {})
        .layered(|layer| layer.request_headers(true).only_headers([host.clone(), host]));
    let mut request = get("/");
    request.headers_mut().insert("host", HeaderValue::from_static("shop.example"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let text = Trial::new().text(|| runtime.block_on(service.call(request)));
    assert_eq!(text.matches("\"host\"").count(), 1, "{text}");
}
