//! The observer: where the id comes from, and where it goes.

use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_core::{CorrelationId, Ending, Exchange, Observer, Record};
use http::{HeaderMap, HeaderName, Request, Response};
use uuid::Uuid;

use crate::layer::IdKind;

static REPLACED: AtomicU64 = AtomicU64::new(0);

/// How many incoming ids were replaced so far in this process, because they were hostile, came twice, or are not trusted.
pub fn ids_replaced_total() -> u64 {
    REPLACED.load(Ordering::Relaxed)
}

/// The observer behind [`CorrelationLayer`](crate::CorrelationLayer), for stacks that fuse several.
#[derive(Clone, Debug)]
pub struct Correlation {
    pub(crate) header: HeaderName,
    pub(crate) kind: IdKind,
    pub(crate) trust_incoming: bool,
}

/// One request with an id.
#[derive(Debug)]
pub struct CorrelationExchange {
    header: HeaderName,
}

impl Correlation {
    /// The header that ids travel in.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The id that these headers bring, if it can be taken over; else a new one.
    pub fn id_for(&self, headers: &HeaderMap) -> CorrelationId {
        self.judge(headers).0
    }

    /// The same, and whether it stands in for one that came and cannot be taken over.
    fn judge(&self, headers: &HeaderMap) -> (CorrelationId, bool) {
        let mut values = headers.get_all(&self.header).iter();
        let Some(value) = values.next() else { return (self.kind.make(), false) };
        let sole = self.trust_incoming && values.next().is_none();
        let id = if sole { CorrelationId::new(value.clone()) } else { None };
        if let Some(id) = id {
            return (id, false);
        }
        REPLACED.fetch_add(1, Ordering::Relaxed);
        (self.kind.make(), true)
    }
}

impl IdKind {
    pub(crate) fn make(self) -> CorrelationId {
        let uuid = match self {
            Self::UuidV4 => Uuid::new_v4(),
            Self::UuidV7 => Uuid::now_v7(),
        };
        CorrelationId::of_uuid(uuid.into_bytes())
    }
}

impl Observer for Correlation {
    type Exchange = CorrelationExchange;

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> CorrelationExchange {
        if record.correlation_id().is_none() {
            let (id, replaces) = self.judge(request.headers());
            if replaces {
                // What further in logs headers, or passes them on, is not to see the one that came either.
                request.headers_mut().insert(self.header.clone(), id.header_value().clone());
            }
            record.set_correlation_id(id);
        }
        CorrelationExchange { header: self.header.clone() }
    }
}

impl Exchange for CorrelationExchange {
    fn head<B>(&mut self, response: &mut Response<B>, record: &Record) {
        if let Some(id) = record.correlation_id() {
            response.headers_mut().insert(self.header.clone(), id.header_value().clone());
        }
    }

    fn end(&mut self, _: &Ending, _: &Record) {}
}
