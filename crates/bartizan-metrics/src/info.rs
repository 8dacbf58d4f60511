//! What is running: metrics that are always 1 and say everything in their labels.

use metrics::{Gauge, Key};

use crate::app::LabelSet;
use crate::store::{Cell, Custom, Kind, MetricError, Store, cut};
use crate::store::{MAX_LABELS, MAX_VALUE};

impl Store {
    /// Shows facts as the labels of a gauge that is 1: `build_info`, and `target_info`, which has the attributes of an OpenTelemetry resource.
    ///
    /// At most 64 facts, of 512 bytes each. Names are made what Prometheus accepts: `service.name` is `service_name`.
    ///
    /// # Errors
    ///
    /// [`MetricError`] if the name is bad or taken.
    ///
    /// ```
    /// use bartizan_metrics::{Format, Store};
    ///
    /// let store = Store::new();
    /// store.info("build_info", "What was built.", &[("version", env!("CARGO_PKG_VERSION")), ("git.commit", "9a0da8e")])?;
    /// let mut page = Vec::new();
    /// store.render(Format::Text004, &mut page);
    /// assert!(String::from_utf8_lossy(&page).contains("build_info{git_commit=\"9a0da8e\",version=\""));
    /// # Ok::<(), bartizan_metrics::MetricError>(())
    /// ```
    pub fn info(&self, name: &str, help: &str, facts: &(impl LabelSet + ?Sized)) -> Result<(), MetricError> {
        self.registry().define(name, Kind::Gauge, None, help, &Custom::default())?;
        let mut labels = Vec::new();
        facts.each(&mut |name, value| {
            if labels.len() < MAX_LABELS {
                labels.push(metrics::Label::new(name.to_owned(), cut(value, MAX_VALUE).to_owned()));
            }
        });
        if let Some(Cell::Gauge(cell)) = self.cell(&Key::from_parts(name.to_owned(), labels), Kind::Gauge) {
            Gauge::from_arc(cell).set(1.0);
        }
        Ok(())
    }
}
