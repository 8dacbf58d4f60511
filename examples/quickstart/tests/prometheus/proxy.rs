//! A proxy before the service: it hears what a scraper asks for, and can ask for something else.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::process::read_until;

/// What was asked for and what came, for each scrape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) accept: String,
    pub(crate) content_type: String,
    pub(crate) content_encoding: String,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    scrapes: Arc<Mutex<Vec<Scrape>>>,
}

impl Proxy {
    /// Stands before a service until the test is over; with `accept` it asks for that.
    pub(crate) fn before(service: SocketAddr, accept: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scrapes = Arc::<Mutex<Vec<Scrape>>>::default();
        let kept = Arc::clone(&scrapes);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    let scrape = pass(client.unwrap(), service, accept);
                    kept.lock().unwrap().extend(scrape);
                });
            }
        });
        Self { address, scrapes }
    }

    pub(crate) fn last(&self) -> Scrape {
        self.scrapes.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// One request and its answer; `None` for a connection that is closed without one.
fn pass(mut client: TcpStream, service: SocketAddr, accept: Option<&str>) -> Option<Scrape> {
    // A connection may be opened and never used.
    client.peek(&mut [0]).ok().filter(|read| *read > 0)?;
    let request = String::from_utf8(read_until(&mut client, b"\r\n\r\n")).unwrap();
    let asked = header(&request, "accept");
    let mut lines: Vec<_> = request.trim_end().lines().filter(|line| !is(line, "accept")).collect();
    let accept = format!("accept: {}", accept.unwrap_or(&asked));
    lines.extend([accept.as_str(), "connection: close", "", ""]);
    let mut upstream = TcpStream::connect(service).unwrap();
    upstream.write_all(lines.join("\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).unwrap();
    client.write_all(&answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let (content_type, content_encoding) = (header(head, "content-type"), header(head, "content-encoding"));
    Some(Scrape { accept: asked, content_type, content_encoding })
}

fn is(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find(|line| is(line, name)).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
}
