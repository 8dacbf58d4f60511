//! Handles by the recorder they came from: a handle serves only its own.

use std::sync::{Arc, OnceLock};

use metrics::Recorder;

use super::layer::DynRecorder;

/// A recorder, or those of the moment, and the handles that were made with each.
pub(super) enum Recorders<T> {
    One(Arc<DynRecorder>, OnceLock<T>),
    /// Each with its address. More than a few in one process are only seen in tests.
    OfTheMoment([OnceLock<(usize, T)>; 8]),
}

/// The handles of a recorder, and which recorder it is.
pub(super) type Handles<'a, T> = (u8, &'a T);

impl<T> Recorders<T> {
    pub(super) fn new(recorder: Option<Arc<DynRecorder>>) -> Self {
        match recorder {
            Some(recorder) => Self::One(recorder, OnceLock::new()),
            None => Self::OfTheMoment([const { OnceLock::new() }; 8]),
        }
    }

    /// Whether it is certain which recorder is meant.
    pub(super) fn are_certain(&self) -> bool {
        matches!(self, Self::One(..))
    }

    /// Works with the recorder and its handles, which are made at its first use; `None` if there were too many recorders.
    pub(super) fn with<R>(
        &self,
        make: impl Fn(&dyn Recorder) -> T,
        work: impl FnOnce(&dyn Recorder, Option<Handles<'_, T>>) -> R,
    ) -> R {
        match self {
            Self::One(recorder, handles) => {
                work(&**recorder, Some((0, handles.get_or_init(|| make(&**recorder)))))
            }
            Self::OfTheMoment(all) => metrics::with_recorder(|recorder| {
                let handles = (0..).zip(all).find_map(|(number, slot)| {
                    let (owner, handles) = slot.get_or_init(|| (address(recorder), make(recorder)));
                    (*owner == address(recorder)).then_some((number, handles))
                });
                work(recorder, handles)
            }),
        }
    }

    /// The recorder's handles, if it was met before.
    #[inline]
    pub(super) fn current(&self) -> Option<Handles<'_, T>> {
        match self {
            Self::One(_, handles) => Some((0, handles.get()?)),
            Self::OfTheMoment(all) => {
                let current = metrics::with_recorder(address);
                (0..).zip(all).find_map(|(number, slot)| {
                    let (owner, handles) = slot.get()?;
                    (*owner == current).then_some((number, handles))
                })
            }
        }
    }

    /// The handles of a recorder that was met before, and whether it is still the one.
    #[inline]
    pub(super) fn at(&self, number: u8) -> Option<(&T, bool)> {
        match self {
            Self::One(_, handles) => Some((handles.get()?, true)),
            Self::OfTheMoment(all) => {
                let (owner, handles) = all.get(usize::from(number))?.get()?;
                Some((handles, *owner == metrics::with_recorder(address)))
            }
        }
    }
}

fn address(recorder: &dyn Recorder) -> usize {
    std::ptr::from_ref(recorder).cast::<()>() as usize
}
