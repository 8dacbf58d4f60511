//! Records are made for every request and let go at its end, so each thread keeps some to make new ones in.

use std::cell::RefCell;
use std::sync::Arc;

use super::Inner;

/// A record is about 400 bytes.
const KEPT: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<Arc<Inner>>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn take(new: Inner) -> Arc<Inner> {
    let kept = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten();
    if let Some(mut kept) = kept
        && let Some(inner) = Arc::get_mut(&mut kept)
    {
        *inner = new;
        return kept;
    }
    Arc::new(new)
}

/// Keeps a record that nobody else has any more. What was bound to it is let go at once.
pub(super) fn give_back(record: &mut Arc<Inner>) {
    if Arc::strong_count(record) > 1 {
        return;
    }
    let Some(inner) = Arc::get_mut(record) else { return };
    inner.clear();
    let _ = POOL.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut()
            && pool.len() < KEPT
        {
            pool.push(Arc::clone(record));
        }
    });
}
