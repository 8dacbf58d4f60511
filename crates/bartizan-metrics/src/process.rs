//! What the process uses of the machine (feature `process`).

use std::sync::{Arc, Mutex, PoisonError};

use metrics_process::collector::{Metrics, collect};

use crate::store::{ExternalError, Store};

type Read = fn(&Metrics) -> Option<f64>;

const GAUGES: [(&str, &str, Read); 7] = [
    ("process_open_fds", "Open file descriptors.", |m| m.open_fds.map(|n| n as f64)),
    ("process_max_fds", "Most file descriptors that may be open; 0 is no limit.", |m| {
        m.max_fds.map(|n| n as f64)
    }),
    ("process_resident_memory_bytes", "Memory that is resident.", |m| {
        m.resident_memory_bytes.map(|n| n as f64)
    }),
    ("process_virtual_memory_bytes", "Address space in use.", |m| m.virtual_memory_bytes.map(|n| n as f64)),
    ("process_virtual_memory_max_bytes", "Most address space; 0 is no limit.", |m| {
        m.virtual_memory_max_bytes.map(|n| n as f64)
    }),
    ("process_start_time_seconds", "When the process began, since the Unix epoch.", |m| {
        m.start_time_seconds.map(|n| n as f64)
    }),
    ("process_threads", "Threads of the operating system.", |m| m.threads.map(|n| n as f64)),
];

impl Store {
    /// Shows Prometheus' standard process metrics: `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds`,
    /// `process_threads`, `process_start_time_seconds` and the rest, as far as the system tells them.
    ///
    /// They are read when a page is written, once a second at most. Call it once.
    ///
    /// # Errors
    ///
    /// [`ExternalError`] if one of the names is taken.
    ///
    /// ```
    /// use bartizan_metrics::{Format, Store};
    ///
    /// let store = Store::new();
    /// store.process_metrics()?;
    /// let mut page = Vec::new();
    /// store.render(Format::Text004, &mut page);
    /// assert!(String::from_utf8_lossy(&page).contains("process_cpu_seconds_total"));
    /// # Ok::<(), bartizan_metrics::ExternalError>(())
    /// ```
    pub fn process_metrics(&self) -> Result<(), ExternalError> {
        let now = collect();
        let last = Arc::new(Mutex::new(Metrics::default()));
        let reader = |read: Read| {
            let last = Arc::clone(&last);
            move || read(&last.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or(f64::NAN)
        };
        let cpu: Read = |m| m.cpu_seconds_total;
        if cpu(&now).is_some() {
            let help = "Time that the process had on CPUs, for itself and in the kernel.";
            self.external_seconds("process_cpu_seconds_total", help, reader(cpu))?;
        }
        for (name, help, read) in GAUGES {
            if read(&now).is_some() {
                self.external_gauge(name, help, reader(read))?;
            }
        }
        *last.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.at_scrape(move || *last.lock().unwrap_or_else(PoisonError::into_inner) = collect());
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::Format;

    #[test]
    fn the_page_tells_what_the_kernel_tells() {
        let store = Store::new();
        store.process_metrics().unwrap();
        let mut page = Vec::new();
        store.render(Format::Text004, &mut page);
        let page = String::from_utf8(page).unwrap();
        let value = |name: &str| -> f64 {
            let line =
                page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
            line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(page.contains("# TYPE process_cpu_seconds_total counter\n"));
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!(value("process_open_fds") >= 3.0 && value("process_max_fds") >= value("process_open_fds"));
        assert!(value("process_threads") >= 1.0);
        assert!(value("process_cpu_seconds_total") >= 0.0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((now - value("process_start_time_seconds")).abs() < 3_600.0);
        assert!(store.process_metrics().is_err(), "a second time is an error");
    }
}
