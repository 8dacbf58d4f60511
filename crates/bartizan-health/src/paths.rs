//! Which path asks for what.

use crate::HealthError;

/// What a request to one of the health paths asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Probe {
    /// `/health`: every check.
    Health,
    /// `/health/live`: does the process answer? No check is run.
    Live,
    /// `/health/ready`: may traffic come?
    Ready,
    /// `/health/startup`: have the startup checks passed once?
    Startup,
    /// `/health/detailed`: every check, with counts.
    Detailed,
    /// `/health/tools`: where to look next.
    Tools,
}

const UNDER_BASE: [(&str, Probe); 8] = [
    ("", Probe::Health),
    ("/live", Probe::Live),
    ("/liveness", Probe::Live),
    ("/ready", Probe::Ready),
    ("/readiness", Probe::Ready),
    ("/startup", Probe::Startup),
    ("/detailed", Probe::Detailed),
    ("/tools", Probe::Tools),
];

const AT_ROOT: [(&str, Probe); 4] = [
    ("/livez", Probe::Live),
    ("/readyz", Probe::Ready),
    ("/startup", Probe::Startup),
    ("/ready", Probe::Ready),
];

#[derive(Clone, Debug)]
pub(crate) struct Paths {
    base: Box<str>,
    aliases: bool,
}

impl Default for Paths {
    fn default() -> Self {
        Self { base: "/health".into(), aliases: true }
    }
}

impl Paths {
    pub(crate) fn set_base(&mut self, base: &str) -> Result<(), HealthError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
        let well_formed = base.starts_with('/') && !base.ends_with('/') && !base.contains("//");
        if !well_formed || base.len() > 128 || !base.chars().all(plain) {
            return Err(HealthError::BasePath { path: base.chars().take(128).collect() });
        }
        self.base = base.into();
        Ok(())
    }

    pub(crate) fn set_aliases(&mut self, aliases: bool) {
        self.aliases = aliases;
    }

    /// Every request of the host comes by here: a miss is one comparison with the base and one of lengths.
    pub(crate) fn probe(&self, path: &str) -> Option<Probe> {
        let under_base = path.strip_prefix(&*self.base).and_then(|rest| find(&UNDER_BASE, rest));
        let may_be_alias = self.aliases && path.len() <= "/startup/".len();
        under_base.or_else(|| if may_be_alias { find(&AT_ROOT, path) } else { None })
    }

    /// The paths that `probe` knows, each without the slash that may stand at its end.
    #[cfg_attr(not(any(feature = "axum", test)), expect(dead_code, reason = "for routers"))]
    pub(crate) fn all(&self) -> impl Iterator<Item = String> {
        let aliases = AT_ROOT.iter().filter(|(path, _)| self.aliases && **path != *self.base);
        UNDER_BASE
            .iter()
            .map(|(rest, _)| format!("{}{rest}", self.base))
            .chain(aliases.map(|(path, _)| (*path).into()))
    }
}

fn find(table: &[(&str, Probe)], path: &str) -> Option<Probe> {
    let path = path.strip_suffix('/').unwrap_or(path);
    table.iter().find(|(known, _)| *known == path).map(|(_, probe)| *probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_alias_is_known() {
        let paths = Paths::default();
        for (path, probe) in [
            ("/health", Probe::Health),
            ("/health/", Probe::Health),
            ("/health/live", Probe::Live),
            ("/health/liveness", Probe::Live),
            ("/livez", Probe::Live),
            ("/health/ready", Probe::Ready),
            ("/health/ready/", Probe::Ready),
            ("/health/readiness", Probe::Ready),
            ("/readyz", Probe::Ready),
            ("/ready", Probe::Ready),
            ("/ready/", Probe::Ready),
            ("/health/startup", Probe::Startup),
            ("/startup", Probe::Startup),
            ("/startup/", Probe::Startup),
            ("/health/detailed", Probe::Detailed),
            ("/health/tools", Probe::Tools),
        ] {
            assert_eq!(paths.probe(path), Some(probe), "{path}");
        }
    }

    #[test]
    fn other_paths_are_not_ours() {
        for path in [
            "",
            "/",
            "//",
            "/healthy",
            "/healthz",
            "/health//",
            "/health/live//",
            "/health/x",
            "/Health",
            "/live",
            "health",
        ] {
            assert_eq!(Paths::default().probe(path), None, "{path}");
        }
    }

    #[test]
    fn the_base_moves_and_the_aliases_can_go() {
        let mut paths = Paths::default();
        paths.set_base("/-/state").unwrap();
        assert_eq!(paths.probe("/-/state/live"), Some(Probe::Live));
        assert_eq!(paths.probe("/health"), None);
        assert_eq!(paths.probe("/livez"), Some(Probe::Live));
        paths.set_aliases(false);
        assert_eq!(paths.probe("/livez"), None);
    }

    #[test]
    fn a_base_that_is_an_alias_wins() {
        let mut paths = Paths::default();
        paths.set_base("/ready").unwrap();
        assert_eq!(paths.probe("/ready"), Some(Probe::Health));
        assert_eq!(paths.probe("/readyz"), Some(Probe::Ready));
        assert_eq!(paths.all().filter(|path| path == "/ready").count(), 1);
    }

    #[test]
    fn a_bad_base_is_refused() {
        for base in [
            "",
            "/",
            "health",
            "/health/",
            "/a//b",
            "/{id}",
            "/a b",
            "/ü",
            "/a?b",
            &format!("/{}", "x".repeat(128)),
        ] {
            assert!(Paths::default().set_base(base).is_err(), "{base}");
        }
    }

    #[test]
    fn the_list_and_the_lookup_agree() {
        let paths = Paths::default();
        assert_eq!(paths.all().count(), 12);
        assert!(paths.all().all(|path| paths.probe(&path).is_some()));
    }
}
