//! The fields of a span, masked and encoded when they are recorded, so that events only copy them.

use std::ops::Range;

use super::visit::Fields;
use crate::line::{Line, push_json};

/// Longest value of a span's field, and most bytes of all of them.
const MAX_VALUE: usize = 8 * 1024;
const MAX_BYTES: usize = 16 * 1024;
const MAX_FIELDS: usize = 64;

/// One layer's view of a span.
#[derive(Default)]
pub(super) struct SpanFields {
    owner: u64,
    fields: Vec<(&'static str, Range<usize>)>,
    json: Vec<u8>,
    /// Bytes of `json` whose fields were recorded again since.
    stale: usize,
}

impl SpanFields {
    pub(super) fn new(owner: u64) -> Self {
        Self { owner, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn write_to(&self, line: &mut Line<'_>) {
        for (name, value) in &self.fields {
            let json = self.json.get(value.clone()).unwrap_or_default();
            line.field(name, |out, limit| push_json(out, json, limit));
        }
    }

    fn merge(&mut self, newer: &Self) {
        for (name, value) in &newer.fields {
            let json = newer.json.get(value.clone()).unwrap_or_default();
            self.put(name, |out, limit| push_json(out, json, limit));
        }
    }

    fn drop_stale(&mut self) {
        let mut kept = Vec::with_capacity(self.json.len() - self.stale);
        for (_, value) in &mut self.fields {
            let start = kept.len();
            kept.extend_from_slice(self.json.get(value.clone()).unwrap_or_default());
            *value = start..kept.len();
        }
        self.json = kept;
        self.stale = 0;
    }
}

impl Fields for SpanFields {
    fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>, usize) -> bool) {
        let known = self.fields.iter().position(|(known, _)| *known == name);
        if known.is_none() && self.fields.len() == MAX_FIELDS {
            return;
        }
        let start = self.json.len();
        write(&mut self.json, (start + MAX_VALUE).min(MAX_BYTES + self.stale));
        let value = start..self.json.len();
        match known.and_then(|at| self.fields.get_mut(at)) {
            Some((_, old)) => {
                self.stale += old.len();
                *old = value;
                if self.stale > MAX_BYTES {
                    self.drop_stale();
                }
            }
            None => self.fields.push((name, value)),
        }
    }
}

/// What a span's extensions hold: the fields as each [`LogLayer`](super::LogLayer) shows them, of which there is
/// rarely more than one.
pub(super) struct Stored {
    first: SpanFields,
    others: Vec<SpanFields>,
}

impl Stored {
    pub(super) fn new(first: SpanFields) -> Self {
        Self { first, others: Vec::new() }
    }

    pub(super) fn of(&self, owner: u64) -> Option<&SpanFields> {
        std::iter::once(&self.first).chain(&self.others).find(|fields| fields.owner == owner)
    }

    pub(super) fn add(&mut self, newer: SpanFields) {
        let mut all = std::iter::once(&mut self.first).chain(&mut self.others);
        match all.find(|fields| fields.owner == newer.owner) {
            Some(fields) => fields.merge(&newer),
            None => self.others.push(newer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fields: &SpanFields, name: &str) -> Option<String> {
        let (_, value) = fields.fields.iter().find(|(known, _)| *known == name)?;
        Some(String::from_utf8(fields.json[value.clone()].to_vec()).unwrap())
    }

    fn record(fields: &mut SpanFields, name: &'static str, json: &str) {
        let mut newer = SpanFields::new(fields.owner);
        newer.put(name, |out, limit| push_json(out, json.as_bytes(), limit));
        fields.merge(&newer);
    }

    #[test]
    fn a_field_recorded_a_million_times_takes_no_more_room() {
        let mut fields = SpanFields::new(1);
        record(&mut fields, "kept", "true");
        for n in 0..100_000 {
            record(&mut fields, "count", &n.to_string());
        }
        assert_eq!(shown(&fields, "count").unwrap(), "99999");
        assert_eq!(shown(&fields, "kept").unwrap(), "true");
        assert!(fields.json.len() <= 2 * MAX_BYTES, "{}", fields.json.len());
    }

    #[test]
    fn many_and_large_fields_stay_within_bounds() {
        let mut fields = SpanFields::new(1);
        let large = format!("\"{}\"", "x".repeat(7000));
        for n in 0..200 {
            record(&mut fields, &*format!("f{n}").leak(), &large);
        }
        assert_eq!(fields.fields.len(), MAX_FIELDS);
        assert!(fields.json.len() <= MAX_BYTES + MAX_FIELDS * 16);
        assert_eq!(shown(&fields, "f0").unwrap(), large);
        assert_eq!(shown(&fields, "f63").unwrap(), "\"...[cut]\"");
    }

    #[test]
    fn each_layer_finds_its_own_view() {
        let mut stored = Stored::new(SpanFields::new(1));
        let mut second = SpanFields::new(2);
        record(&mut second, "a", "2");
        stored.add(second);
        assert_eq!(shown(stored.of(2).unwrap(), "a").unwrap(), "2");
        assert!(stored.of(1).unwrap().is_empty());
        assert!(stored.of(3).is_none());
    }
}
