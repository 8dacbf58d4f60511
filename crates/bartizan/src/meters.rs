//! The metrics side of the stack: what the process, its runtime and its resource tell, business metrics, and where all of it is served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Mutex, PoisonError};

use bartizan_mask::Masker;
use bartizan_metrics::{Collectors, Metrics, MetricsEndpoint, Store};
use bartizan_trace::Tracing;

use crate::builder::ObservabilityBuilder;
use crate::error::InitError;
use crate::observability::Observability;
use crate::vars::{self, Vars};

/// The port of OpenTelemetry's Prometheus exporters.
const DEFAULT_PORT: u16 = 9464;

/// What the application and its scrapers use.
pub(crate) struct Meters {
    pub(crate) metrics: Metrics,
    pub(crate) business: Collectors,
    /// What the application's port answers: nothing, where the pages have a listener of their own.
    pub(crate) endpoint: MetricsEndpoint,
    /// What that listener answers.
    pages: MetricsEndpoint,
    pub(crate) listener: Listener,
}

/// What code and environment want of them.
pub(crate) struct MeterSettings {
    token: Option<String>,
    pub(crate) listener: Option<SocketAddr>,
    business: Box<dyn FnOnce(Collectors) -> Collectors>,
}

impl Default for MeterSettings {
    fn default() -> Self {
        Self { token: None, listener: None, business: Box::new(|collectors| collectors) }
    }
}

impl MeterSettings {
    /// Lets the environment have the last word.
    pub(crate) fn read(self, vars: &Vars) -> Result<Self, InitError> {
        let listener = address(vars, self.listener)?;
        Ok(Self { token: vars::get(vars, "METRICS_TOKEN").or(self.token), listener, ..self })
    }
}

impl Meters {
    pub(crate) fn new(store: Option<&Store>, settings: MeterSettings, listener: Listener) -> Self {
        let MeterSettings { token, business, .. } = settings;
        let metrics = store.map_or_else(Metrics::off, Metrics::new);
        metrics.clone().set_global();
        let business = business(store.map_or_else(Collectors::off, Collectors::new));
        let pages = match store {
            Some(store) => MetricsEndpoint::new(store.clone()).business(business.clone()),
            None => MetricsEndpoint::off(),
        };
        let pages = match token {
            Some(token) => pages.token(token),
            None => pages,
        };
        let endpoint = if listener.address.is_some() { pages.clone().hidden() } else { pages.clone() };
        Self { metrics, business, endpoint, pages, listener }
    }
}

/// The listener of its own, until it is served.
pub(crate) struct Listener {
    pub(crate) address: Option<SocketAddr>,
    socket: Mutex<Option<TcpListener>>,
}

impl Listener {
    /// No listener: the pages are routes of the application's.
    pub(crate) fn none() -> Self {
        Self { address: None, socket: Mutex::new(None) }
    }

    /// Takes the port, so that a port that is taken is an error at the start.
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, InitError> {
        let bound = TcpListener::bind(address).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok((socket.local_addr()?, socket))
        });
        match bound {
            Ok((address, socket)) => Ok(Self { address: Some(address), socket: Mutex::new(Some(socket)) }),
            Err(error) => Err(InitError::Listen { address, error }),
        }
    }
}

/// Where the environment, or else the code, wants the pages served.
fn address(vars: &Vars, code: Option<SocketAddr>) -> Result<Option<SocketAddr>, InitError> {
    let host = vars::parsed::<IpAddr>(vars, "METRICS_HOST", "an IP address such as 127.0.0.1 or 0.0.0.0")?;
    let port = vars::parsed::<u16>(vars, "METRICS_PORT", "a port such as 9464")?;
    if host.is_none() && port.is_none() {
        return Ok(code);
    }
    let code = code.unwrap_or((Ipv4Addr::LOCALHOST, DEFAULT_PORT).into());
    Ok(Some(SocketAddr::new(host.unwrap_or(code.ip()), port.unwrap_or(code.port()))))
}

/// Shows what the process, its runtime, its build and its resource tell.
pub(crate) fn register(
    store: &Store,
    masker: &Masker,
    tracing: &Tracing,
    (service, version): (&str, &str),
) -> Result<(), InitError> {
    store.process_metrics()?;
    store.runtime_metrics(tokio::runtime::Handle::try_current().ok())?;
    let build = [("service", service), ("version", version)];
    store.info("build_info", "The service and its version.", &build)?;
    let facts: Vec<_> = tracing
        .resource()
        .map(|(name, value)| match masker.censor_for(name) {
            Some(censor) => (name, censor.to_owned()),
            None => (name, masker.text_cow(&value).into_owned()),
        })
        .collect();
    store.info("target_info", "The attributes of the OpenTelemetry resource.", &*facts)?;
    Ok(())
}

impl ObservabilityBuilder {
    /// The bearer token that callers of `/metrics` and `/metrics/business` need, where `METRICS_TOKEN` is not set. Default: none.
    pub fn metrics_token(mut self, token: impl Into<String>) -> Self {
        self.meters.token = Some(token.into());
        self
    }

    /// Serves `/metrics` and `/metrics/business` on a listener of their own, and no more beside the application's routes, where
    /// `METRICS_PORT` and `METRICS_HOST` do not say otherwise. Port 0 is any free one,
    /// see [`metrics_address`](Observability::metrics_address). Default: none.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    ///
    /// let observability = Observability::builder("orders").metrics(true).metrics_listener(([127, 0, 0, 1], 9464)).init()?;
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn metrics_listener(mut self, address: impl Into<SocketAddr>) -> Self {
        self.meters.listener = Some(address.into());
        self
    }

    /// How long a business collector may take, and how long its result is kept. Default: 5 and 15 seconds.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    /// use std::time::Duration;
    ///
    /// let observability = Observability::builder("orders").business(|it| it.ttl(Duration::from_mins(1))).init()?;
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn business(mut self, change: impl FnOnce(Collectors) -> Collectors + 'static) -> Self {
        self.meters.business = Box::new(change);
        self
    }
}

impl Observability {
    /// Makes the application's own metrics. While metrics are off every handle does nothing.
    ///
    /// ```no_run
    /// # async fn query() -> Result<u8, std::io::Error> { Ok(1) }
    /// # async fn run(observability: bartizan::Observability) -> Result<(), Box<dyn std::error::Error>> {
    /// let orders = observability.metrics().counter("orders_total").help("Orders placed.").family()?;
    /// orders.with(&[("shop", "north")]).increment(1);
    ///
    /// // Anywhere else, without the handle at hand:
    /// let rows = bartizan::metrics::time("db_query", &[("table", "orders")]).run(query()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics(&self) -> &Metrics {
        &self.0.meters.metrics
    }

    /// The business metrics: register collectors here. They run only while metrics are on and somebody asks.
    ///
    /// ```no_run
    /// # fn run(observability: bartizan::Observability) -> Result<(), Box<dyn std::error::Error>> {
    /// use serde_json::json;
    ///
    /// observability.business().register("orders", || async { Ok::<_, std::io::Error>(json!({ "open": 3 })) })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn business(&self) -> &Collectors {
        &self.0.meters.business
    }

    /// What the metrics paths answer, as settings made it: for a tower layer on hosts other than axum. Where the pages have a listener of
    /// their own it answers nothing.
    ///
    /// ```no_run
    /// # fn run(observability: bartizan::Observability) {
    /// let layer = observability.metrics_endpoint().clone().layer();
    /// # }
    /// ```
    pub fn metrics_endpoint(&self) -> &MetricsEndpoint {
        &self.0.meters.endpoint
    }

    /// Where the pages are served if they have a listener of their own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.0.meters.listener.address
    }

    /// Serves the pages on their own listener, if there is one, until the future is dropped; else, and when called again, it returns at
    /// once. `serve` does it by itself; elsewhere spawn it.
    ///
    /// ```no_run
    /// # fn run(observability: bartizan::Observability) {
    /// tokio::spawn(async move { observability.serve_metrics().await });
    /// # }
    /// ```
    pub async fn serve_metrics(&self) {
        let Meters { listener, pages, .. } = &self.0.meters;
        let socket = listener.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(socket) = socket else { return };
        match tokio::net::TcpListener::from_std(socket) {
            Ok(socket) => {
                if let Some(address) = listener.address {
                    tracing::info!(target: "bartizan", address = %address, "metrics listening");
                }
                pages.clone().serve(socket).await;
            }
            Err(error) => tracing::error!(target: "bartizan", error = %error, "metrics are not served"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &'static [(&'static str, &'static str)]) -> Result<Option<String>, String> {
        let vars = move |asked: &str| {
            pairs.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
        };
        let code = Some("127.0.0.2:1000".parse().unwrap());
        let code = if pairs.iter().any(|(name, _)| *name == "code") { code } else { None };
        let address = address(&vars, code).map_err(|error| error.to_string())?;
        Ok(address.map(|address| address.to_string()))
    }

    #[test]
    fn the_address_is_loopback_unless_somebody_says_otherwise() {
        for (pairs, expected) in [
            (&[][..], None),
            (&[("METRICS_PORT", "9000")], Some("127.0.0.1:9000")),
            (&[("METRICS_HOST", "0.0.0.0")], Some("0.0.0.0:9464")),
            (&[("METRICS_HOST", "::1"), ("METRICS_PORT", " 1 ")], Some("[::1]:1")),
            (&[("code", "")], Some("127.0.0.2:1000")),
            (&[("code", ""), ("METRICS_PORT", "2")], Some("127.0.0.2:2")),
        ] {
            assert_eq!(from(pairs).unwrap().as_deref(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_bad_address_names_the_variable_and_the_form() {
        for (pairs, name) in [
            (&[("METRICS_PORT", "99999")][..], "METRICS_PORT"),
            (&[("METRICS_HOST", "localhost")], "METRICS_HOST"),
        ] {
            let error = from(pairs).unwrap_err();
            assert!(error.contains(name) && error.contains("such as"), "{error}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_that_says_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = Listener::bind(taken.local_addr().unwrap()).err().unwrap().to_string();
        assert!(error.contains("METRICS_PORT"), "{error}");
    }
}
