//! How long starting and stopping may take.

use std::time::Duration;

use bartizan_health::{Drain, Registry, Startup};

use crate::builder::ObservabilityBuilder;
use crate::error::InitError;
use crate::vars::{self, Vars};

/// The times of the beginning and the end.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) startup: Startup,
    pub(super) drain_delay: Duration,
    pub(super) drain_deadline: Duration,
    pub(super) flush_deadline: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            startup: Startup::new(),
            drain_delay: Duration::from_secs(5),
            drain_deadline: Duration::from_secs(30),
            flush_deadline: Duration::from_secs(5),
        }
    }
}

impl Times {
    /// What the environment says in place of what the code says.
    pub(super) fn read_vars(mut self, vars: &Vars) -> Result<Self, InitError> {
        for (name, slot) in [
            ("DRAIN_DELAY", &mut self.drain_delay),
            ("DRAIN_DEADLINE", &mut self.drain_deadline),
            ("FLUSH_DEADLINE", &mut self.flush_deadline),
        ] {
            *slot = vars::duration(vars, name)?.unwrap_or(*slot);
        }
        if let Some(deadline) = vars::duration(vars, "STARTUP_DEADLINE")? {
            self.startup = self.startup.deadline(deadline);
        }
        Ok(self)
    }

    pub(super) fn drain(&self, health: Registry) -> Drain {
        Drain::new(health).delay(self.drain_delay).deadline(self.drain_deadline)
    }
}

impl ObservabilityBuilder {
    /// How the startup checks are repeated, and how long: see [`Observability::start`](crate::Observability::start). Default: for 60 seconds.
    pub fn startup(mut self, startup: Startup) -> Self {
        self.times.startup = startup;
        self
    }

    /// How long requests are still accepted after the signal to stop, while readiness fails. Default: 5 seconds.
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.times.drain_delay = delay;
        self
    }

    /// How long requests in flight may take once the listener has closed. Default: 30 seconds.
    pub fn drain_deadline(mut self, deadline: Duration) -> Self {
        self.times.drain_deadline = deadline;
        self
    }

    /// How long spans, and then log lines, may take to be flushed. Default: 5 seconds each.
    pub fn flush_deadline(mut self, deadline: Duration) -> Self {
        self.times.flush_deadline = deadline;
        self
    }
}
