//! What a request says of itself, masked and cut, in a buffer that is used again.

use bartizan_core::{Record, push_address};
use bartizan_mask::Masker;
use http::HeaderValue;
use http::uri::PathAndQuery;

use super::buffer::Buffer;
use super::headers::{cut_off, push_value};

/// Longest path and longest query.
const MAX_PART: usize = 4096;

pub(super) struct Texts {
    /// One after the other.
    buffer: Buffer,
    /// How long they are.
    path: usize,
    query: Option<usize>,
    user_agent: Option<usize>,
    client_address: Option<usize>,
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

    pub(super) fn parts(&self) -> Parts<'_> {
        let all = &*self.buffer;
        let mut rest = all;
        let mut next = |len| {
            let (part, after) = rest.split_at_checked(len).unwrap_or_default();
            rest = after;
            part
        };
        Parts {
            all,
            path: next(self.path),
            query: self.query.map(&mut next),
            user_agent: self.user_agent.map(&mut next),
            client_address: self.client_address.map(&mut next),
        }
    }
}

/// The texts, one by one.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    /// One after the other.
    pub(super) all: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) client_address: Option<&'a str>,
}

/// How long what it writes is.
fn append(buffer: &mut String, write: impl FnOnce(&mut String)) -> usize {
    let start = buffer.len();
    write(buffer);
    buffer.len() - start
}

fn push_part(out: &mut String, part: &str, mask: impl FnOnce(&str, &mut String)) {
    let start = out.len();
    mask(part, out);
    cut_off(out, start, MAX_PART);
}
