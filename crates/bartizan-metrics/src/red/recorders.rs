//! Handles by the recorder they came from: a handle serves only its own.

use std::sync::{Arc, OnceLock};

use metrics::Recorder;

use super::layer::DynRecorder;

/// A recorder or the one of the moment, and the handles that were made with each. More than a few recorders in one process
/// are only seen in tests.
pub(super) struct Recorders<T> {
    recorder: Option<Arc<DynRecorder>>,
    bound: [OnceLock<(usize, T)>; 8],
}

impl<T> Recorders<T> {
    pub(super) fn new(recorder: Option<Arc<DynRecorder>>) -> Self {
        Self { recorder, bound: [const { OnceLock::new() }; 8] }
    }

    /// Whether it is certain which recorder is meant.
    pub(super) fn are_certain(&self) -> bool {
        self.recorder.is_some()
    }

    /// Works with the recorder and its handles, which are made at its first use; `None` if there were too many recorders.
    pub(super) fn with<R>(
        &self,
        make: impl Fn(&dyn Recorder) -> T,
        work: impl FnOnce(&dyn Recorder, Option<&T>) -> R,
    ) -> R {
        match &self.recorder {
            Some(recorder) => work(&**recorder, self.bound(&**recorder, make)),
            None => metrics::with_recorder(|recorder| work(recorder, self.bound(recorder, make))),
        }
    }

    fn bound(&self, recorder: &dyn Recorder, make: impl Fn(&dyn Recorder) -> T) -> Option<&T> {
        let identity = std::ptr::from_ref(recorder).cast::<()>() as usize;
        self.bound.iter().find_map(|slot| {
            let (owner, handles) = slot.get_or_init(|| (identity, make(recorder)));
            (*owner == identity).then_some(handles)
        })
    }
}
