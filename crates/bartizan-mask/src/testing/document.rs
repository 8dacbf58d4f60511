//! What is sent, and what has to come out.

/// A body, query or header with planted secrets.
///
/// ```
/// let document = bartizan_mask::testing::Plant::new(1).form();
/// assert_eq!(bartizan_mask::Masker::default().query_cow(&document.body_text()), document.masked);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The `content-type` to send it with; empty where it is no body.
    pub content_type: String,
    /// What to send.
    pub body: Vec<u8>,
    /// What a masker with the default names and the default censor makes of it.
    pub masked: String,
}

impl Document {
    pub(super) fn new(content_type: impl Into<String>, body: String, masked: String) -> Self {
        Self { content_type: content_type.into(), body: body.into_bytes(), masked }
    }

    /// What to send, as text.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
