//! Boxes that a thread keeps and fills again: what lives as long as a request is handed on as one pointer, without an
//! allocation each.

use std::any::Any;
use std::cell::RefCell;

/// Empty boxes of one type that a thread keeps.
const KEPT: usize = 64;

type Boxes<T> = Vec<Box<Option<T>>>;

thread_local! {
    /// The [`Boxes`] of each type.
    static EMPTY: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// A value in such a box, or nothing. The thread that drops it keeps the box.
pub(crate) struct Kept<T: 'static>(Option<Box<Option<T>>>);

impl<T> Kept<T> {
    /// What is made in place is not moved there.
    #[inline]
    pub(crate) fn new(make: impl FnOnce() -> T) -> Self {
        let mut kept = with_empty(Vec::pop).flatten().unwrap_or_default();
        kept.get_or_insert_with(make);
        Self(Some(kept))
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()?.as_mut()
    }
}

impl<T> Default for Kept<T> {
    /// Nothing, and no box.
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Drop for Kept<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut kept) = self.0.take() else { return };
        *kept = None;
        with_empty(|boxes| {
            if boxes.len() < KEPT {
                boxes.push(kept);
            }
        });
    }
}

/// `None` where the thread is ending.
#[inline]
fn with_empty<T: 'static, R>(work: impl FnOnce(&mut Boxes<T>) -> R) -> Option<R> {
    let with = |all: &RefCell<Vec<Box<dyn Any>>>| {
        let mut all = all.try_borrow_mut().ok()?;
        let index = all.iter().position(|boxes| boxes.is::<Boxes<T>>()).unwrap_or_else(|| {
            all.push(Box::new(Boxes::<T>::new()));
            all.len() - 1
        });
        all.get_mut(index)?.downcast_mut().map(work)
    };
    EMPTY.try_with(with).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the value lies.
    fn place<T>(kept: &mut Kept<T>) -> usize {
        std::ptr::from_mut(kept.get_mut().unwrap()).addr()
    }

    #[test]
    fn boxes_are_filled_again_each_with_its_own_type() {
        let (mut one, mut other) = (Kept::new(|| 1_u64), Kept::new(|| [2_u64; 3]));
        let (first, second) = (place(&mut one), place(&mut other));
        drop((one, other));
        let (mut other, mut one) = (Kept::new(|| [3_u64; 3]), Kept::new(|| 4_u64));
        assert_eq!((place(&mut one), place(&mut other)), (first, second));
        assert_eq!((one.get_mut(), other.get_mut()), (Some(&mut 4), Some(&mut [3; 3])));
        assert_eq!(Kept::<u64>::default().get_mut(), None);
    }

    #[test]
    fn a_value_is_dropped_with_its_box_and_only_so_many_boxes_are_kept() {
        let value = std::sync::Arc::new(());
        let many: Vec<_> = (0..2 * KEPT).map(|_| Kept::new(|| value.clone())).collect();
        drop(many);
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
        assert_eq!(with_empty(|boxes: &mut Boxes<std::sync::Arc<()>>| boxes.len()), Some(KEPT));
    }

    #[test]
    fn a_value_may_make_another_while_it_is_dropped() {
        struct Again(bool);
        impl Drop for Again {
            fn drop(&mut self) {
                if self.0 {
                    drop(Kept::new(|| Again(false)));
                }
            }
        }
        drop(Kept::new(|| Again(true)));
    }
}
