//! The three calls.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::{
    catalog::Catalog,
    proto::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus, health_server::Health,
    },
    watch::{WatchStream, Watches},
};

/// A client takes messages of 4 MiB unless told otherwise; this many names of 256 bytes are far from it.
const MAX_LISTED: usize = 1000;

/// What answers `Check`, `Watch` and `List`; [`GrpcHealth::build`](crate::GrpcHealth::build) makes it.
#[derive(Debug)]
pub struct GrpcHealthService {
    catalog: Arc<Catalog>,
    watches: Arc<Watches>,
}

impl GrpcHealthService {
    pub(super) fn new(catalog: Arc<Catalog>, watches: Watches) -> Self {
        Self { catalog, watches: Arc::new(watches) }
    }
}

pub(super) fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[async_trait]
impl Health for GrpcHealthService {
    type WatchStream = WatchStream;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let status = self.catalog.status(&request.get_ref().service).await;
        status
            .map(|status| Response::new(response(status)))
            .ok_or_else(|| Status::not_found("unknown service"))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<WatchStream>, Status> {
        let stream = self.watches.open(request.into_inner().service);
        stream.map(Response::new).ok_or_else(|| Status::resource_exhausted("too many watches"))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        self.catalog.registry.traffic_report(|_| true).await;
        let statuses = self.catalog.statuses();
        if statuses.len() > MAX_LISTED {
            return Err(Status::resource_exhausted("too many services to list"));
        }
        let statuses = statuses.into_iter().map(|(name, status)| (name.as_ref().into(), response(status)));
        Ok(Response::new(HealthListResponse { statuses: statuses.collect() }))
    }
}
