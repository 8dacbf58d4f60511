//! Lists of `key=value` pairs with percent-encoded values: headers and resource attributes.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::SetupError;

/// Reads `key=value,key=value`. Says which entry is wrong, never what it holds.
pub(super) fn parse(setting: &'static str, list: &str) -> Result<Vec<(String, String)>, SetupError> {
    let entries = list.split(',').map(str::trim).enumerate().filter(|(_, entry)| !entry.is_empty());
    entries
        .map(|(at, entry)| {
            let pair = entry.split_once('=').map(|(key, value)| (key.trim(), decode(value.trim())));
            match pair {
                Some((key, Some(value))) if !key.is_empty() => Ok((key.to_owned(), value)),
                _ => Err(SetupError::invalid(
                    setting,
                    format!("has no key or no value in entry {}", at + 1),
                    "a list like key1=value1,key2=value2",
                    "percent-encode commas, spaces and % in values",
                )),
            }
        })
        .collect()
}

/// Undoes percent-encoding; `None` if an escape is incomplete or the result is no UTF-8.
fn decode(value: &str) -> Option<String> {
    let mut pieces = value.split('%');
    let mut out = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        out.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
        out.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(out).ok()
}

/// Headers of every export request. They hold keys, so `Debug` shows no values.
#[derive(Clone, Default)]
pub(super) struct Headers(Vec<(&'static str, String, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(_, name, _)| name)).finish()
    }
}

impl Headers {
    /// Adds a header, not yet checked; a later one of the same name replaces it.
    pub(super) fn push(&mut self, setting: &'static str, name: String, value: String) {
        self.0.push((setting, name, value));
    }

    pub(super) fn resolve(&self) -> Result<HeaderMap, SetupError> {
        let mut map = HeaderMap::new();
        for (at, (setting, name, value)) in self.0.iter().enumerate() {
            let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
            // gRPC keeps the suffix for binary values, which neither protocol's variable can hold.
            let Some((name, mut value)) = pair.filter(|(name, _)| !name.as_str().ends_with("-bin")) else {
                return Err(SetupError::invalid(
                    setting,
                    format!("has an entry that is no header, header {} of all", at + 1),
                    "names and values as HTTP allows them, and no name that ends in -bin",
                    "write it as api-key=...",
                ));
            };
            value.set_sensitive(true);
            map.insert(name, value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_trimmed_and_decoded() {
        let pairs = parse("TEST", " a = 1 ,, b=x%2Cy%20z ,c=k=v,d=").unwrap();
        let expected = [("a", "1"), ("b", "x,y z"), ("c", "k=v"), ("d", "")];
        assert_eq!(pairs, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_error_names_the_entry_and_hides_it() {
        for bad in [
            "a=1,hunter2",
            "a=1,=hunter2",
            "a=1,b=hunter2%",
            "a=1,b=hunter2%4",
            "a=1,b=hunter2%+1",
            "a=1,b=hunter2%ff",
        ] {
            let error = parse("TEST", bad).unwrap_err();
            assert!(error.to_string().contains("entry 2"), "{bad}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn header_values_are_hidden_everywhere() {
        let mut headers = Headers::default();
        headers.push("TEST", "api-key".into(), "hunter2".into());
        let map = headers.resolve().unwrap();
        assert_eq!(map["api-key"], "hunter2");
        assert!(!format!("{headers:?} {map:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_no_header_is_an_error_without_the_value() {
        for (name, value) in
            [("a b", "hunter2"), ("", "hunter2"), ("a", "hunter2\r\nb: c"), ("key-bin", "hunter2")]
        {
            let mut headers = Headers::default();
            headers.push("TEST", name.into(), value.into());
            let error = headers.resolve().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_later_header_replaces_an_earlier_one() {
        let mut headers = Headers::default();
        headers.push("TEST", "Key".into(), "1".into());
        headers.push("TEST", "key".into(), "2".into());
        let map = headers.resolve().unwrap();
        assert_eq!(map.get_all("key").iter().collect::<Vec<_>>(), ["2"]);
    }
}
