//! Clients and servers in one process, on a clock that stands still while there is work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Streaming};

use super::*;
use crate::{Check, CheckOptions, Criticality, Health};
use proto::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest,
    health_check_response::ServingStatus::{self, NotServing, ServiceUnknown, Serving},
    health_client::HealthClient,
};

mod check;
mod watch;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

type Client = HealthClient<HealthServer<GrpcHealthService>>;
type Stream = Streaming<HealthCheckResponse>;

fn client(health: GrpcHealth) -> Client {
    HealthClient::new(health.check_names(true).build().unwrap())
}

fn named(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

async fn check(client: &Client, service: &str) -> Result<ServingStatus, Code> {
    let answer = client.clone().check(named(service)).await;
    answer.map(|response| response.get_ref().status()).map_err(|error| error.code())
}

async fn list(client: &Client) -> Result<Vec<(String, ServingStatus)>, Code> {
    let answer = client.clone().list(HealthListRequest {}).await.map_err(|error| error.code())?;
    Ok(answer.into_inner().statuses.into_iter().map(|(name, response)| (name, response.status())).collect())
}

async fn watch(client: &Client, service: &str) -> Result<Stream, Code> {
    client.clone().watch(named(service)).await.map(tonic::Response::into_inner).map_err(|error| error.code())
}

/// None at the end of the stream.
async fn told(stream: &mut Stream) -> Option<ServingStatus> {
    let message = timeout(24 * 3600 * SECOND, stream.message()).await.expect("nothing is told");
    message.unwrap().map(|response| response.status())
}

/// Whether nothing is told for that long.
async fn silent(stream: &mut Stream, time: Duration) -> bool {
    timeout(time, told(stream)).await.is_err()
}

/// A dependency that can be switched off and counts how often it was asked.
#[derive(Clone, Default)]
struct Dependency {
    down: Arc<AtomicBool>,
    runs: Arc<AtomicUsize>,
    takes: Duration,
}

impl Dependency {
    fn taking(takes: Duration) -> Self {
        Self { takes, ..Self::default() }
    }

    fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

impl Check for Dependency {
    async fn check(&self) -> Health {
        self.runs.fetch_add(1, Ordering::SeqCst);
        sleep(self.takes).await;
        if self.down.load(Ordering::SeqCst) { Health::unhealthy("down") } else { Health::healthy() }
    }
}

fn with(name: &str, dependency: &Dependency) -> Registry {
    Registry::builder().register(name, dependency.clone()).build().unwrap()
}
