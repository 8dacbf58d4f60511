//! Who may see more than a status.

use std::{fmt, sync::Arc};

use bartizan_core::{BearerTokens, PeerAddress};
use http::{HeaderMap, request::Parts};

type Rule = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

/// Who may see which checks there are, what they say, and how they are. Everybody sees the status of the whole.
///
/// The default is nobody, which is safe on the open internet. A caller who satisfies any of the tokens and
/// rules sees all. For the others the lists of checks are empty, the counts null, and the paths of single
/// checks not there; [`names`](Self::names) shows them names, statuses and times, but neither messages nor
/// details.
///
/// ```
/// use bartizan_health::{Endpoints, Exposure, Registry};
///
/// let registry = Registry::new();
/// let public = Endpoints::new(registry.clone())
///     .exposure(Exposure::public().token("a long random text").allow(|parts| parts.headers.contains_key("x-internal")));
/// let management_port = Endpoints::new(registry).exposure(Exposure::full());
/// ```
///
/// # Caution
///
/// A rule that trusts loopback peers opens the details to the world when a proxy on the same machine, such
/// as a sidecar, forwards requests.
#[derive(Clone, Default)]
pub struct Exposure {
    full: bool,
    names: bool,
    tokens: BearerTokens,
    rules: Vec<Rule>,
}

impl Exposure {
    /// Nobody sees more than the status, until a token or a rule is added. The default.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Everybody sees everything: for a management port.
    #[must_use]
    pub fn full() -> Self {
        Self { full: true, ..Self::default() }
    }

    /// Everybody sees the names of checks, with their statuses and times. Default false.
    #[must_use]
    pub fn names(mut self, shown: bool) -> Self {
        self.names = shown;
        self
    }

    /// Callers with `authorization: Bearer {token}` see all. Several tokens may be valid at a time; an empty
    /// one is nobody's. The time of the comparison does not depend on where two tokens differ.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens = self.tokens.with(token);
        self
    }

    /// Callers whose request satisfies the rule see all.
    #[must_use]
    pub fn allow(mut self, rule: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Callers on this machine see all, as far as the host tells the peer's address; see the caution above.
    #[must_use]
    pub fn loopback(self) -> Self {
        self.allow(|parts| PeerAddress::of(&parts.extensions).is_some_and(|peer| peer.ip().is_loopback()))
    }

    pub(crate) fn sight(&self, parts: &Parts) -> Sight {
        self.shown(self.allows(parts))
    }

    /// None if a rule has to see the whole request.
    pub(crate) fn sight_by_headers(&self, headers: &HeaderMap) -> Option<Sight> {
        self.rules.is_empty().then(|| self.shown(self.opens(headers)))
    }

    fn shown(&self, allowed: bool) -> Sight {
        match self.names {
            _ if allowed => Sight::All,
            true => Sight::Names,
            false => Sight::Status,
        }
    }

    fn allows(&self, parts: &Parts) -> bool {
        self.opens(&parts.headers) || self.rules.iter().any(|rule| rule(parts))
    }

    fn opens(&self, headers: &HeaderMap) -> bool {
        self.full || self.tokens.allow(headers)
    }
}

/// What a caller may see, from little to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sight {
    /// The status of the whole.
    Status,
    /// And the names of checks, their statuses and times.
    Names,
    /// And messages and details.
    All,
}

impl fmt::Debug for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposure")
            .field("full", &self.full)
            .field("names", &self.names)
            .field("tokens", &self.tokens)
            .field("rules", &self.rules.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    fn allows(exposure: &Exposure, values: &[&str]) -> bool {
        let request =
            values.iter().fold(http::Request::get("/health"), |r, value| r.header(AUTHORIZATION, *value));
        allows_parts(exposure, request)
    }

    #[test]
    fn loopback_allows_peers_of_this_machine_only() {
        let from = |peer: &str| {
            let request = http::Request::builder().extension(PeerAddress(peer.parse().unwrap()));
            allows_parts(&Exposure::public().loopback(), request)
        };
        assert!(from("127.0.0.1:4000") && from("[::1]:4000"));
        assert!(!from("192.0.2.1:4000"));
        assert!(!allows_parts(&Exposure::public().loopback(), http::Request::builder()));
    }

    fn allows_parts(exposure: &Exposure, request: http::request::Builder) -> bool {
        exposure.allows(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn nobody_is_allowed_by_default() {
        assert!(!allows(&Exposure::public(), &[]));
        assert!(!allows(&Exposure::public(), &["Bearer "]));
        assert!(allows(&Exposure::full(), &[]));
    }

    #[test]
    fn names_are_less_than_all_and_more_than_the_status() {
        let sight = |exposure: &Exposure| exposure.sight(&http::Request::new(()).into_parts().0);
        assert_eq!(sight(&Exposure::public()), Sight::Status);
        assert_eq!(sight(&Exposure::public().names(true)), Sight::Names);
        assert_eq!(sight(&Exposure::full()), Sight::All);
        assert!(Sight::Status < Sight::Names && Sight::Names < Sight::All);
    }

    #[test]
    fn a_token_opens() {
        let exposure = Exposure::public().token("s3cret").token("next");
        assert!(allows(&exposure, &["Bearer next"]));
        assert!(!allows(&exposure, &["Bearer nex"]));
    }

    #[test]
    fn a_rule_sees_the_request() {
        let exposure = Exposure::public().allow(|parts| parts.extensions.get::<u16>() == Some(&7));
        assert!(!allows(&exposure, &[]));
        assert!(allows_parts(&exposure, http::Request::get("/").extension(7_u16)));
    }

    #[test]
    fn tokens_are_not_in_debug() {
        assert!(!format!("{:?}", Exposure::public().token("s3cret")).contains("s3cret"));
    }
}
