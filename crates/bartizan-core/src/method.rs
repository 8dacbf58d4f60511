//! The request method as a bounded name.

use http::Method;

/// A request method as it may stand in a label: one of the ten that the semantic conventions know, or
/// `_OTHER` for whatever else a client made up.
///
/// ```
/// use bartizan_core::KnownMethod;
/// use http::Method;
///
/// assert_eq!(KnownMethod::of(&Method::GET).as_str(), "GET");
/// let made_up = Method::from_bytes(b"BREW").unwrap();
/// assert_eq!(KnownMethod::of(&made_up).as_str(), "_OTHER");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KnownMethod(u8);

const NAMES: [&str; 11] =
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY", "_OTHER"];
const OTHER: u8 = 10;

impl KnownMethod {
    /// Any method outside the known set.
    pub const OTHER: Self = Self(OTHER);
    pub(crate) const HEAD: Self = Self(5);
    pub(crate) const POST: Self = Self(1);
    pub(crate) const CONNECT: Self = Self(7);

    /// Classifies a method. Methods are case-sensitive (RFC 9110, section 9.1): `get` is `_OTHER`.
    #[inline]
    pub fn of(method: &Method) -> Self {
        Self(match *method {
            Method::GET => 0,
            Method::POST => 1,
            Method::PUT => 2,
            Method::PATCH => 3,
            Method::DELETE => 4,
            Method::HEAD => 5,
            Method::OPTIONS => 6,
            Method::CONNECT => 7,
            Method::TRACE => 8,
            _ if method.as_str() == "QUERY" => 9,
            _ => OTHER,
        })
    }

    /// A number below 11, for tables.
    ///
    /// ```
    /// use bartizan_core::KnownMethod;
    ///
    /// let all = ["GET", "POST", "BREW"].map(|name| KnownMethod::of(&name.parse().unwrap()));
    /// assert_eq!(all.map(KnownMethod::as_u8), [0, 1, KnownMethod::OTHER.as_u8()]);
    /// ```
    #[inline]
    pub fn as_u8(self) -> u8 {
        self.0
    }

    /// The name in labels and log lines.
    #[inline]
    pub fn as_str(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("_OTHER")
    }

    /// Whether this is a method outside the known set.
    pub fn is_other(self) -> bool {
        self.0 == OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_methods_keep_their_names_and_lower_case_does_not_count() {
        for name in &NAMES[..10] {
            assert_eq!(KnownMethod::of(&Method::from_bytes(name.as_bytes()).unwrap()).as_str(), *name);
        }
        assert!(KnownMethod::of(&Method::from_bytes(b"get").unwrap()).is_other());
    }
}
