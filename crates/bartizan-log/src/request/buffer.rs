//! Text buffers that a thread uses again and again.

use std::cell::RefCell;
use std::ops::Deref;

/// How many buffers a thread keeps, and how large they may be.
const KEPT: usize = 16;
const LARGEST: usize = 64 * 1024;

thread_local! {
    static POOL: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A text that goes back to its thread's buffers when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer(String);

impl Buffer {
    /// An empty one.
    pub(super) fn take() -> Self {
        let kept = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop());
        Self(kept.ok().flatten().unwrap_or_default())
    }

    pub(super) fn text(&mut self) -> &mut String {
        &mut self.0
    }
}

impl Deref for Buffer {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.0);
        text.clear();
        if text.capacity() <= LARGEST {
            let _ = POOL.try_with(|pool| {
                if let Ok(mut pool) = pool.try_borrow_mut()
                    && pool.len() < KEPT
                {
                    pool.push(text);
                }
            });
        }
    }
}
