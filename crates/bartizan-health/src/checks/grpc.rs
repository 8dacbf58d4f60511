//! Another service's `grpc.health.v1`.

use tonic::{Code, transport::Channel};

use super::with_causes;
use crate::{
    Check, Health,
    grpc::proto::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient},
};

/// Asks another service's `grpc.health.v1` how it is (feature `grpc-check`).
///
/// SERVING is healthy, all else is not. A channel connects again by itself; make it with `connect_lazy`, so that
/// this service starts before the other one does.
///
/// ```
/// use bartizan_health::{Registry, checks::GrpcCheck};
/// use tonic::transport::Endpoint;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Endpoint::from_static("http://payments.internal:50051").connect_lazy();
/// Registry::new().register("payments", GrpcCheck::new(channel, "shop.v1.Payments"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GrpcCheck {
    client: HealthClient<Channel>,
    service: String,
}

impl GrpcCheck {
    /// Of the server's service of this name; the empty name is the server as a whole.
    pub fn new(channel: Channel, service: impl Into<String>) -> Self {
        Self { client: HealthClient::new(channel), service: service.into() }
    }
}

impl Check for GrpcCheck {
    async fn check(&self) -> Health {
        let request = HealthCheckRequest { service: self.service.clone() };
        match self.client.clone().check(request).await.map(|response| response.get_ref().status()) {
            Ok(ServingStatus::Serving) => Health::healthy(),
            Ok(status) => Health::unhealthy(status.as_str_name()),
            Err(status) if status.code() == Code::Unavailable => Health::unhealthy(with_causes(&status)),
            Err(status) => Health::unhealthy(format!("{:?}: {}", status.code(), status.message())),
        }
    }

    fn is_dependency(&self) -> bool {
        true
    }

    fn is_cancel_safe(&self) -> bool {
        true
    }
}
