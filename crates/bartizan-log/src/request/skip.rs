//! Routes that are not worth a line.

const DEFAULT: [&str; 9] = [
    "/health",
    "/health/*",
    "/healthz",
    "/livez",
    "/readyz",
    "/ready",
    "/startup",
    "/metrics",
    "/grpc.health.v1.Health/*",
];

#[derive(Clone, Debug)]
pub(super) struct Skip(Vec<Pattern>);

#[derive(Clone, Debug)]
enum Pattern {
    Exactly(String),
    Prefix(String),
}

impl Skip {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn add(&mut self, routes: impl Iterator<Item = String>) {
        self.0.extend(routes.map(|route| match route.strip_suffix('*') {
            Some(prefix) => Pattern::Prefix(prefix.to_owned()),
            None => Pattern::Exactly(route),
        }));
    }

    pub(super) fn has(&self, route: &str, path: &str) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Exactly(wanted) => route == wanted || path == wanted,
            Pattern::Prefix(prefix) => route.starts_with(&**prefix) || path.starts_with(&**prefix),
        })
    }
}

impl Default for Skip {
    fn default() -> Self {
        let mut skip = Self::none();
        skip.add(DEFAULT.iter().copied().map(String::from));
        skip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_and_scrapes_are_skipped_and_their_neighbours_are_not() {
        let skip = Skip::default();
        for path in [
            "/health",
            "/health/live",
            "/healthz",
            "/livez",
            "/readyz",
            "/metrics",
            "/grpc.health.v1.Health/Check",
        ] {
            assert!(skip.has("unmatched", path) && skip.has(path, "/"), "{path}");
        }
        for path in ["/", "/healthcare/patients", "/metrics2", "/api/health", "/readyzz"] {
            assert!(!skip.has("unmatched", path), "{path}");
        }
    }

    #[test]
    fn own_routes_are_added_and_all_can_be_logged() {
        let mut skip = Skip::default();
        skip.add(["/internal/*".to_owned(), "/users/{id}".to_owned()].into_iter());
        assert!(skip.has("/users/{id}", "/users/7") && skip.has("unmatched", "/internal/x"));
        assert!(skip.has("/health", "/health"));
        assert!(!Skip::none().has("/health", "/health"));
    }
}
