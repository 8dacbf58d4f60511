//! Which rules hold on which route.

use crate::Masker;

/// The rules of some routes.
pub(crate) struct Policy {
    /// A template, or all that a template has to begin with.
    route: Box<str>,
    as_prefix: bool,
    masker: Masker,
}

impl Policy {
    pub(crate) fn new(route: &str, masker: Masker) -> Self {
        // `/pay/{*rest}` stands for all templates below `/pay/`.
        let prefix = route.rsplit_once('/').filter(|(_, last)| last.starts_with("{*") && last.ends_with('}'));
        let (route, as_prefix) = match prefix {
            Some((prefix, _)) => (format!("{prefix}/").into(), true),
            None => (route.into(), false),
        };
        Self { route, as_prefix, masker }
    }

    fn fits(&self, route: &str) -> bool {
        if self.as_prefix { route.starts_with(&*self.route) } else { *self.route == *route }
    }
}

impl Masker {
    /// The masker for a route, by its template: the one of the longest pattern that
    /// [`route`](crate::MaskerBuilder::route) was given for it, else this one.
    ///
    /// ```
    /// use bartizan_mask::Masker;
    ///
    /// let masker = Masker::builder().route("/pay/{*rest}", |policy| policy.show_only(["amount"])).build()?;
    /// let pay = masker.for_route("/pay/{id}/confirm");
    /// assert_eq!(pay.query_cow("amount=5&note=x"), "amount=5&note=[REDACTED]");
    /// assert_eq!(masker.for_route("/orders/{id}").query_cow("note=x"), "note=x");
    /// assert_eq!(masker.masked_total(), 1, "they count together");
    /// # Ok::<(), bartizan_mask::MaskError>(())
    /// ```
    #[inline]
    pub fn for_route(&self, route: &str) -> &Self {
        if self.policies().is_empty() { self } else { self.policy_for(route) }
    }

    /// Whether it depends on the [route](Self::for_route) what is masked.
    ///
    /// ```
    /// assert!(!bartizan_mask::Masker::default().has_policies());
    /// ```
    #[inline]
    pub fn has_policies(&self) -> bool {
        !self.policies().is_empty()
    }

    fn policy_for(&self, route: &str) -> &Self {
        let fitting = self.policies().iter().filter(|policy| policy.fits(route));
        // Of two of the same length, the one that is no prefix is the narrower one.
        let longest = fitting.max_by_key(|policy| (policy.route.len(), !policy.as_prefix));
        longest.map_or(self, |policy| &policy.masker)
    }
}

#[cfg(test)]
mod tests {
    use crate::Masker;

    #[test]
    fn the_longest_pattern_decides() {
        let masker = Masker::builder()
            .name("a")
            .route("/{*rest}", |policy| policy.name("b"))
            .route("/pay/{*rest}", |policy| policy.name("c"))
            .route("/pay/{id}", |policy| policy.name("d").censor("***"))
            .build()
            .unwrap();
        for (route, expected) in [
            ("/x", "a=[REDACTED]&b=[REDACTED]&c=1&d=1"),
            ("/pay/{id}/x", "a=[REDACTED]&b=1&c=[REDACTED]&d=1"),
            ("/pay/{id}", "a=***&b=1&c=1&d=***"),
            ("x", "a=[REDACTED]&b=1&c=1&d=1"),
        ] {
            assert_eq!(masker.for_route(route).query_cow("a=1&b=1&c=1&d=1"), expected, "{route}");
        }
        assert_eq!(masker.masked_total(), 7);
        assert!(Masker::builder().route("/", |policy| policy.name("")).build().is_err());
    }
}
