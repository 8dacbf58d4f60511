//! Which path asks for what.

use std::sync::Arc;

use crate::{Group, HealthError};

/// What a request to one of the health paths asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Probe {
    /// `/health`: every check.
    Health,
    /// `/health/live`: does the process answer? Only checks of [`Group::Liveness`] are run, if there are any.
    Live,
    /// `/health/ready`: may traffic come?
    Ready,
    /// `/health/startup`: have the startup checks passed once?
    Startup,
    /// `/health/detailed`: every check, with counts.
    Detailed,
    /// `/health/tools`: where to look next.
    Tools,
    /// `/observability/config`: what is switched on.
    Config,
    /// A group of the application, at the path that [`Endpoints::group`](crate::Endpoints::group) gave it.
    Group(&'static str),
    /// `/readyz/{check}`, `/livez/{check}` and their like: one check, by its name.
    Check(Arc<str>),
}

/// Where a path leads.
#[derive(Debug, PartialEq)]
pub(crate) enum Route<'a> {
    Probe(Probe),
    /// One check of the group, if it has one of that name, which is percent-encoded.
    Check(Group, &'a str),
}

static UNDER_BASE: [(&str, Probe); 8] = [
    ("", Probe::Health),
    ("/live", Probe::Live),
    ("/liveness", Probe::Live),
    ("/ready", Probe::Ready),
    ("/readiness", Probe::Ready),
    ("/startup", Probe::Startup),
    ("/detailed", Probe::Detailed),
    ("/tools", Probe::Tools),
];

static AT_ROOT: [(&str, Probe); 4] = [
    ("/livez", Probe::Live),
    ("/readyz", Probe::Ready),
    ("/startup", Probe::Startup),
    ("/ready", Probe::Ready),
];

const CONFIG: &str = "/observability/config";

/// Under these, names of checks follow.
const CHECKS_UNDER_BASE: [(&str, Group); 3] =
    [("/live/", Group::Liveness), ("/ready/", Group::Readiness), ("/startup/", Group::Startup)];

const CHECKS_AT_ROOT: [(&str, Group); 2] = [("/livez/", Group::Liveness), ("/readyz/", Group::Readiness)];

#[derive(Clone, Debug)]
pub(crate) struct Paths {
    base: Box<str>,
    aliases: bool,
    /// Live and ready alone.
    mirror: bool,
    config: bool,
    groups: Vec<(Box<str>, &'static str)>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { base: "/health".into(), aliases: true, mirror: false, config: false, groups: Vec::new() }
    }
}

impl Paths {
    pub(crate) fn set_base(&mut self, base: &str) -> Result<(), HealthError> {
        if !is_plain(base) {
            return Err(HealthError::BasePath { path: base.chars().take(128).collect() });
        }
        self.base = base.into();
        Ok(())
    }

    pub(crate) fn set_aliases(&mut self, aliases: bool) {
        self.aliases = aliases;
    }

    pub(crate) fn set_mirror(&mut self) {
        self.mirror = true;
    }

    pub(crate) fn set_config(&mut self) {
        self.config = true;
    }

    pub(crate) fn add_group(&mut self, group: &'static str, path: &str) -> Result<(), HealthError> {
        if !is_plain(path) || self.route(path).is_some() {
            return Err(HealthError::GroupPath { group, path: path.chars().take(128).collect() });
        }
        self.groups.push((path.into(), group));
        Ok(())
    }

    /// Every request of the host comes by here: a miss is a comparison with the base, one with each group's path,
    /// and one of lengths.
    pub(crate) fn route<'a>(&self, path: &'a str) -> Option<Route<'a>> {
        let under_base = path.strip_prefix(&*self.base);
        let probe = under_base
            .and_then(|rest| find(&UNDER_BASE, rest))
            .or_else(|| self.alias(path))
            .filter(|probe| !self.mirror || matches!(probe, Probe::Live | Probe::Ready));
        let route = probe.map(|probe| Route::Probe(probe.clone()));
        if self.mirror || route.is_some() {
            return route;
        }
        if self.config && path.strip_suffix('/').unwrap_or(path) == CONFIG {
            return Some(Route::Probe(Probe::Config));
        }
        let named = |(known, group): &(Box<str>, &'static str)| {
            let rest = path.strip_prefix(&**known)?;
            if rest.is_empty() || rest == "/" {
                return Some(Route::Probe(Probe::Group(group)));
            }
            check(&[("/", Group::Named(group))], rest)
        };
        self.groups
            .iter()
            .find_map(named)
            .or_else(|| under_base.and_then(|rest| check(&CHECKS_UNDER_BASE, rest)))
            .or_else(|| if self.aliases { check(&CHECKS_AT_ROOT, path) } else { None })
    }

    fn alias(&self, path: &str) -> Option<&'static Probe> {
        let may_be = self.aliases && path.len() <= "/startup/".len();
        if may_be { find(&AT_ROOT, path) } else { None }
    }

    /// The paths that lead to a probe, each without the slash that may stand at its end.
    #[cfg_attr(not(any(feature = "axum", test)), expect(dead_code, reason = "for routers"))]
    pub(crate) fn all(&self) -> Vec<String> {
        let under_base = UNDER_BASE.iter().map(|(rest, _)| format!("{}{rest}", self.base));
        let aliases = AT_ROOT.iter().map(|(path, _)| (*path).to_owned());
        let groups = self.groups.iter().map(|(path, _)| path.to_string());
        let mut all: Vec<_> = under_base
            .chain(aliases)
            .chain([CONFIG.to_owned()])
            .chain(groups)
            .filter(|path| self.route(path).is_some())
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// The beginnings of the paths of single checks, each with the slash at its end.
    #[cfg_attr(not(any(feature = "axum", test)), expect(dead_code, reason = "for routers"))]
    pub(crate) fn checks(&self) -> Vec<String> {
        let under_base = CHECKS_UNDER_BASE.iter().map(|(rest, _)| format!("{}{rest}", self.base));
        let aliases = CHECKS_AT_ROOT.iter().map(|(path, _)| (*path).to_owned());
        let groups = self.groups.iter().map(|(path, _)| format!("{path}/"));
        let leads_to_checks =
            |start: &String| matches!(self.route(&format!("{start}x")), Some(Route::Check(..)));
        let mut checks: Vec<_> = under_base.chain(aliases).chain(groups).filter(leads_to_checks).collect();
        checks.sort();
        checks.dedup();
        checks
    }
}

/// Absolute, made of ordinary characters, without an empty part.
fn is_plain(path: &str) -> bool {
    let ordinary = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
    let well_formed = path.starts_with('/') && !path.ends_with('/') && !path.contains("//");
    well_formed && path.len() <= 128 && path.chars().all(ordinary)
}

fn check<'a>(table: &[(&str, Group)], path: &'a str) -> Option<Route<'a>> {
    let (group, name) = table.iter().find_map(|(start, group)| Some((*group, path.strip_prefix(start)?)))?;
    let name = name.strip_suffix('/').unwrap_or(name);
    (!name.is_empty()).then_some(Route::Check(group, name))
}

fn find(table: &'static [(&str, Probe)], path: &str) -> Option<&'static Probe> {
    let path = path.strip_suffix('/').unwrap_or(path);
    table.iter().find(|(known, _)| *known == path).map(|(_, probe)| probe)
}

#[cfg(test)]
mod tests;
