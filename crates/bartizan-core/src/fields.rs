//! A bounded list of named values: what is bound to a request or to a block.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::value::Value;

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Names that every log line already carries; nothing can be bound under them.
pub const RESERVED_FIELDS: [&str; 7] =
    ["timestamp", "level", "target", "message", "correlation_id", "trace_id", "span_id"];

/// How many bound fields were refused so far in this process: too many at once, a name that is empty, longer than
/// 128 bytes, holds anything but printable ASCII, or is one of [`RESERVED_FIELDS`]. Fields that were taken with their text cut
/// at [`Value::MAX_TEXT`] count as well.
pub fn bound_fields_dropped_total() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(Cow<'static, str>, Value)>);

impl Fields {
    const MAX: usize = 32;

    /// Binds a field, in place of an older one of the same name. False (and counted) if it is refused.
    pub(crate) fn bind(&mut self, name: Cow<'static, str>, value: Value) -> bool {
        let name_fits = (1..=128).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_graphic())
            && !RESERVED_FIELDS.contains(&&*name);
        let place = self.0.iter().position(|(known, _)| *known == name);
        let taken = name_fits && (place.is_some() || self.0.len() < Self::MAX);
        let (value, cut) = value.bounded();
        if taken {
            match place.and_then(|place| self.0.get_mut(place)) {
                Some((_, old)) => *old = value,
                None => self.0.push((name, value)),
            }
        }
        if cut || !taken {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&str, &Value)) {
        for (name, value) in &self.0 {
            visit(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_bound_once_and_the_last_value_counts() {
        let mut fields = Fields::default();
        assert!(fields.bind("tenant".into(), 1_u8.into()));
        assert!(fields.bind("tenant".into(), 2_u8.into()));
        let mut seen = Vec::new();
        fields.visit(&mut |name, value| seen.push((name.to_owned(), value.clone())));
        assert_eq!(seen, [("tenant".to_owned(), Value::U64(2))]);
    }

    #[test]
    fn the_thirty_third_field_and_bad_names_are_refused_and_counted() {
        let before = bound_fields_dropped_total();
        let mut fields = Fields::default();
        for n in 0..32 {
            assert!(fields.bind(format!("f{n}").into(), n.into()));
        }
        for name in ["f32", "", "a b", "zeile\n", "level", &"x".repeat(129)] {
            assert!(!fields.bind(name.to_owned().into(), true.into()), "{name:?}");
        }
        assert!(bound_fields_dropped_total() >= before + 6);
        let before = bound_fields_dropped_total();
        assert!(fields.bind("f0".into(), "x".repeat(Value::MAX_TEXT + 1).into()), "taken, but cut");
        assert!(bound_fields_dropped_total() > before);
    }
}
