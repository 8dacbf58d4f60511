//! Who is asking: the peer of the connection, and how far forwarded headers are believed.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{Extensions, HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

/// The socket address at the other end of the connection, as a request extension. A plain hyper accept loop
/// inserts it; under axum the `ConnectInfo` of `into_make_service_with_connect_info` is read as well, and on a tonic server
/// its `TcpConnectInfo`.
///
/// ```
/// use bartizan_core::PeerAddress;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(PeerAddress("192.0.2.7:51234".parse().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

impl PeerAddress {
    /// Finds the peer in a request's extensions. An IPv4 address that a listener on `[::]` tells as `::ffff:192.0.2.7` is that IPv4
    /// address, by which trusted proxies and loopback are known.
    #[inline]
    pub fn of(extensions: &Extensions) -> Option<SocketAddr> {
        Self::told(extensions).map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    #[inline]
    fn told(extensions: &Extensions) -> Option<SocketAddr> {
        if let Some(Self(address)) = extensions.get() {
            return Some(*address);
        }
        #[cfg(feature = "axum")]
        if let Some(axum::extract::ConnectInfo(address)) = extensions.get() {
            return Some(*address);
        }
        #[cfg(feature = "tonic")]
        if let Some(info) = extensions.get::<tonic::transport::server::TcpConnectInfo>() {
            return info.remote_addr();
        }
        None
    }
}

/// Whose word about the client's address and the scheme is taken: nobody's by default, because anyone can send
/// `X-Forwarded-For`.
///
/// ```
/// use bartizan_core::Trust;
///
/// let one_load_balancer = Trust::hops(1);
/// let known_proxies = Trust::proxies(["10.0.0.0/8", "fd00::/8"])?;
/// # Ok::<(), bartizan_core::TrustError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Trust {
    rule: Rule,
}

#[derive(Clone, Debug, Default)]
enum Rule {
    #[default]
    Nobody,
    Hops(u8),
    Proxies(Vec<IpNet>),
}

/// A proxy network that cannot be read.
#[derive(Debug, Error)]
#[error("trusted proxy {0:?}: give an address or a network such as 10.0.0.0/8 or fd00::/8")]
pub struct TrustError(String);

/// How many entries of `X-Forwarded-For` are looked at, from the right.
const MAX_ENTRIES: usize = 32;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

impl Trust {
    /// Only the connection itself counts. The default.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// The service stands behind exactly this many proxies, each of which appends to `X-Forwarded-For`. The
    /// client is the entry that the outermost of them wrote.
    pub fn hops(hops: u8) -> Self {
        Self { rule: if hops == 0 { Rule::Nobody } else { Rule::Hops(hops) } }
    }

    /// Proxies in these networks are believed: the client is the rightmost address outside them.
    ///
    /// # Errors
    ///
    /// [`TrustError`] for what is neither an address nor a network.
    pub fn proxies<I>(networks: I) -> Result<Self, TrustError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let parse = |text: I::Item| {
            let text = text.as_ref().trim();
            IpNet::from_str(text)
                .or_else(|_| IpAddr::from_str(text).map(IpNet::from))
                .map(canonical)
                .map_err(|_| TrustError(text.chars().take(64).collect()))
        };
        Ok(Self { rule: Rule::Proxies(networks.into_iter().map(parse).collect::<Result<_, _>>()?) })
    }

    /// The client's address by this rule.
    ///
    /// ```
    /// use bartizan_core::Trust;
    /// use http::HeaderMap;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("x-forwarded-for", "203.0.113.9, 10.0.0.2".parse().unwrap());
    /// let peer = Some("10.0.0.1".parse().unwrap());
    /// assert_eq!(Trust::nobody().client(peer, &headers), peer);
    /// assert_eq!(Trust::hops(2).client(peer, &headers), Some("203.0.113.9".parse().unwrap()));
    /// ```
    #[inline]
    pub fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        if matches!(self.rule, Rule::Nobody) { peer } else { self.forwarded(peer, headers) }
    }

    fn forwarded(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        match &self.rule {
            Rule::Nobody => peer,
            Rule::Hops(hops) => forwarded_for(headers).nth(usize::from(*hops) - 1).flatten().or(peer),
            Rule::Proxies(networks) => {
                let trusted = |address: &IpAddr| networks.iter().any(|network| network.contains(address));
                let mut client = peer?;
                for entry in forwarded_for(headers) {
                    if !trusted(&client) {
                        break;
                    }
                    let Some(address) = entry else { break };
                    client = address;
                }
                Some(client)
            }
        }
    }

    /// Whether the request came in over TLS: by the URI's scheme, or `X-Forwarded-Proto` from a trusted peer.
    #[inline]
    pub fn is_https(&self, peer: Option<IpAddr>, uri: &http::Uri, headers: &HeaderMap) -> bool {
        let believed = match &self.rule {
            Rule::Nobody => false,
            Rule::Hops(_) => true,
            Rule::Proxies(networks) => {
                peer.is_some_and(|peer| networks.iter().any(|network| network.contains(&peer)))
            }
        };
        match if believed { headers.get(FORWARDED_PROTO) } else { None } {
            Some(proto) => proto.as_bytes().eq_ignore_ascii_case(b"https"),
            None => uri.scheme() == Some(&http::uri::Scheme::HTTPS),
        }
    }
}

/// Appends an address as `Display` shows it. An IPv4 address, as most are, takes a tenth of the time that the standard library does.
///
/// ```
/// let mut line = String::from("client=");
/// bartizan_core::push_address(&mut line, "192.0.2.17".parse()?);
/// assert_eq!(line, "client=192.0.2.17");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn push_address(out: &mut String, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        let _ = write!(out, "{address}");
        return;
    };
    let digit = |n: u8| char::from(b'0' + n % 10);
    for (n, octet) in address.octets().into_iter().enumerate() {
        if n > 0 {
            out.push('.');
        }
        if octet > 99 {
            out.push(digit(octet / 100));
        }
        if octet > 9 {
            out.push(digit(octet / 10));
        }
        out.push(digit(octet));
    }
}

/// The entries of all `X-Forwarded-For` headers from the right, `None` for one that is no address.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    headers
        .get_all(FORWARDED_FOR)
        .iter()
        .rev()
        .flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','))
        .take(MAX_ENTRIES)
        .map(|entry| {
            let text = std::str::from_utf8(entry).ok()?.trim();
            let text = text.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(text);
            let address =
                text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
            Some(address.ok()?.to_canonical())
        })
}

/// A network of IPv4 addresses that is written as one of IPv6 (`::ffff:10.0.0.0/104`), as one of IPv4.
fn canonical(network: IpNet) -> IpNet {
    match (network.addr().to_canonical(), network.prefix_len()) {
        (IpAddr::V4(address), bits @ 96..) => Ipv4Net::new(address, bits - 96).map_or(network, IpNet::V4),
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_forged_header_is_ignored_by_default() {
        let client = Trust::default().client(Some(ip("192.0.2.1")), &headers(&["1.2.3.4"]));
        assert_eq!(client, Some(ip("192.0.2.1")));
    }

    #[test]
    fn hops_count_from_the_right_over_several_headers() {
        let headers = headers(&["6.6.6.6, 203.0.113.9", "10.0.0.2"]);
        let peer = Some(ip("10.0.0.1"));
        assert_eq!(Trust::hops(1).client(peer, &headers), Some(ip("10.0.0.2")));
        assert_eq!(Trust::hops(2).client(peer, &headers), Some(ip("203.0.113.9")));
        assert_eq!(Trust::hops(9).client(peer, &headers), peer);
    }

    #[test]
    fn the_walk_stops_at_the_first_address_outside_the_networks() {
        let trust = Trust::proxies(["10.0.0.0/8"]).unwrap();
        let chain = headers(&["6.6.6.6, 203.0.113.9, 10.0.0.2"]);
        assert_eq!(trust.client(Some(ip("10.0.0.1")), &chain), Some(ip("203.0.113.9")));
        assert_eq!(trust.client(Some(ip("198.51.100.1")), &chain), Some(ip("198.51.100.1")));
        let garbage = headers(&["203.0.113.9, <script>, 10.0.0.2"]);
        assert_eq!(trust.client(Some(ip("10.0.0.1")), &garbage), Some(ip("10.0.0.2")));
    }

    #[test]
    fn ipv4_is_ipv4_on_a_socket_of_both_families_too() {
        let mut extensions = Extensions::new();
        extensions.insert(PeerAddress("[::ffff:10.0.0.1]:443".parse().unwrap()));
        let peer = PeerAddress::of(&extensions).unwrap();
        assert_eq!(peer, "10.0.0.1:443".parse().unwrap());
        for network in ["10.0.0.0/8", "10.0.0.1", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1"] {
            let trust = Trust::proxies([network]).unwrap();
            for entry in ["203.0.113.9", "::ffff:203.0.113.9"] {
                let client = trust.client(Some(peer.ip()), &headers(&[entry]));
                assert_eq!(client, Some(ip("203.0.113.9")), "{network}");
            }
        }
        let v6 = Trust::proxies(["fd00::/8"]).unwrap();
        assert_eq!(v6.client(Some(ip("fd00::1")), &headers(&["2001:db8::1"])), Some(ip("2001:db8::1")));
        assert_eq!(v6.client(Some(ip("10.0.0.1")), &headers(&["2001:db8::1"])), Some(ip("10.0.0.1")));
    }

    #[test]
    fn a_bad_network_is_named_in_the_error() {
        let error = Trust::proxies(["10.0.0.0/8", "tennis"]).unwrap_err().to_string();
        assert!(error.contains("tennis") && error.contains("10.0.0.0/8"), "{error}");
    }

    #[test]
    fn an_address_is_shown_as_it_always_is() {
        for n in 0..=u8::MAX {
            let (mut text, address) = (String::new(), IpAddr::from([n, 255 - n, 7, n / 3]));
            push_address(&mut text, address);
            assert_eq!(text, address.to_string());
        }
        let mut text = String::new();
        push_address(&mut text, ip("2001:db8::1"));
        assert_eq!(text, "2001:db8::1");
    }

    #[test]
    fn ports_and_brackets_are_understood() {
        let chain = headers(&["[2001:db8::1]:443"]);
        assert_eq!(Trust::hops(1).client(None, &chain), Some(ip("2001:db8::1")));
        let chain = headers(&["203.0.113.9:8080"]);
        assert_eq!(Trust::hops(1).client(None, &chain), Some(ip("203.0.113.9")));
    }
}
