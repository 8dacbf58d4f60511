//! Tokens and keys.

use std::ops::Range;

use memchr::memmem;

use super::{begins, ends, run};

/// A JSON web token (RFC 7519, section 3) that begins here.
pub(super) fn jwt(text: &[u8], at: usize) -> Option<Range<usize>> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // One look at each run of such bytes, so that a long one is not read again and again.
    let first = !at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(part);
    if !first || !text.get(at..)?.starts_with(b"eyJ") {
        return None;
    }
    let (mut end, mut parts) = (at, 0);
    loop {
        let length = run(text, end, part);
        if parts < 2 && length < 3 {
            return None;
        }
        (end, parts) = (end + length, parts + 1);
        if text.get(end) != Some(&b'.') || parts == 5 {
            return (parts > 2 || (parts == 2 && end - at > 40)).then_some(at..end);
        }
        end += 1;
    }
}

/// The id of an AWS access key that begins here.
pub(super) fn aws(text: &[u8], at: usize) -> Option<Range<usize>> {
    let id = text.get(at..at + 20)?;
    let (prefix, rest) = id.split_at_checked(4)?;
    let known = matches!(prefix, b"AKIA" | b"ASIA" | b"ABIA" | b"ACCA") || prefix.starts_with(b"A3T");
    let base32 = rest.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (known && base32 && begins(text, at) && ends(text, at + 20)).then_some(at..at + 20)
}

/// A GitHub token that begins here.
pub(super) fn github(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let prefix = match rest {
        [b'g', b'h', b'p' | b'o' | b'u' | b's' | b'r', b'_', ..] => 4,
        _ if rest.starts_with(b"github_pat_") => 11,
        _ => return None,
    };
    let length = run(text, at + prefix, |byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (length >= 36 && begins(text, at)).then_some(at..at + prefix + length)
}

/// A private key in PEM (RFC 7468) that begins here.
pub(super) fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?.strip_prefix(b"-----BEGIN ")?;
    let label = rest.get(..64).unwrap_or(rest);
    let label_end = memmem::find(label, b"-----")?;
    if !label.get(..label_end)?.ends_with(b"PRIVATE KEY") {
        return None;
    }
    let end = memmem::find(text.get(at + 11..)?, b"-----END ").map(|end| at + 11 + end + 9);
    let end = end.and_then(|end| {
        Some(end + memmem::find(text.get(end..)?.get(..64 + 5).unwrap_or(text.get(end..)?), b"-----")? + 5)
    });
    Some(at..end.unwrap_or(text.len()))
}
