//! What the names of fields say of their values, asked once a name.

use std::cell::Cell;

use bartizan_mask::Masker;

const SLOTS: usize = 128;

#[derive(Clone, Copy)]
struct Verdict {
    owner: u64,
    address: usize,
    length: usize,
    kind: Kind,
}

/// What a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sensitive,
    /// Sensitive, and what stands for it depends on it.
    MaskedByValue,
    /// An SQL statement, by the names that OpenTelemetry gives it.
    Sql,
    Other,
}

impl Kind {
    fn of(masker: &Masker, name: &str) -> Self {
        match name {
            // The event's text has no name of its own.
            "message" => Self::Other,
            _ if masker.is_masked_by_value(name) => Self::MaskedByValue,
            _ if masker.is_sensitive(name) => Self::Sensitive,
            "db.statement" | "db.query.text" => Self::Sql,
            _ => Self::Other,
        }
    }
}

thread_local! {
    static VERDICTS: [Cell<Verdict>; SLOTS] =
        const { [const { Cell::new(Verdict { owner: 0, address: 0, length: 0, kind: Kind::Sensitive }) }; SLOTS] };
}

/// What the field of this name is. The name is static, so its place in memory stands for its text; `owner`, which is
/// not 0, stands for the masker.
pub(super) fn kind(masker: &Masker, owner: u64, name: &'static str) -> Kind {
    let (address, length) = (name.as_ptr() as usize, name.len());
    VERDICTS
        .try_with(|verdicts| {
            let slot = verdicts.get((address ^ address >> 7 ^ length << 3) % SLOTS)?;
            let known = slot.get();
            if (known.owner, known.address, known.length) == (owner, address, length) {
                return Some(known.kind);
            }
            let kind = Kind::of(masker, name);
            slot.set(Verdict { owner, address, length, kind });
            Some(kind)
        })
        .ok()
        .flatten()
        .unwrap_or_else(|| Kind::of(masker, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_the_maskers_own_also_when_asked_again() {
        let (strict, lax) = (Masker::default(), Masker::builder().replace_names(["iban"]).build().unwrap());
        for _ in 0..2 {
            for name in ["password", "iban", "user_id"] {
                assert_eq!(kind(&strict, 1, name) == Kind::Sensitive, strict.is_sensitive(name), "{name}");
                assert_eq!(kind(&lax, 2, name) == Kind::Sensitive, lax.is_sensitive(name), "{name}");
            }
            assert_eq!(kind(&strict, 1, "db.statement"), Kind::Sql);
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
                assert_eq!(kind(&masker, 3, name) == Kind::Sensitive, name.starts_with("token"), "{name}");
            }
        }
    }
}
