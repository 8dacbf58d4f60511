//! Pseudonyms: the same value under the same key is the same word.

use std::fmt::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many bytes of the HMAC are written.
const SHOWN_BYTES: usize = 16;

/// The longest id of a key.
pub(crate) const MAX_ID_BYTES: usize = 32;

/// The key that pseudonyms are made with. A clone is the same key.
#[derive(Clone)]
pub(crate) struct Keys(Arc<RwLock<Key>>);

struct Key {
    id: Box<str>,
    mac: Hmac<Sha256>,
}

impl Keys {
    /// `None` when the id cannot stand in front of a pseudonym.
    pub(crate) fn new(id: &str, key: &[u8]) -> Option<Self> {
        Key::new(id, key).map(|key| Self(Arc::new(RwLock::new(key))))
    }

    /// Puts another key in place of the one before; `false` when its id is not valid.
    pub(crate) fn rotate(&self, id: &str, key: &[u8]) -> bool {
        let Some(key) = Key::new(id, key) else { return false };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
        true
    }

    /// The pseudonym of a value; `None` where it is one already.
    pub(crate) fn pseudonym(&self, value: &str) -> Option<String> {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if is_pseudonym(value) {
            return None;
        }
        let mut mac = key.mac.clone();
        mac.update(value.as_bytes());
        let mut pseudonym = format!("{}:", key.id);
        for byte in mac.finalize().into_bytes().iter().take(SHOWN_BYTES) {
            // Writing to a string does not fail.
            let _ = write!(pseudonym, "{byte:02x}");
        }
        Some(pseudonym)
    }
}

impl Key {
    fn new(id: &str, key: &[u8]) -> Option<Self> {
        let mac = Hmac::new_from_slice(key).ok()?;
        (is_id(id) && !key.is_empty()).then(|| Self { id: id.into(), mac })
    }
}

fn is_id(id: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(part)
}

/// Whether a value looks like a pseudonym, under this key or an earlier one.
fn is_pseudonym(value: &str) -> bool {
    value.split_once(':').is_some_and(|(id, digits)| {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        is_id(id) && digits.len() == 2 * SHOWN_BYTES && digits.bytes().all(digit)
    })
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_tuple("Keys").field(&key.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn a_pseudonym_is_an_hmac_under_the_key() {
        // RFC 4231, test case 2.
        let keys = Keys::new("k", b"Jefe").unwrap();
        let pseudonym = keys.pseudonym("what do ya want for nothing?").unwrap();
        assert_eq!(pseudonym, "k:5bdcc146bf60754e6a042426089575c7");
        assert_eq!(keys.pseudonym(&pseudonym), None);
        assert!(keys.pseudonym(&pseudonym[1..]).is_some());
    }

    #[test]
    fn a_new_key_makes_other_pseudonyms_for_all_clones() {
        let keys = Keys::new("2026-10", b"one").unwrap();
        let before = keys.pseudonym("ada").unwrap();
        assert!(keys.clone().rotate("2026-11", b"two"));
        let after = keys.pseudonym("ada").unwrap();
        assert!(before.starts_with("2026-10:") && after.starts_with("2026-11:"));
        assert_eq!(keys.pseudonym(&before), None, "what was masked before stays");
        assert_eq!(format!("{keys:?}"), "Keys(\"2026-11\")");
        for id in ["", "a b", "a:b", "ä"] {
            assert!(!keys.rotate(id, b"k") && Keys::new(id, b"k").is_none(), "{id}");
        }
        assert!(Keys::new("a", b"").is_none());
    }
}
