//! Anything that listens.

use tokio::net::TcpStream;

use crate::{Check, Health};

/// Makes a TCP connection and closes it (feature `tcp`).
///
/// The name is looked up for each run, and every address that it has is tried in turn.
///
/// ```
/// use bartizan_health::{Registry, checks::TcpCheck};
///
/// Registry::new().register("broker", TcpCheck::new("broker.internal:5672"))?;
/// # Ok::<_, bartizan_health::HealthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TcpCheck {
    address: Box<str>,
}

impl TcpCheck {
    /// The address is `host:port`, an IPv6 address in brackets.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into().into() }
    }
}

impl Check for TcpCheck {
    async fn check(&self) -> Health {
        match TcpStream::connect(&*self.address).await {
            Ok(_) => Health::healthy(),
            Err(error) => Health::unhealthy(error.to_string()),
        }
    }

    fn is_dependency(&self) -> bool {
        true
    }

    fn is_cancel_safe(&self) -> bool {
        true
    }
}
