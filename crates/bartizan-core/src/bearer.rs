//! Bearer tokens that open something.

use std::fmt;
use std::hint;

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The tokens of which a request must bring one, as `authorization: Bearer {token}`. Without any, nobody is let in.
///
/// The time of a comparison does not depend on where two tokens differ. Tokens are not in `Debug`.
///
/// ```
/// use bartizan_core::BearerTokens;
/// use http::{HeaderMap, HeaderValue, header};
///
/// let tokens = BearerTokens::default().with("the old one").with("the new one");
/// let mut headers = HeaderMap::new();
/// assert!(!tokens.allow(&headers));
/// headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer the new one"));
/// assert!(tokens.allow(&headers));
/// ```
#[derive(Clone, Default)]
pub struct BearerTokens(Vec<Box<str>>);

impl BearerTokens {
    /// One more that is valid. An empty one is nobody's. Blanks around it do not count, as no header can bring them: a token out of a
    /// file often ends in a newline.
    #[must_use]
    pub fn with(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        let token = token.trim();
        if !token.is_empty() {
            self.0.push(token.into());
        }
        self
    }

    /// Whether a request with these headers brings one of the tokens.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut values = headers.get_all(AUTHORIZATION).iter();
        // Of two headers nobody knows which one a proxy has checked.
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, given)) = value.as_bytes().split_at_checked("Bearer ".len()) else { return false };
        // No early end here either: which of the tokens it was is nobody's business.
        let found = self.0.iter().fold(false, |found, token| found | same(token.as_bytes(), given));
        scheme.eq_ignore_ascii_case(b"Bearer ") && found
    }
}

/// Compares in a time that depends on the lengths only.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |all, (a, b)| hint::black_box(all | (a ^ b)));
    a.len() == b.len() && hint::black_box(differences) == 0
}

impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BearerTokens").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn allows(tokens: &BearerTokens, values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        tokens.allow(&headers)
    }

    #[test]
    fn only_the_whole_token_opens() {
        let tokens = BearerTokens::default().with("s3cret").with("next");
        for good in ["Bearer s3cret", "bearer s3cret", "Bearer next"] {
            assert!(allows(&tokens, &[good]), "{good}");
        }
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer s3cre",
            "Bearer s3cret2",
            "Bearer S3cret",
            "Basic s3cret",
            "s3cret",
        ] {
            assert!(!allows(&tokens, &[bad]), "{bad}");
        }
        assert!(!allows(&tokens, &[]));
    }

    #[test]
    fn two_authorization_headers_open_nothing() {
        assert!(!allows(&BearerTokens::default().with("a"), &["Bearer a", "Bearer a"]));
    }

    #[test]
    fn without_a_token_nobody_is_let_in() {
        for tokens in [BearerTokens::default(), BearerTokens::default().with("")] {
            assert!(!allows(&tokens, &[]));
            assert!(!allows(&tokens, &["Bearer "]));
        }
    }

    #[test]
    fn a_token_out_of_a_file_may_end_in_a_newline() {
        let tokens = BearerTokens::default().with("s3cret\n").with(" \n");
        assert!(allows(&tokens, &["Bearer s3cret"]));
        assert!(!allows(&tokens, &["Bearer "]));
    }

    #[test]
    fn tokens_are_not_in_debug() {
        assert!(!format!("{:?}", BearerTokens::default().with("s3cret")).contains("s3cret"));
    }
}
