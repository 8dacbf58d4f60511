//! What the names of headers say of their values, remembered by each thread: the few names that are not told apart at a
//! glance come with every request.

use std::cell::RefCell;

use crate::Masker;
use crate::names::Hide;

/// How many names a thread remembers.
const SLOTS: usize = 32;

/// The longest name that is remembered.
const MAX_BYTES: usize = 31;

/// The ending of the names of binary gRPC metadata.
const BINARY: &str = "-bin";

#[derive(Clone, Copy)]
struct Slot {
    owner: u64,
    length: u8,
    name: [u8; MAX_BYTES],
    hide: Option<Hide>,
}

thread_local! {
    // No masker is number 0.
    static KNOWN: RefCell<[Slot; SLOTS]> =
        const { RefCell::new([Slot { owner: 0, length: 0, name: [0; MAX_BYTES], hide: None }; SLOTS]) };
}

impl Masker {
    /// How the value of this header is hidden, if it is hidden as a whole.
    pub(super) fn hides_header(&self, name: &str) -> Option<Hide> {
        match strip_binary(name) {
            Some(plain) => self.hides_binary(name, plain),
            None if self.names().may_hide(name.as_bytes()) => self.remembered(name.as_bytes()),
            None => None,
        }
    }

    /// How binary metadata is hidden. Nobody can look into it, so it has to be allowed.
    fn hides_binary(&self, name: &str, plain: &str) -> Option<Hide> {
        let allowed = self.names().allows(name.as_bytes()) || self.names().allows(plain.as_bytes());
        if allowed { None } else { self.names().hides(plain.as_bytes()).or(Some(Hide::default())) }
    }

    fn remembered(&self, name: &[u8]) -> Option<Hide> {
        let judge = || self.names().hides(name);
        if name.len() > MAX_BYTES {
            return judge();
        }
        let known = KNOWN.try_with(|known| {
            let mut known = known.try_borrow_mut().ok()?;
            let slot = known.get_mut(place(name))?;
            let is_it = slot.owner == self.owner() && usize::from(slot.length) == name.len();
            if !is_it || !slot.name.starts_with(name) {
                *slot = Slot {
                    owner: self.owner(),
                    length: name.len() as u8,
                    name: [0; MAX_BYTES],
                    hide: judge(),
                };
                slot.name.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
            }
            Some(slot.hide)
        });
        known.ok().flatten().unwrap_or_else(judge)
    }
}

/// The name of binary gRPC metadata without its ending.
fn strip_binary(name: &str) -> Option<&str> {
    let (plain, ending) = name.split_at_checked(name.len().checked_sub(BINARY.len())?)?;
    ending.eq_ignore_ascii_case(BINARY).then_some(plain)
}

fn place(name: &[u8]) -> usize {
    let byte = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default());
    (byte(name.first()) ^ byte(name.last()) << 1 ^ name.len() << 2) % SLOTS
}

#[cfg(test)]
mod tests {
    use crate::Masker;

    #[test]
    fn what_is_remembered_is_the_maskers_own_and_of_that_name_alone() {
        let strict = Masker::default();
        let lax = Masker::builder().allow("authorization").allow("x-token").build().unwrap();
        let long = format!("x-{}-token", "y".repeat(40));
        for _ in 0..3 {
            for name in ["authorization", "Authorization", "x-token", "x-tokem", &*long] {
                assert_eq!(strict.hides_header(name), strict.names().hides(name.as_bytes()), "{name}");
                assert_eq!(lax.hides_header(name), lax.names().hides(name.as_bytes()), "{name}");
            }
        }
        assert!(
            strict.hides_header("authorization").is_some() && lax.hides_header("authorization").is_none()
        );
    }

    #[test]
    fn more_names_than_slots_are_still_told_apart() {
        let masker = Masker::default();
        for _ in 0..2 {
            for n in 0..1000 {
                assert!(masker.hides_header(&format!("x-{n}-token")).is_some());
                assert!(masker.hides_header(&format!("x-{n}-spoken")).is_none());
            }
        }
    }
}
