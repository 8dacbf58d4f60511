//! Routes that are not worth a line.

const DEFAULT: [&str; 12] = [
    "/health",
    "/health/*",
    "/healthz",
    "/livez",
    "/livez/*",
    "/readyz",
    "/readyz/*",
    "/ready",
    "/startup",
    "/metrics",
    "/metrics/business",
    "/grpc.health.v1.Health/*",
];

#[derive(Clone, Debug)]
pub(super) struct Skip {
    patterns: Vec<Pattern>,
    /// A bit for each byte, shared by some, that the second one of a skipped route may be: most routes have another.
    seconds: u64,
}

#[derive(Clone, Debug)]
enum Pattern {
    Exactly(String),
    Prefix(String),
}

impl Skip {
    pub(super) fn none() -> Self {
        Self { patterns: Vec::new(), seconds: 0 }
    }

    pub(super) fn add(&mut self, routes: impl Iterator<Item = String>) {
        for route in routes {
            let pattern = match route.strip_suffix('*') {
                Some(prefix) => Pattern::Prefix(prefix.to_owned()),
                None => Pattern::Exactly(route),
            };
            self.seconds |= match &pattern {
                Pattern::Prefix(prefix) if prefix.len() < 2 => u64::MAX,
                Pattern::Prefix(route) | Pattern::Exactly(route) => second(route),
            };
            self.patterns.push(pattern);
        }
    }

    pub(super) fn has(&self, route: &str, path: &str) -> bool {
        let is_near = self.seconds & (second(route) | second(path)) != 0;
        is_near
            && self.patterns.iter().any(|pattern| match pattern {
                Pattern::Exactly(wanted) => route == wanted || path == wanted,
                Pattern::Prefix(prefix) => route.starts_with(&**prefix) || path.starts_with(&**prefix),
            })
    }
}

fn second(route: &str) -> u64 {
    1 << (route.as_bytes().get(1).copied().unwrap_or_default() % 64)
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
            "/livez/loop",
            "/readyz",
            "/readyz/database",
            "/metrics",
            "/metrics/business",
            "/grpc.health.v1.Health/Check",
        ] {
            assert!(skip.has("unmatched", path) && skip.has(path, "/"), "{path}");
        }
        for path in ["/", "/healthcare/patients", "/metrics2", "/metrics/mine", "/api/health", "/readyzz"] {
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
        for short in ["*", "/*", "/", ""] {
            let mut skip = Skip::none();
            skip.add(std::iter::once(short.to_owned()));
            assert_eq!(skip.has("/users", "/users"), short.ends_with('*'), "{short}");
            assert!(skip.has(short.trim_end_matches('*'), "/x"), "{short}");
        }
    }
}
