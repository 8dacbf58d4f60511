//! Setting the stack up from code and environment.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex};

use bartizan_core::{ObserveLayer, Routes, Settings, Trust};
use bartizan_correlation::CorrelationLayer;
use bartizan_health::{Endpoints, Exposure, Registry, RegistryBuilder, ToolUrls};
use bartizan_log::{Capture, LogBuilder, LogFormat, RequestLogLayer};
use bartizan_mask::Masker;
use bartizan_metrics::{RedLayer, Store, StoreBuilder};
use bartizan_trace::conventions::{DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_VERSION};
use bartizan_trace::{TraceLayer, TraceSettings, Tracing};

use crate::client::ClientLayer;
use crate::counters;
use crate::error::InitError;
use crate::install::install;
use crate::meters::{self, Listener, MeterSettings, Meters};
use crate::observability::{Inner, Observability};
use crate::redact::Masked;
use crate::stack::StackLayer;
use crate::summary::Summary;
use crate::vars::{self, Vars};

mod parts;
mod times;

use self::parts::{ChangeEndpoints, ChangeLog};
use self::times::Times;

/// Sets the stack up: see [`Observability::builder`].
///
/// The environment has the last word: what operators set replaces what the code has set.
///
/// | variable | what | default |
/// |---|---|---|
/// | `ENVIRONMENT` | name of the deployment | `development` |
/// | `ENABLE_METRICS` | `true` or `false` | [`metrics`](Self::metrics), else `false` |
/// | `CORRELATION_ENABLED` | `false` takes correlation ids out of the stack | `true` |
/// | `METRICS_TOKEN` | callers of `/metrics` need this bearer token | [`metrics_token`](Self::metrics_token), else everybody may |
/// | `METRICS_PORT`, `METRICS_HOST` | `/metrics` on a listener of its own, and no more beside the application | [`metrics_listener`](Self::metrics_listener), else none; port 9464, host 127.0.0.1 |
/// | `RUST_LOG`, `LOG_LEVEL`, `LOG_FORMAT`, `NO_COLOR` | see [`LogBuilder`] | `info`, JSON unless on a terminal |
/// | `LOG_BODIES` | whose bodies are on the line: `off`, `error`, `failure`, `slow`, `error_or_slow`, `always` | [`capture`](Self::capture), else `off` |
/// | `OTEL_ENABLED` | `false` takes tracing out of the stack | `true` |
/// | `OTEL_SERVICE_NAME` | the service's name, everywhere | that of [`Observability::builder`] |
/// | `OTEL_PROPAGATORS` | `tracecontext`, `baggage`, `b3`, `b3multi`, `jaeger` | [`trace_layer`](Self::trace_layer), else `tracecontext,baggage` |
/// | `OTEL_*` | see [`bartizan_trace::setup`] | no endpoint: context is passed on, no span recorded |
/// | `TRUSTED_PROXIES` | whose forwarded headers are believed, such as `10.0.0.0/8` | [`trust`](Self::trust), else nobody |
/// | `HEALTH_TOKEN` | callers with this bearer token see which checks there are and what they say | none |
/// | `STARTUP_DEADLINE` | how long the startup checks have to pass, such as `90s` | [`startup`](Self::startup), else 60 s |
/// | `DRAIN_DELAY` | how long requests are still accepted after the signal to stop, such as `5s`, `500ms` or `0` | [`drain_delay`](Self::drain_delay), else 5 s |
/// | `DRAIN_DEADLINE` | how long requests in flight may take after that, such as `1m30s` | [`drain_deadline`](Self::drain_deadline), else 30 s |
/// | `FLUSH_DEADLINE` | how long spans, and then log lines, may take to be flushed | [`flush_deadline`](Self::flush_deadline), else 5 s |
/// | `GRAFANA_URL`, `PROMETHEUS_URL`, `ALERTMANAGER_URL`, `FLOWER_URL` | URLs of `/health/tools` | null |
#[must_use]
pub struct ObservabilityBuilder {
    service: String,
    version: String,
    environment: Option<String>,
    metrics: bool,
    settings: Settings,
    masker: Masker,
    correlation: CorrelationLayer,
    request_log: RequestLogLayer,
    capture: Option<Capture>,
    red: RedLayer,
    store: StoreBuilder,
    pub(crate) meters: MeterSettings,
    trace: TraceSettings,
    trace_layer: Box<dyn FnOnce(TraceLayer) -> TraceLayer>,
    log: Box<ChangeLog>,
    log_format: LogFormat,
    log_sink: Option<Box<dyn Write + Send>>,
    health: RegistryBuilder,
    endpoints: Box<ChangeEndpoints>,
    exposure: Exposure,
    unhealthy_as_503: bool,
    tools: ToolUrls,
    times: Times,
    vars: Box<Vars>,
}

impl ObservabilityBuilder {
    pub(crate) fn new(service: String) -> Self {
        Self {
            service,
            version: String::new(),
            environment: None,
            metrics: false,
            settings: Settings::default(),
            masker: Masker::default(),
            correlation: CorrelationLayer::new(),
            request_log: RequestLogLayer::new(),
            capture: None,
            red: RedLayer::new(),
            store: Store::builder(),
            meters: MeterSettings::default(),
            trace: TraceSettings::new(),
            trace_layer: Box::new(|layer| layer),
            log: Box::new(|log| log),
            log_format: LogFormat::Auto,
            log_sink: None,
            health: Registry::builder(),
            endpoints: Box::new(Ok),
            exposure: Exposure::public(),
            unhealthy_as_503: false,
            tools: ToolUrls::default(),
            times: Times::default(),
            vars: Box::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())),
        }
    }

    /// The service's version, as in `env!("CARGO_PKG_VERSION")`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The name of the deployment, where `ENVIRONMENT` is not set. Default: `development`.
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Whether metrics are recorded, where `ENABLE_METRICS` is not set. Default: not.
    pub fn metrics(mut self, on: bool) -> Self {
        self.metrics = on;
        self
    }

    /// How routes are found where the host does not tell: prefixes, or a function.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.settings.routes = routes;
        self
    }

    /// Whose forwarded headers are believed. Default: nobody's.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.settings.trust = trust;
        self
    }

    /// What masks everything that leaves the process. Default: [`Masker::default`].
    pub fn masker(mut self, masker: Masker) -> Self {
        self.masker = masker;
        self
    }

    /// The correlation ids: header, kind, trust.
    pub fn correlation(mut self, layer: CorrelationLayer) -> Self {
        self.correlation = layer;
        self
    }

    /// The request log: sampling, skipped routes, headers. Its masker and its capture are replaced by the stack's.
    pub fn request_log(mut self, layer: RequestLogLayer) -> Self {
        self.request_log = layer;
        self
    }

    /// Whose bodies are logged, masked and bounded, where `LOG_BODIES` does not say when. Default: nobody's.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    /// use bartizan::log::{Capture, CaptureWhen};
    ///
    /// let capture = Capture::new().when(CaptureWhen::Failure).limit(4 * 1024);
    /// let observability = Observability::builder("orders").capture(capture).init()?;
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn capture(mut self, capture: impl Into<Option<Capture>>) -> Self {
        self.capture = capture.into();
        self
    }

    /// The RED metrics: names and caps. Its recorder is replaced by the stack's store.
    pub fn red(mut self, layer: RedLayer) -> Self {
        self.red = layer;
        self
    }

    /// The metrics store: buckets and caps.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    /// use bartizan::metrics::Store;
    ///
    /// let store = Store::builder().buckets_for("http_request_duration_seconds", &[0.01, 0.1, 1.0, 10.0]);
    /// let observability = Observability::builder("orders").store(store).init()?;
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn store(mut self, store: StoreBuilder) -> Self {
        self.store = store;
        self
    }

    /// Where spans go and which are sampled. Service, version and environment are filled in.
    pub fn trace(mut self, settings: TraceSettings) -> Self {
        self.trace = settings;
        self
    }

    /// The server spans: propagation and response header. `OTEL_PROPAGATORS` replaces the formats, not whether callers are believed.
    ///
    /// ```no_run
    /// use bartizan::Observability;
    /// use bartizan::trace::Propagation;
    ///
    /// let edge = Observability::builder("orders")
    ///     .trace_layer(|layer| layer.propagation(Propagation::new().untrusted()))
    ///     .init()?;
    /// # Ok::<(), bartizan::InitError>(())
    /// ```
    pub fn trace_layer(mut self, change: impl FnOnce(TraceLayer) -> TraceLayer + 'static) -> Self {
        self.trace_layer = Box::new(change);
        self
    }

    /// How log lines look, where `LOG_FORMAT` is not set. Default: for people on a terminal, else JSON.
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.log_format = format;
        self
    }

    /// Where log lines go. Default: standard output.
    pub fn log_sink(mut self, sink: impl Write + Send + 'static) -> Self {
        self.log_sink = Some(Box::new(sink));
        self
    }

    /// The health registry, with its checks. Its redactor is replaced by the stack's masker.
    pub fn health(mut self, registry: RegistryBuilder) -> Self {
        self.health = registry;
        self
    }

    /// Who sees the names, messages and details of checks. Default: nobody but callers with `HEALTH_TOKEN`.
    pub fn health_exposure(mut self, exposure: Exposure) -> Self {
        self.exposure = exposure;
        self
    }

    /// Whether `/health` answers 503 while unhealthy. Default: 200, the status is in the body.
    pub fn unhealthy_as_503(mut self, yes: bool) -> Self {
        self.unhealthy_as_503 = yes;
        self
    }

    /// The URLs of `/health/tools`, where the environment does not set them.
    pub fn tools(mut self, tools: ToolUrls) -> Self {
        self.tools = tools;
        self
    }

    /// Where variables are read from, instead of the process's environment: a file, or a test's table.
    pub fn vars(mut self, read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.vars = Box::new(read);
        self
    }

    /// Starts everything: the `tracing` subscriber, the `metrics` recorder, the panic hook, and span export if there is an endpoint.
    /// Call it once, at the beginning of `main`. Neither a runtime nor anything else need run. Tests of one process share what it
    /// returns, in a `static` `LazyLock<Observability>`.
    ///
    /// # Errors
    ///
    /// [`InitError`] for the first setting that cannot be used, before anything is installed; or if another subscriber or recorder is
    /// installed already.
    pub fn init(self) -> Result<Observability, InitError> {
        let vars: Arc<Vars> = Arc::from(self.vars);
        let environment =
            vars::get(&*vars, "ENVIRONMENT").or(self.environment).unwrap_or_else(|| "development".to_owned());
        let metrics_on = vars::flag(&*vars, "ENABLE_METRICS")?.unwrap_or(self.metrics);
        let meters = self.meters.read(&*vars)?;
        let traced = vars::flag(&*vars, "OTEL_ENABLED")?.unwrap_or(true);
        let correlated = vars::flag(&*vars, "CORRELATION_ENABLED")?.unwrap_or(true);
        let capture = vars::capture(&*vars, self.capture)?;
        let tools = vars::tools(&*vars, self.tools)?;
        let mut settings = self.settings;
        if let Some(trust) = vars::trusted_proxies(&*vars)? {
            settings.trust = trust;
        }
        let times = self.times.read_vars(&*vars)?;
        let exposure = match vars::get(&*vars, "HEALTH_TOKEN") {
            Some(token) => self.exposure.token(token),
            None => self.exposure,
        };

        let log = {
            let vars = Arc::clone(&vars);
            let mut builder = LogBuilder::new().format(self.log_format);
            if let Some(sink) = self.log_sink {
                builder = builder.sink(sink);
            }
            (self.log)(builder)
                .masker(self.masker.clone())
                .trace_ids(bartizan_trace::server::current_ids)
                .env(move |name| vars(name))
                .build()?
        };
        let tracing = self
            .trace
            .service_name(&self.service)
            .service_version(&self.version)
            .environment(&environment)
            .masker(self.masker.clone())
            .read_vars(|name| vars(name))?
            .build()?;
        let [service, version, environment] = identity(&tracing);
        // The formats that the environment names win.
        let trace = traced.then(|| (self.trace_layer)(tracing.layer()).masker(self.masker.clone()));
        let trace = trace.map(|layer| layer.read_vars(|name| vars(name))).transpose()?;
        let health = self.health.redactor(Masked(self.masker.clone())).build()?;
        let endpoints = (self.endpoints)(Endpoints::new(health.clone()))?;
        let store = if metrics_on { Some(self.store.build()?) } else { None };
        if let Some(store) = &store {
            counters::register(store, &self.masker, log.guard.writer(), &tracing)?;
            meters::register(store, &self.masker, &tracing, (&service, &version))?;
        }
        let listener =
            meters.listener.filter(|_| metrics_on).map_or_else(|| Ok(Listener::none()), Listener::bind)?;

        let summary = Summary {
            service: &service,
            version: &version,
            environment: &environment,
            correlated,
            metrics: metrics_on,
            metrics_listener: listener.address.is_some(),
            tracing: traced.then(|| tracing.status()),
        };
        let guard = install(log, &tracing, store.as_ref(), &self.masker)?;
        summary.log();
        let config = summary.config();
        let meters = Meters::new(store.as_ref(), meters, listener);

        let red = store.clone().map(|store| self.red.recorder(store));
        let correlation = correlated.then_some(self.correlation);
        let client = ClientLayer::new((
            correlation.as_ref().map(|layer| layer.client().observer()),
            trace.as_ref().map(|layer| layer.client().observer()),
            red.as_ref().map(|layer| layer.client().observer()),
        ));
        let trace = trace.map(|layer| layer.observer());
        let red = red.map(|layer| layer.observer());
        let request_log = self.request_log.masker(self.masker.clone()).capture(capture).observer();
        let observers = (correlation.map(|layer| layer.observer()), trace, red, Some(request_log));
        let layer = StackLayer { observe: ObserveLayer::with_settings(observers, settings) };
        let endpoints = endpoints
            .exposure(exposure)
            .about(&service, &version)
            .unhealthy_as_503(self.unhealthy_as_503)
            .config(config.clone())
            .tools(tools);

        Ok(Observability(Arc::new(Inner {
            layer,
            client,
            endpoints,
            store,
            meters,
            tracing,
            masker: self.masker,
            config,
            startup: times.startup,
            drain: times.drain(health.clone()),
            not_started: Mutex::new(None),
            signals: Mutex::new(None),
            flush_deadline: times.flush_deadline,
            health,
            log: Mutex::new(Some(guard)),
        })))
    }
}

/// Service, version and deployment as the resource has them: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` may have changed them,
/// and lines and metrics are to say what the spans say.
fn identity(tracing: &Tracing) -> [String; 3] {
    [SERVICE_NAME, SERVICE_VERSION, DEPLOYMENT_ENVIRONMENT_NAME].map(|name| {
        tracing.resource().find(|(known, _)| *known == name).map(|(_, value)| value).unwrap_or_default()
    })
}

impl fmt::Debug for ObservabilityBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservabilityBuilder")
            .field("service", &self.service)
            .field("version", &self.version)
            .field("metrics", &self.metrics)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
