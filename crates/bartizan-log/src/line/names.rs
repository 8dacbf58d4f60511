//! The names that a line has so far.

use std::ops::Range;

const MAX_NAMES: usize = 256;

pub(super) struct Names<'a> {
    /// Where they stand in the line.
    places: &'a mut Vec<Range<usize>>,
    /// A bit for every name, shared by some: where it is not set, none of them is there.
    bits: u64,
}

impl<'a> Names<'a> {
    pub(super) fn new(places: &'a mut Vec<Range<usize>>) -> Self {
        places.clear();
        Self { places, bits: 0 }
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
        let bit = bit(name);
        if self.bits & bit != 0 && self.places.iter().any(is_it) {
            return false;
        }
        self.bits |= bit;
        self.places.push(place);
        true
    }

    /// Adds a name that is known not to be there.
    pub(super) fn add_new(&mut self, name: &str, place: Range<usize>) {
        self.bits |= bit(name.as_bytes());
        self.places.push(place);
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
        names.add_new("n000", 0..4);
        assert_eq!(places.len(), 201);
    }
}
