//! The HTTP Archive, against the tables of its specification, version 1.2.

use std::sync::{Arc, Mutex};

use bartizan_log::{Capture, CaptureWhen, CapturedExchange};
use http::{HeaderValue, Response};
use serde_json::Value;

use crate::service::{Body, Service, get};

/// What a member must be.
enum Is {
    Text,
    Number,
    Url,
    Time,
    Object(&'static [(&'static str, bool, Is)]),
    List(&'static [(&'static str, bool, Is)]),
}

use Is::{List, Number, Object, Text, Time, Url};

const PAIR: &[(&str, bool, Is)] = &[("name", true, Text), ("value", true, Text), ("comment", false, Text)];

/// The names, whether they must be there, and what they are.
const LOG: &[(&str, bool, Is)] = &[(
    "log",
    true,
    Object(&[
        ("version", true, Text),
        ("creator", true, Object(&[("name", true, Text), ("version", true, Text)])),
        (
            "entries",
            true,
            List(&[
                ("startedDateTime", true, Time),
                ("time", true, Number),
                (
                    "request",
                    true,
                    Object(&[
                        ("method", true, Text),
                        ("url", true, Url),
                        ("httpVersion", true, Text),
                        ("cookies", true, List(PAIR)),
                        ("headers", true, List(PAIR)),
                        ("queryString", true, List(PAIR)),
                        (
                            "postData",
                            false,
                            Object(&[
                                ("mimeType", true, Text),
                                ("text", true, Text),
                                ("comment", false, Text),
                            ]),
                        ),
                        ("headersSize", true, Number),
                        ("bodySize", true, Number),
                    ]),
                ),
                (
                    "response",
                    true,
                    Object(&[
                        ("status", true, Number),
                        ("statusText", true, Text),
                        ("httpVersion", true, Text),
                        ("cookies", true, List(PAIR)),
                        ("headers", true, List(PAIR)),
                        (
                            "content",
                            true,
                            Object(&[
                                ("size", true, Number),
                                ("mimeType", true, Text),
                                ("text", false, Text),
                                ("comment", false, Text),
                            ]),
                        ),
                        ("redirectURL", true, Text),
                        ("headersSize", true, Number),
                        ("bodySize", true, Number),
                    ]),
                ),
                ("cache", true, Object(&[])),
                (
                    "timings",
                    true,
                    Object(&[("send", true, Number), ("wait", true, Number), ("receive", true, Number)]),
                ),
                ("comment", false, Text),
            ]),
        ),
    ]),
)];

fn check(at: &str, members: &[(&'static str, bool, Is)], value: &Value) {
    let object = value.as_object().unwrap_or_else(|| panic!("{at} is no object"));
    for name in object.keys() {
        assert!(members.iter().any(|(known, ..)| known == name), "{at}.{name} is not in the specification");
    }
    for (name, required, is) in members {
        let at = format!("{at}.{name}");
        let Some(value) = object.get(*name) else {
            assert!(!required, "{at} is missing");
            continue;
        };
        let text = value.as_str();
        let good = match is {
            Text => text.is_some(),
            Number => value.is_number(),
            Url => text
                .unwrap()
                .parse::<http::Uri>()
                .is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some()),
            Time => is_time(text.unwrap()),
            Object(members) => {
                check(&at, members, value);
                true
            }
            List(members) => {
                value.as_array().unwrap().iter().for_each(|item| check(&at, members, item));
                true
            }
        };
        assert!(good, "{at} is {value}");
    }
}

/// As ISO 8601 has it: `2009-07-24T19:20:30.45+01:00`.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000000Z"
}

#[test]
fn what_is_exported_is_a_har_whatever_was_sent() {
    let seen: Arc<Mutex<Vec<CapturedExchange>>> = Arc::default();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let answers = [
        ("/", 200, "application/json", r#"{"a":"\"\\ä"}"#),
        ("/a?b&=c&d=e=f&token=x", 302, "text/plain", "x\u{1b}\u{2028}\"\n"),
        ("/%7B?q='", 500, "image/png", "x"),
        ("/empty?", 204, "text/plain", ""),
    ];
    for (uri, status, media_type, body) in answers {
        let kept = Arc::clone(&seen);
        let capture = Capture::new()
            .when(CaptureWhen::Always)
            .sink(move |exchange| kept.lock().unwrap().push(exchange));
        let answer = move || {
            let answer = Response::builder()
                .status(status)
                .header("content-type", media_type)
                .header("location", "/x?token=hunter2");
            let answer = answer.body(Body::from(body)).unwrap();
            async move { answer }
        };
        let mut request = get(uri);
        request.headers_mut().insert("x-odd", HeaderValue::from_bytes(b"J\xf6rg \"\t\\").unwrap());
        if status == 200 {
            request.headers_mut().insert("host", HeaderValue::from_static("a b@c"));
        }
        runtime.block_on(Service::new(answer).layered(|layer| layer.capture(capture)).call(request));
    }
    let seen = seen.lock().unwrap();
    let har: Value = serde_json::from_str(&CapturedExchange::to_har(&seen)).unwrap();
    check("", LOG, &har);
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), answers.len());
    assert_eq!(har["log"]["version"], "1.2");
    assert_eq!(entries[0]["request"]["url"], "http://invalid/");
    assert_eq!(entries[0]["response"]["content"]["text"], r#"{"a":"\"\\ä"}"#);
    assert_eq!(entries[1]["response"]["redirectURL"], "/x?token=[REDACTED]");
    assert_eq!(entries[1]["request"]["queryString"][3]["value"], "[REDACTED]");
    assert_eq!(entries[2]["response"]["content"]["text"], "[image/png, 1 bytes]");
    for entry in entries {
        let timings = &entry["timings"];
        let sum: f64 = ["send", "wait", "receive"].iter().map(|name| timings[name].as_f64().unwrap()).sum();
        assert!((sum - entry["time"].as_f64().unwrap()).abs() < 1e-6);
    }
}
