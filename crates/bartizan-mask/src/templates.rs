//! Which route templates have sensitive parameters, remembered by each thread: a service has few templates
//! and asks with every request.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many templates a thread remembers.
const SLOTS: usize = 64;

/// The longest template that is remembered.
const MAX_TEMPLATE_BYTES: usize = 256;

#[derive(Default)]
struct Slot {
    owner: u64,
    template: Box<str>,
    sensitive: bool,
}

thread_local! {
    static KNOWN: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// A number that stands for one set of rules.
pub(crate) fn new_owner() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What `judge` says of this template for this owner, asked once a thread.
#[inline]
pub(crate) fn is_sensitive(owner: u64, template: &str, judge: impl Fn() -> bool) -> bool {
    let place = place(template);
    let known = KNOWN.try_with(|known| {
        let known = known.try_borrow().ok()?;
        let slot = known.get(place)?;
        (slot.owner == owner && *slot.template == *template).then_some(slot.sensitive)
    });
    known.ok().flatten().unwrap_or_else(|| remember(owner, template, place, judge()))
}

#[cold]
fn remember(owner: u64, template: &str, place: usize, sensitive: bool) -> bool {
    let _ = KNOWN.try_with(|known| {
        let mut known = known.try_borrow_mut().ok()?;
        if template.len() <= MAX_TEMPLATE_BYTES {
            known.resize_with(SLOTS, Slot::default);
            *known.get_mut(place)? = Slot { owner, template: template.into(), sensitive };
        }
        Some(())
    });
    sensitive
}

#[inline]
fn place(template: &str) -> usize {
    let end = template.as_bytes().last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
    let length = template.len() as u64;
    ((end ^ length.rotate_right(8)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use crate::Masker;

    #[test]
    fn a_verdict_is_the_maskers_own_also_when_asked_again() {
        let (strict, lax) = (Masker::default(), Masker::builder().replace_names(["id"]).build().unwrap());
        for _ in 0..3 {
            assert_eq!(strict.path_cow("/a/x", "/a/{token}"), "/a/[REDACTED]");
            assert_eq!(strict.path_cow("/a/x", "/a/{id}"), "/a/x");
            assert_eq!(lax.path_cow("/a/x", "/a/{token}"), "/a/x");
            assert_eq!(lax.path_cow("/a/x", "/a/{id}"), "/a/[REDACTED]");
        }
    }

    #[test]
    fn more_templates_than_slots_are_still_told_apart() {
        let masker = Masker::default();
        for _ in 0..2 {
            for n in 0..1000 {
                let long = "x".repeat(n % 300);
                let plain = format!("/{long}/{n}/{{id}}");
                assert_eq!(masker.path_cow(&format!("/{long}/{n}/v"), &plain), format!("/{long}/{n}/v"));
                let private = format!("/{long}/{n}/{{pin}}");
                let shown = masker.path_cow(&format!("/{long}/{n}/v"), &private).into_owned();
                assert_eq!(shown, format!("/{long}/{n}/[REDACTED]"));
            }
        }
    }
}
