//! Which services there are and how each of them is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{Group, Registry, Report, Status};

use super::proto::health_check_response::ServingStatus;

pub(super) const WHOLE: &str = "";
pub(super) const LIVENESS: &str = "liveness";
pub(super) const READINESS: &str = "readiness";

/// Every service with its status at one moment.
pub(super) type Statuses = BTreeMap<Arc<str>, ServingStatus>;

type Names = BTreeSet<Box<str>>;

#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) registry: Registry,
    /// The application's services, and the checks that they stand on.
    services: BTreeMap<Arc<str>, Names>,
    /// Whether the checks are services too.
    check_names: bool,
}

impl Catalog {
    pub(super) fn new(registry: Registry, services: BTreeMap<Arc<str>, Names>, check_names: bool) -> Self {
        Self { registry, services, check_names }
    }

    /// How the service is, after running what it stands on; none if there is no such service.
    pub(super) async fn status(&self, service: &str) -> Option<ServingStatus> {
        let registry = &self.registry;
        match (service, self.services.get(service)) {
            (LIVENESS, _) => Some(serving(registry.snapshot(Group::Liveness).await.report.is_alive())),
            (WHOLE | READINESS, _) => {
                Some(serving(registry.snapshot(Group::Readiness).await.report.is_ready()))
            }
            (_, Some(names)) => {
                let report = registry.traffic_report(|slot| names.contains(&*slot.name)).await;
                Some(of_service(names, &report))
            }
            (_, None) if !self.check_names => None,
            (_, None) => of_check(&registry.traffic_report(|slot| *slot.name == *service).await),
        }
    }

    /// How every service is, as far as it is known. No check is run.
    pub(super) fn statuses(&self) -> Statuses {
        let registry = &self.registry;
        let all = registry.last_report(Group::All);
        let checks = all.checks.iter().filter(|_| self.check_names).map(|check| {
            (Arc::clone(&check.name), serving(!all.draining && check.status < Status::Unhealthy))
        });
        let services = self.services.iter().map(|(service, names)| {
            let report = registry.last_report_of(|slot| names.contains(&*slot.name));
            (Arc::clone(service), of_service(names, &report))
        });
        let ready = serving(registry.last_report(Group::Readiness).is_ready());
        let alive = serving(registry.last_report(Group::Liveness).is_alive());
        let own = [(WHOLE, ready), (LIVENESS, alive), (READINESS, ready)];
        // The later ones win, as in `status`.
        checks.chain(services).chain(own.map(|(name, status)| (name.into(), status))).collect()
    }
}

fn serving(yes: bool) -> ServingStatus {
    if yes { ServingStatus::Serving } else { ServingStatus::NotServing }
}

/// One that stands on a check that is gone does not serve.
fn of_service(names: &Names, report: &Report) -> ServingStatus {
    serving(report.checks.len() == names.len() && report.is_ready())
}

/// Asked for by its name, a check that is not critical counts like any other.
fn of_check(report: &Report) -> Option<ServingStatus> {
    let check = report.checks.first()?;
    Some(serving(!report.draining && check.status < Status::Unhealthy))
}
