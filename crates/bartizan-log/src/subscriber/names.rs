//! Which field names are sensitive, asked once a name.

use std::cell::Cell;

use bartizan_mask::Masker;

const SLOTS: usize = 128;

#[derive(Clone, Copy)]
struct Verdict {
    owner: u64,
    address: usize,
    length: usize,
    sensitive: bool,
}

thread_local! {
    static VERDICTS: [Cell<Verdict>; SLOTS] =
        const { [const { Cell::new(Verdict { owner: 0, address: 0, length: 0, sensitive: true }) }; SLOTS] };
}

/// Whether the field of this name is sensitive. The name is static, so its place in memory stands for its text;
/// `owner`, which is not 0, stands for the masker.
pub(super) fn is_sensitive(masker: &Masker, owner: u64, name: &'static str) -> bool {
    let (address, length) = (name.as_ptr() as usize, name.len());
    VERDICTS
        .try_with(|verdicts| {
            let slot = verdicts.get((address ^ address >> 7 ^ length << 3) % SLOTS)?;
            let known = slot.get();
            if (known.owner, known.address, known.length) == (owner, address, length) {
                return Some(known.sensitive);
            }
            let sensitive = masker.is_sensitive(name);
            slot.set(Verdict { owner, address, length, sensitive });
            Some(sensitive)
        })
        .ok()
        .flatten()
        .unwrap_or_else(|| masker.is_sensitive(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_the_maskers_own_also_when_asked_again() {
        let (strict, lax) = (Masker::default(), Masker::builder().replace_names(["iban"]).build().unwrap());
        for _ in 0..2 {
            for name in ["password", "iban", "user_id"] {
                assert_eq!(is_sensitive(&strict, 1, name), strict.is_sensitive(name), "{name}");
                assert_eq!(is_sensitive(&lax, 2, name), lax.is_sensitive(name), "{name}");
            }
        }
    }

    #[test]
    fn more_names_than_slots_are_still_told_apart() {
        let masker = Masker::default();
        let names: Vec<&'static str> = (0..1000)
            .map(|n| if n % 3 == 0 { format!("token{n}") } else { format!("field{n}") })
            .map(|name| &*name.leak())
            .collect();
        for _ in 0..2 {
            for name in &names {
                assert_eq!(is_sensitive(&masker, 3, name), name.starts_with("token"), "{name}");
            }
        }
    }
}
