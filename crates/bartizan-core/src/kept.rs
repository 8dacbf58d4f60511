//! Boxes that a thread keeps and fills again: what lives as long as a request is handed on as one pointer, without an
//! allocation each.

use std::any::Any;
use std::cell::RefCell;

/// Empty boxes of one type that a thread keeps.
const KEPT: usize = 64;

type Boxes<T> = Vec<Box<Place<T>>>;

thread_local! {
    /// The [`Boxes`] of each type.
    static EMPTY: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// What lives in such a box.
pub(crate) trait Leave: 'static {
    /// What it leaves for the next one: memory that can be used again.
    type Left: Default;

    /// The last that is done with it.
    fn leave(&mut self) -> Self::Left;
}

struct Place<T: Leave> {
    value: Option<T>,
    left: T::Left,
}

/// A value in such a box, or nothing. The thread that drops it keeps the box.
pub(crate) struct Kept<T: Leave>(Option<Box<Place<T>>>);

impl<T: Leave> Kept<T> {
    /// What is made in place, of what the last one has left, is not moved there.
    #[inline]
    pub(crate) fn new(make: impl FnOnce(T::Left) -> T) -> Self {
        let mut place = with_empty(Vec::pop).flatten().unwrap_or_default();
        let left = std::mem::take(&mut place.left);
        place.value.get_or_insert_with(|| make(left));
        Self(Some(place))
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()?.value.as_mut()
    }
}

impl<T: Leave> Default for Kept<T> {
    /// Nothing, and no box.
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Leave> Default for Place<T> {
    fn default() -> Self {
        Self { value: None, left: T::Left::default() }
    }
}

impl<T: Leave> Drop for Kept<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut place) = self.0.take() else { return };
        if let Some(value) = &mut place.value {
            place.left = value.leave();
        }
        place.value = None;
        with_empty(|boxes| {
            if boxes.len() < KEPT {
                boxes.push(place);
            }
        });
    }
}

/// `None` where the thread is ending.
#[inline]
fn with_empty<T: Leave, R>(work: impl FnOnce(&mut Boxes<T>) -> R) -> Option<R> {
    let with = |all: &RefCell<Vec<Box<dyn Any>>>| {
        let mut all = all.try_borrow_mut().ok()?;
        if let Some(boxes) = all.iter_mut().find_map(|boxes| boxes.downcast_mut()) {
            return Some(work(boxes));
        }
        let mut boxes = Boxes::new();
        let done = work(&mut boxes);
        all.push(Box::new(boxes));
        Some(done)
    };
    EMPTY.try_with(with).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the value lies.
    fn place<T: Leave>(kept: &mut Kept<T>) -> usize {
        std::ptr::from_mut(kept.get_mut().unwrap()).addr()
    }

    impl<const N: usize> Leave for [u64; N] {
        type Left = u64;
        fn leave(&mut self) -> u64 {
            self[0]
        }
    }

    #[test]
    fn boxes_are_filled_again_each_with_its_own_type_and_what_the_last_one_left() {
        let (mut one, mut other) = (Kept::new(|left| [left + 1]), Kept::new(|left| [left + 2; 3]));
        assert_eq!((one.get_mut(), other.get_mut()), (Some(&mut [1]), Some(&mut [2; 3])));
        let (first, second) = (place(&mut one), place(&mut other));
        drop((one, other));
        let (mut other, mut one) = (Kept::new(|left| [left + 2; 3]), Kept::new(|left| [left + 1]));
        assert_eq!((place(&mut one), place(&mut other)), (first, second));
        assert_eq!((one.get_mut(), other.get_mut()), (Some(&mut [2]), Some(&mut [4; 3])));
        assert_eq!(Kept::<[u64; 1]>::default().get_mut(), None);
    }

    impl Leave for std::sync::Arc<()> {
        type Left = ();
        fn leave(&mut self) {}
    }

    #[test]
    fn a_value_is_dropped_with_its_box_and_only_so_many_boxes_are_kept() {
        let value = std::sync::Arc::new(());
        let many: Vec<_> = (0..2 * KEPT).map(|_| Kept::new(|()| value.clone())).collect();
        drop(many);
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
        assert_eq!(with_empty(|boxes: &mut Boxes<std::sync::Arc<()>>| boxes.len()), Some(KEPT));
    }

    #[test]
    fn a_value_may_make_another_while_it_is_dropped() {
        struct Again(bool);
        impl Leave for Again {
            type Left = ();
            fn leave(&mut self) {
                if self.0 {
                    drop(Kept::new(|()| Again(false)));
                }
            }
        }
        drop(Kept::new(|()| Again(true)));
    }
}
