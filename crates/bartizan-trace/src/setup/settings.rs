//! The settings and what is made of them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bartizan_mask::Masker;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, TracerProviderBuilder};

use super::certificate::Certificate;
use super::endpoint::{Endpoint, Protocol};
use super::error::SetupError;
use super::pairs::Headers;
use super::resource::{self, Attributes};
use super::tracing::{TraceStatus, Tracing};
use super::{read, sampler};
use crate::conventions::{DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_VERSION};
use crate::export::{self, Batch, Counts};
use crate::propagation::B3Sampler;

/// How spans are sampled, described and sent; see the [module](super) for order and defaults.
///
/// ```
/// use std::time::Duration;
/// use bartizan_trace::TraceSettings;
/// use bartizan_trace::opentelemetry_sdk::trace::Sampler;
///
/// let settings = TraceSettings::new()
///     .service_name("orders")
///     .environment("production")
///     .attribute("team", "checkout")
///     .sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(0.1))))
///     .timeout(Duration::from_secs(3));
/// let tracing = settings.build()?;
/// assert!(!tracing.is_enabled(), "there is no endpoint");
/// # Ok::<(), bartizan_trace::SetupError>(())
/// ```
#[derive(Debug)]
pub struct TraceSettings {
    pub(super) enabled: bool,
    pub(super) otlp: bool,
    pub(super) attributes: Attributes,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) protocol: Option<Protocol>,
    pub(super) headers: Headers,
    pub(super) certificate: Option<Certificate>,
    pub(super) timeout: Duration,
    pub(super) gzip: bool,
    pub(super) sampler: Sampler,
    pub(super) batch: Batch,
    masker: Masker,
    customize: Vec<Customize>,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl TraceSettings {
    /// The defaults; nothing is read from the environment.
    pub fn new() -> Self {
        Self {
            enabled: true,
            otlp: true,
            attributes: Attributes::new(),
            endpoint: None,
            protocol: None,
            headers: Headers::default(),
            certificate: None,
            timeout: Duration::from_secs(10),
            gzip: false,
            sampler: sampler::default(),
            batch: Batch::default(),
            masker: Masker::default(),
            customize: Vec::new(),
        }
    }

    /// Reads the [variables](super#variables) of the process.
    ///
    /// # Errors
    ///
    /// The first variable that has not the form it needs.
    pub fn read_env(self) -> Result<Self, SetupError> {
        // What is no Unicode must be seen, so that it fails where it matters.
        self.read_vars(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the [variables](super#variables) from anywhere else: a file, a test.
    ///
    /// ```
    /// use bartizan_trace::TraceSettings;
    ///
    /// let vars = [("OTEL_SERVICE_NAME", "orders"), ("OTEL_TRACES_SAMPLER", "always_on")];
    /// let settings = TraceSettings::new().read_vars(|name| {
    ///     vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    /// })?;
    /// # Ok::<(), bartizan_trace::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first variable that has not the form it needs.
    pub fn read_vars(mut self, vars: impl Fn(&str) -> Option<String>) -> Result<Self, SetupError> {
        read::apply(&mut self, vars)?;
        Ok(self)
    }

    /// `false` switches all of tracing off, whatever else is set.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The name of the service, `service.name`.
    #[must_use]
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.attribute(SERVICE_NAME, name)
    }

    /// The version of the service, `service.version`.
    #[must_use]
    pub fn service_version(self, version: impl Into<String>) -> Self {
        self.attribute(SERVICE_VERSION, version)
    }

    /// The deployment, as `production`: `deployment.environment.name`.
    #[must_use]
    pub fn environment(self, name: impl Into<String>) -> Self {
        self.attribute(DEPLOYMENT_ENVIRONMENT_NAME, name)
    }

    /// An attribute of the resource, that is, of every span of this process.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// The collector, as `http://collector:4318`; `/v1/traces` is added for HTTP.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Endpoint { setting: "endpoint", url: url.into(), complete: false });
        self
    }

    /// The protocol. Default: gRPC on port 4317, HTTP elsewhere.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// A header of every export request, such as an API key; its value is never shown.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push("header", name.into(), value.into());
        self
    }

    /// A PEM file with the certificates to trust for an `https` endpoint, instead of Mozilla's roots.
    #[must_use]
    pub fn ca_certificate(mut self, file: impl Into<PathBuf>) -> Self {
        self.certificate = Some(Certificate { setting: "ca_certificate", file: file.into() });
        self
    }

    /// The time for sending one batch, retries included. Default: 10 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Compresses export requests. Default: not.
    #[must_use]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Which traces are recorded. Default: the parent decides, and what starts here is recorded.
    #[must_use]
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// How many finished spans may wait to be sent; those past it are dropped and counted.
    /// Default: 2048. At least 1, at most a million.
    #[must_use]
    pub fn max_queue_size(mut self, spans: usize) -> Self {
        self.batch.queue = spans.clamp(1, Batch::LONGEST_QUEUE);
        self
    }

    /// How many spans are sent at once, at most the queue size. Default: 512. At least 1.
    #[must_use]
    pub fn max_batch_size(mut self, spans: usize) -> Self {
        self.batch.size = spans.max(1);
        self
    }

    /// How long a finished span waits for others before it is sent. Default: 5 seconds. At least one
    /// millisecond.
    #[must_use]
    pub fn batch_delay(mut self, delay: Duration) -> Self {
        self.batch.delay = delay.max(Batch::SHORTEST_DELAY);
        self
    }

    /// What masks spans on their way to the collector. Default: [`Masker::default`].
    #[must_use]
    pub fn masker(mut self, masker: Masker) -> Self {
        self.masker = masker;
        self
    }

    /// Changes the SDK's provider before it is built: own span processors, limits, ids. The sampler stays that of
    /// [`sampler`](Self::sampler).
    ///
    /// This switches tracing on without an endpoint, too.
    ///
    /// ```
    /// use bartizan_trace::TraceSettings;
    /// use bartizan_trace::opentelemetry_sdk::trace::{SpanData, SpanExporter};
    ///
    /// #[derive(Debug)]
    /// struct Print;
    ///
    /// impl SpanExporter for Print {
    ///     async fn export(&self, spans: Vec<SpanData>) -> bartizan_trace::opentelemetry_sdk::error::OTelSdkResult {
    ///         spans.iter().for_each(|span| println!("{}", span.name));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let tracing = TraceSettings::new().customize(|provider| provider.with_simple_exporter(Print)).build()?;
    /// assert!(tracing.is_enabled());
    /// # Ok::<(), bartizan_trace::SetupError>(())
    /// ```
    #[must_use]
    pub fn customize(
        mut self,
        change: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder + Send + 'static,
    ) -> Self {
        self.customize.push(Customize(Box::new(change)));
        self
    }

    /// Starts what the settings ask for. Needs no runtime, and does not wait for the collector.
    ///
    /// # Errors
    ///
    /// A setting that cannot be used or was not compiled in, or no thread for the exporter.
    pub fn build(self) -> Result<Tracing, SetupError> {
        let resource = resource::build(&self.attributes);
        if !self.enabled {
            return Ok(Tracing::off("it is switched off (OTEL_SDK_DISABLED, OTEL_ENABLED)", resource));
        }
        let target = match &self.endpoint {
            Some(endpoint) if self.otlp => Some(endpoint.resolve(self.protocol)?),
            _ => None,
        };
        if target.is_none() && self.customize.is_empty() {
            let missing = "there is no endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)";
            let reason = if self.otlp { missing } else { "OTEL_TRACES_EXPORTER is none" };
            return Ok(Tracing::off(reason, resource));
        }
        let counts = Arc::new(Counts::default());
        let mut status = TraceStatus::Custom;
        let mut provider = SdkTracerProvider::builder().with_resource(resource.clone());
        if let Some(target) = target {
            status = TraceStatus::Exporting { protocol: target.protocol, endpoint: target.origin() };
            let ca = self.certificate.filter(|_| target.is_https()).map(Certificate::read).transpose()?;
            let transport = export::Transport {
                target,
                ca,
                headers: self.headers.resolve()?,
                timeout: self.timeout,
                gzip: self.gzip,
                masker: self.masker,
            };
            provider = export::add_to(provider, &transport, self.batch, &counts)?;
        }
        let provider =
            self.customize.into_iter().fold(provider, |provider, Customize(change)| change(provider));
        // Last, so that the layer knows the sampler for sure.
        let provider = provider.with_sampler(B3Sampler::new(self.sampler.clone())).build();
        Ok(Tracing::on(provider, self.sampler, counts, status, resource))
    }
}

struct Customize(Box<dyn FnOnce(TracerProviderBuilder) -> TracerProviderBuilder + Send>);

impl fmt::Debug for Customize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Customize")
    }
}
