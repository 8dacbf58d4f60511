//! The observer: looks where a call goes at its beginning, and records everything at its end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use bartizan_core::{Ending, Exchange, Observer, Protocol, Record, RouteTable};
use http::uri::{Authority, PathAndQuery};
use http::{Request, Response, Version, header};
use metrics::{Counter, Recorder};

use super::layer::Options;
use super::names::{self, Series, Target, Traits};
use crate::red::names::{Naming, OVERFLOW};
use crate::red::recorders::Recorders;

/// How many combinations the overflow series themselves may have.
const OVERFLOW_SERIES: usize = 512;

/// The number that stands for all addresses past the cap.
const OVERFLOW_SERVER: u16 = u16::MAX;

/// Longest address that becomes a label, in bytes: the longest name that DNS has.
const MAX_ADDRESS: usize = 255;

/// Longest gRPC path that becomes labels, in bytes.
const MAX_PATH: usize = 256;

/// The observer behind [`ClientRedLayer`](super::ClientRedLayer), for stacks that fuse several. Clones share their handles.
#[derive(Clone)]
pub struct ClientRed(Arc<Inner>);

struct Inner {
    naming: Naming,
    max_series: usize,
    max_servers: u16,
    recorders: Recorders<Bound>,
}

struct Bound {
    servers: RouteTable<(), u16>,
    next_server: AtomicU16,
    series: RouteTable<Traits, Series>,
    overflow_http: Counter,
    overflow_grpc: Counter,
}

/// One call being measured.
pub struct ClientRedExchange {
    red: ClientRed,
    authority: Option<Authority>,
    /// Only for gRPC.
    path: Option<PathAndQuery>,
    /// The connection's, which only the response tells.
    version: Option<Version>,
}

impl ClientRed {
    pub(super) fn new(options: &Options) -> Self {
        let Options { recorder, naming, max_series, max_servers } = options.clone();
        Self(Arc::new(Inner { naming, max_series, max_servers, recorders: Recorders::new(recorder) }))
    }
}

impl Inner {
    fn bind(&self, recorder: &dyn Recorder) -> Bound {
        names::describe(self.naming, recorder);
        Bound {
            servers: RouteTable::new(self.max_servers.into()),
            next_server: AtomicU16::new(0),
            series: RouteTable::new(self.max_series + OVERFLOW_SERIES),
            overflow_http: names::overflow(self.naming, recorder, Protocol::Http),
            overflow_grpc: names::overflow(self.naming, recorder, Protocol::Grpc),
        }
    }

    fn record(&self, call: &ClientRedExchange, record: &Record, ending: &Ending) {
        let target = call.target();
        self.recorders.with(
            |recorder| self.bind(recorder),
            |recorder, bound| {
                let traits = |server| Traits::of(self.naming, record, ending, server, call.version);
                let make = |traits, target: Target<'_>| names::series(self.naming, recorder, traits, target);
                match bound {
                    None => make(traits(0), target).record(ending, record),
                    Some((_, bound)) => {
                        if let Some(series) = self.find(bound, target, traits, make) {
                            series.record(ending, record);
                        }
                    }
                }
            },
        );
    }

    fn find<'a>(
        &self,
        bound: &'a Bound,
        target: Target<'_>,
        traits: impl Fn(u16) -> Traits,
        make: impl Fn(Traits, Target<'_>) -> Series,
    ) -> Option<&'a Series> {
        let number = || bound.next_server.fetch_add(1, Ordering::Relaxed);
        let fits = target.address.len() <= MAX_ADDRESS && target.path.len() <= MAX_PATH;
        let server = if fits {
            bound.servers.get_or_make((), target.address, self.max_servers.into(), number)
        } else {
            None
        };
        if let Some(server) = server {
            let traits = traits(*server);
            let found =
                bound.series.get_or_make(traits, target.path, self.max_series, || make(traits, target));
            if found.is_some() {
                return found;
            }
        }
        let coarse = traits(OVERFLOW_SERVER).coarse(OVERFLOW_SERVER);
        match coarse.protocol {
            Protocol::Http => bound.overflow_http.increment(1),
            Protocol::Grpc => bound.overflow_grpc.increment(1),
        }
        let target = Target { address: OVERFLOW, path: OVERFLOW };
        let max = self.max_series + OVERFLOW_SERIES;
        bound.series.get_or_make(coarse, target.path, max, || make(coarse, target))
    }
}

impl ClientRedExchange {
    fn target(&self) -> Target<'_> {
        let address = self.authority.as_ref().map_or("unknown", Authority::as_str);
        let path = self.path.as_ref().map_or("", PathAndQuery::path);
        Target {
            // User info is no part of an address, and nobody's business.
            address: address.rsplit('@').next().unwrap_or_default(),
            path: path.strip_prefix('/').unwrap_or(path),
        }
    }
}

impl Observer for ClientRed {
    type Exchange = ClientRedExchange;

    fn begin<B>(&self, request: &mut Request<B>, record: &Record) -> ClientRedExchange {
        let authority = request.uri().authority().cloned().or_else(|| {
            let host = request.headers().get(header::HOST)?;
            Authority::try_from(host.as_bytes()).ok()
        });
        let path = match record.protocol() {
            Protocol::Grpc => request.uri().path_and_query().cloned(),
            Protocol::Http => None,
        };
        ClientRedExchange { red: self.clone(), authority, path, version: None }
    }
}

impl Exchange for ClientRedExchange {
    fn head<B>(&mut self, response: &mut Response<B>, _: &Record) {
        self.version = Some(response.version());
    }

    fn end(&mut self, ending: &Ending, record: &Record) {
        self.red.0.record(self, record, ending);
    }
}

impl fmt::Debug for ClientRed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRed").field("naming", &self.0.naming).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientRedExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRedExchange").finish_non_exhaustive()
    }
}
