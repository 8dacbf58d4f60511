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

/// What the headers bring.
enum Incoming {
    None,
    Good(CorrelationId),
    /// To be replaced.
    Bad,
}

impl Correlation {
    /// The header that ids travel in.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The id that these headers bring, if it can be taken over; else a new one.
    pub fn id_for(&self, headers: &HeaderMap) -> CorrelationId {
        match self.incoming(headers) {
            Incoming::Good(id) => id,
            Incoming::None | Incoming::Bad => self.kind.make(),
        }
    }

    fn incoming(&self, headers: &HeaderMap) -> Incoming {
        let mut values = headers.get_all(&self.header).iter();
        let Some(value) = values.next() else { return Incoming::None };
        let sole = self.trust_incoming && values.next().is_none();
        let id = if sole { CorrelationId::new(value.clone()) } else { None };
        if let Some(id) = id {
            return Incoming::Good(id);
        }
        REPLACED.fetch_add(1, Ordering::Relaxed);
        Incoming::Bad
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
            let id = match self.incoming(request.headers()) {
                Incoming::Good(id) => id,
                Incoming::None => self.kind.make(),
                Incoming::Bad => {
                    let id = self.kind.make();
                    // What further in logs headers, or passes them on, is not to see it either.
                    request.headers_mut().insert(self.header.clone(), id.header_value().clone());
                    id
                }
            };
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
