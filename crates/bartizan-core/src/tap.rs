//! Seeing what a service reads of a request's body.

use std::sync::Arc;

use crate::record::Record;

/// Is shown a request's body while the service reads it, wherever that happens.
///
/// The body itself is neither delayed nor changed. An observer sets one in [`Observer::begin`](crate::Observer::begin), by
/// [`Record::tap_request`]; what the service answers is shown by [`Exchange::data`](crate::Exchange::data).
///
/// ```
/// use bartizan_core::{Record, RequestTap};
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Default)]
/// struct FirstByte(Mutex<Option<u8>>);
///
/// impl RequestTap for FirstByte {
///     fn data(&self, data: &[u8]) {
///         let mut first = self.0.lock().unwrap();
///         *first = first.or(data.first().copied());
///     }
/// }
///
/// fn begin(record: &Record) -> Arc<FirstByte> {
///     let first = Arc::new(FirstByte::default());
///     record.tap_request(first.clone());
///     first
/// }
/// ```
///
/// No method may panic or wait.
pub trait RequestTap: Send + Sync + 'static {
    /// The bytes of a data frame that the service is given, in order.
    fn data(&self, data: &[u8]);

    /// The service has been given the whole body. May be told more than once, and is not where it stops reading before the end.
    fn end(&self) {}
}

impl Record {
    /// Shows what is read of the request's body to this tap from now on. False where the host's body cannot be seen, where it is
    /// known to be empty, and where there is a tap already: the first one stays. Bytes are seen in axum's and tonic's body types, with
    /// the features of these names.
    pub fn tap_request(&self, tap: Arc<dyn RequestTap>) -> bool {
        self.request_size().set_tap(tap)
    }
}
