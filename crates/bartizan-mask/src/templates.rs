//! Which route templates have sensitive parameters, remembered by each thread: a service has few templates
//! and asks with every request.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many templates a thread remembers; it judges the others each time.
const KEPT: usize = 16_384;

/// The longest template that is remembered.
const MAX_TEMPLATE_BYTES: usize = 256;

struct Known {
    owner: u64,
    template: Box<str>,
    sensitive: bool,
}

/// A table in which at least every other slot is free.
struct Templates {
    slots: Vec<Option<Known>>,
    filled: usize,
}

thread_local! {
    static KNOWN: RefCell<Templates> = const { RefCell::new(Templates { slots: Vec::new(), filled: 0 }) };
}

/// A number that stands for one set of rules.
pub(crate) fn new_owner() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What `judge` says of this template for this owner, asked once a thread.
#[inline]
pub(crate) fn is_sensitive(owner: u64, template: &str, judge: impl Fn() -> bool) -> bool {
    let known = KNOWN.try_with(|known| known.try_borrow().ok()?.find(owner, template));
    known.ok().flatten().unwrap_or_else(|| remember(owner, template, judge()))
}

#[cold]
fn remember(owner: u64, template: &str, sensitive: bool) -> bool {
    let _ = KNOWN.try_with(|known| {
        if let Ok(mut known) = known.try_borrow_mut()
            && template.len() <= MAX_TEMPLATE_BYTES
            && known.filled < KEPT
        {
            known.add(Known { owner, template: template.into(), sensitive });
        }
    });
    sensitive
}

impl Templates {
    #[inline]
    fn find(&self, owner: u64, template: &str) -> Option<bool> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut place = hash(owner, template);
        while let Some(known) = self.slots.get(place & mask)?.as_ref() {
            if known.owner == owner && *known.template == *template {
                return Some(known.sensitive);
            }
            place = place.wrapping_add(1);
        }
        None
    }

    fn add(&mut self, known: Known) {
        if self.filled * 2 >= self.slots.len() {
            let mut larger = Vec::new();
            larger.resize_with((self.slots.len() * 2).max(64), || None);
            let all = std::mem::replace(&mut self.slots, larger);
            all.into_iter().flatten().for_each(|known| self.place(known));
        }
        self.place(known);
        self.filled += 1;
    }

    fn place(&mut self, known: Known) {
        let mask = self.slots.len() - 1;
        let mut place = hash(known.owner, &known.template);
        while let Some(slot) = self.slots.get_mut(place & mask) {
            if slot.is_none() {
                *slot = Some(known);
                return;
            }
            place = place.wrapping_add(1);
        }
    }
}

/// Eight bytes a multiplication. Templates come from the application, so nobody can aim for collisions.
#[inline]
fn hash(owner: u64, template: &str) -> usize {
    let (words, rest) = template.as_bytes().as_chunks::<8>();
    let end = match template.as_bytes().last_chunk() {
        Some(end) => u64::from_le_bytes(*end),
        None => rest.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
    };
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let mixed = words.chain([end]).fold(owner ^ template.len() as u64, |hash, word| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (mixed >> 32) as usize
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

    #[test]
    fn every_template_is_judged_once() {
        let owner = super::new_owner();
        let judged = std::cell::Cell::new(0);
        for _ in 0..3 {
            for n in 0..10_000 {
                let judge = || {
                    judged.set(judged.get() + 1);
                    n % 3 == 0
                };
                assert_eq!(super::is_sensitive(owner, &format!("/orders/{n}/{{id}}"), judge), n % 3 == 0);
            }
        }
        assert_eq!(judged.get(), 10_000);
    }

    #[test]
    fn past_the_limit_templates_are_judged_each_time() {
        let owner = super::new_owner();
        for _ in 0..2 {
            for n in 0..super::KEPT + 100 {
                assert_eq!(super::is_sensitive(owner, &format!("/{n}"), || n % 2 == 0), n % 2 == 0);
            }
        }
    }
}
