//! What a request says of itself, masked and cut, in a buffer that is used again.

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Range;

use bartizan_core::Record;
use bartizan_mask::Masker;
use http::HeaderValue;
use http::uri::PathAndQuery;

use super::buffer::Buffer;
use super::headers::{cut_off, push_value};

/// Longest path and longest query.
const MAX_PART: usize = 4096;

pub(super) struct Texts {
    buffer: Buffer,
    path: Range<usize>,
    query: Option<Range<usize>>,
    user_agent: Option<Range<usize>>,
    client_address: Option<Range<usize>>,
}

impl Texts {
    pub(super) fn of(
        uri: Option<&PathAndQuery>,
        user_agent: Option<&HeaderValue>,
        record: &Record,
        masker: &Masker,
    ) -> Self {
        let mut kept = Buffer::take();
        let buffer = kept.text();
        let route = record.matched_route().unwrap_or_default();
        // Writing to a string does not fail.
        let path = append(buffer, |out| {
            push_part(out, uri.map_or("", PathAndQuery::path), |part, out| {
                let _ = masker.path_str(part, route, out);
            });
        });
        let query = uri.and_then(PathAndQuery::query).map(|query| {
            append(buffer, |out| {
                push_part(out, query, |part, out| {
                    let _ = masker.query_str(part, out);
                });
            })
        });
        let user_agent =
            user_agent.map(|value| append(buffer, |out| push_value(out, "user-agent", value, masker)));
        let client_address =
            record.client_address().map(|address| append(buffer, |out| push_address(out, address)));
        Self { buffer: kept, path, query, user_agent, client_address }
    }

    pub(super) fn path(&self) -> &str {
        self.get(&self.path)
    }

    pub(super) fn query(&self) -> Option<&str> {
        self.query.as_ref().map(|part| self.get(part))
    }

    pub(super) fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_ref().map(|part| self.get(part))
    }

    pub(super) fn client_address(&self) -> Option<&str> {
        self.client_address.as_ref().map(|part| self.get(part))
    }

    fn get(&self, part: &Range<usize>) -> &str {
        self.buffer.get(part.clone()).unwrap_or_default()
    }
}

fn append(buffer: &mut String, write: impl FnOnce(&mut String)) -> Range<usize> {
    let start = buffer.len();
    write(buffer);
    start..buffer.len()
}

fn push_part(out: &mut String, part: &str, mask: impl FnOnce(&str, &mut String)) {
    let start = out.len();
    mask(part, out);
    cut_off(out, start, MAX_PART);
}

fn push_address(out: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let mut digits = itoa::Buffer::new();
            for (n, octet) in address.octets().into_iter().enumerate() {
                if n > 0 {
                    out.push('.');
                }
                out.push_str(digits.format(octet));
            }
        }
        IpAddr::V6(address) => {
            let _ = write!(out, "{address}");
        }
    }
}
