//! The names that a line has so far.

use std::ops::Range;

use super::own::OwnField;

const MAX_NAMES: usize = 256;

pub(super) struct Names<'a> {
    /// Where they stand in the line.
    places: &'a mut Vec<Range<usize>>,
    /// A bit for every name, shared by some: where it is not set, none of them is there.
    bits: u64,
    own: &'static [OwnField],
}

impl<'a> Names<'a> {
    pub(super) fn new(places: &'a mut Vec<Range<usize>>) -> Self {
        places.clear();
        Self { places, bits: 0, own: &[] }
    }

    pub(super) fn is_full(&self) -> bool {
        self.places.len() >= MAX_NAMES
    }

    /// Adds the name at this place of the line. False if it is there already.
    pub(super) fn add(&mut self, line: &[u8], place: Range<usize>) -> bool {
        let name = line.get(place.clone()).unwrap_or_default();
        let is_it = |other: &Range<usize>| {
            other.len() == name.len() && line.get(other.clone()).unwrap_or_default() == name
        };
        if self.own.iter().any(|own| own.name.as_bytes() == name) {
            return false;
        }
        let bit = bit(name);
        if self.bits & bit != 0 && self.places.iter().any(is_it) {
            return false;
        }
        self.bits |= bit;
        self.places.push(place);
        true
    }

    /// These names are taken from the start.
    pub(super) fn own(&mut self, fields: &'static [OwnField]) {
        self.own = fields;
    }
}

fn bit(name: &[u8]) -> u64 {
    let ends = name.first().copied().unwrap_or(0) ^ name.last().copied().unwrap_or(0).rotate_left(3);
    1 << ((usize::from(ends) + 7 * name.len()) % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_added_once_whatever_others_are_there() {
        let mut places = Vec::new();
        let mut names = Names::new(&mut places);
        let line = (0..200).map(|n| format!("n{n:03}")).collect::<Vec<_>>().concat();
        for round in 0..2 {
            for n in 0..200 {
                assert_eq!(names.add(line.as_bytes(), n * 4..n * 4 + 4), round == 0, "{n}");
            }
        }
        assert_eq!(places.len(), 200);
    }
}
