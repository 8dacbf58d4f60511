//! Which of the values of a document are hidden: by name, by path, and by not being allowed.

use super::path::{Places, Rule, Step};
use crate::Masker;
use crate::names::Hide;

/// The deepest level at which paths are followed; deeper ones are hidden where there are paths.
pub(super) const MAX_PATH_DEPTH: usize = 1024;

/// Where in the document we are.
pub(super) struct Place {
    /// Whether names alone decide, so that there is nothing to remember.
    by_name: bool,
    levels: Vec<Level>,
    /// The level that the next value opens, if it does.
    next: Places,
    /// The depth of the allowed value that we are in.
    shown: Option<usize>,
}

struct Level {
    places: Places,
    item: usize,
}

impl Place {
    pub(super) fn new(masker: &Masker) -> Self {
        let by_name = masker.paths().is_empty() && !masker.names().hides_others();
        Self { by_name, levels: Vec::new(), next: masker.paths().root(), shown: None }
    }

    /// How the value under this name is hidden, if it is. A `plain` name has no escapes and brackets.
    #[inline]
    pub(super) fn name(&mut self, masker: &Masker, name: &[u8], plain: bool) -> Option<Hide> {
        let names = masker.names();
        let hide = if plain { names.hides_plain(name) } else { names.hides(name) };
        if self.by_name { hide } else { self.step(masker, Step::Name(name), hide) }
    }

    /// How the next item of an array is hidden, if it is.
    #[inline]
    pub(super) fn item(&mut self, masker: &Masker) -> Option<Hide> {
        if self.by_name {
            return None;
        }
        let level = self.levels.last_mut();
        let item = level.map_or(0, |level| {
            level.item += 1;
            level.item - 1
        });
        let hide = masker.names().hides_others().then_some(Hide::OTHERS);
        self.step(masker, Step::Item(item), hide)
    }

    /// How the document itself is hidden, if it is no object or array.
    pub(super) fn root(&mut self, masker: &Masker) -> Option<Hide> {
        (self.levels, self.shown, self.next) = (Vec::new(), None, masker.paths().root());
        masker.names().hides_others().then_some(Hide::OTHERS)
    }

    fn step(&mut self, masker: &Masker, step: Step<'_>, hide: Option<Hide>) -> Option<Hide> {
        let from = self.levels.last().map(|level| level.places).unwrap_or_default();
        let (next, rule) = masker.paths().step(from, step);
        self.next = next;
        match rule {
            Some(Rule::Hide(hide)) => Some(hide),
            Some(Rule::Show) => None,
            None if self.shown.is_some() => hide.filter(|hide| *hide != Hide::OTHERS),
            None => hide,
        }
    }

    /// Opens the value that was judged last, an object or an array at this depth, and says how it is hidden as
    /// a whole, if it is.
    #[inline]
    pub(super) fn open(&mut self, depth: usize, hide: Option<Hide>) -> Option<Hide> {
        if self.by_name {
            return hide;
        }
        if hide.is_none() && depth > 0 {
            self.shown = self.shown.or(Some(depth));
        }
        let hide = hide.filter(|hide| *hide != Hide::OTHERS);
        if self.levels.len() == MAX_PATH_DEPTH {
            return hide.or(Some(Hide::default()));
        }
        self.levels.push(Level { places: self.next, item: 0 });
        hide
    }

    /// Closes the object or array at this depth.
    #[inline]
    pub(super) fn close(&mut self, depth: usize) {
        if !self.by_name {
            self.levels.truncate(depth);
            self.shown = self.shown.filter(|shown| *shown < depth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MAX_PATH_DEPTH;
    use crate::{JsonEnd, Masker, MaskerBuilder};

    #[track_caller]
    fn assert_masked(builder: MaskerBuilder, text: &str, expected: &str) {
        let masker = builder.censor("***").build().unwrap();
        for size in [1, 3, text.len()] {
            let (mut json, mut out) = (masker.json(), Vec::new());
            text.as_bytes().chunks(size).for_each(|chunk| json.push(chunk, &mut out));
            assert_eq!(json.finish(false, &mut out), JsonEnd::Complete);
            assert_eq!(str::from_utf8(&out).unwrap(), expected);
        }
    }

    #[test]
    fn a_path_hides_what_it_leads_to_and_nothing_beside_it() {
        let text = r#"{"user":{"cards":[{"number":1,"name":"a"},{"number":2}],"number":3},"cards":[{"number":4}],"n":[[5,6],[7]]}"#;
        for (path, expected) in [
            (
                "user.cards[*].number",
                r#"{"user":{"cards":[{"number":"***","name":"a"},{"number":"***"}],"number":3},"cards":[{"number":4}],"n":[[5,6],[7]]}"#,
            ),
            (
                "$.user.cards[1].Num_ber",
                r#"{"user":{"cards":[{"number":1,"name":"a"},{"number":"***"}],"number":3},"cards":[{"number":4}],"n":[[5,6],[7]]}"#,
            ),
            (
                "**.number",
                r#"{"user":{"cards":[{"number":"***","name":"a"},{"number":"***"}],"number":"***"},"cards":[{"number":"***"}],"n":[[5,6],[7]]}"#,
            ),
            (
                "user.**.number",
                r#"{"user":{"cards":[{"number":"***","name":"a"},{"number":"***"}],"number":"***"},"cards":[{"number":4}],"n":[[5,6],[7]]}"#,
            ),
            ("*.cards", r#"{"user":{"cards":"***","number":3},"cards":[{"number":4}],"n":[[5,6],[7]]}"#),
            (
                "*.*[*].*",
                r#"{"user":{"cards":[{"number":"***","name":"***"},{"number":"***"}],"number":3},"cards":[{"number":4}],"n":[[5,6],[7]]}"#,
            ),
            (
                "n[*][0]",
                r#"{"user":{"cards":[{"number":1,"name":"a"},{"number":2}],"number":3},"cards":[{"number":4}],"n":[["***",6],["***"]]}"#,
            ),
            (
                "[\"user\"][\"cards\"]",
                r#"{"user":{"cards":"***","number":3},"cards":[{"number":4}],"n":[[5,6],[7]]}"#,
            ),
            ("user.cards.number", text),
            ("number", text),
            ("user.name", text),
        ] {
            assert_masked(Masker::builder().path(path), text, expected);
        }
        assert_masked(
            Masker::builder().path("[*].a"),
            r#"[{"a":1},{"b":{"a":2}}]"#,
            r#"[{"a":"***"},{"b":{"a":2}}]"#,
        );
    }

    #[test]
    fn a_path_shows_what_a_name_would_hide() {
        assert_masked(
            Masker::builder().allow_path("meta.token").path("meta.raw"),
            r#"{"token":1,"meta":{"token":{"a":2,"pin":3},"raw":{}}}"#,
            r#"{"token":"***","meta":{"token":{"a":2,"pin":"***"},"raw":"***"}}"#,
        );
    }

    #[test]
    fn show_only_hides_all_values_but_those_that_are_allowed() {
        let builder = Masker::builder().show_only(["id"]).allow_path("items[*].name").allow_path("a.b");
        assert_masked(
            builder.clone(),
            r#"{"id":{"x":[1],"pin":2},"items":[{"name":"a","y":true},"z",null],"a":{"b":[1],"c":2},"d":[[3]]}"#,
            r#"{"id":{"x":[1],"pin":"***"},"items":[{"name":"a","y":"***"},"***",null],"a":{"b":[1],"c":"***"},"d":[["***"]]}"#,
        );
        assert_masked(builder.clone(), "1", "\"***\"");
        assert_masked(builder.clone(), "[{\"id\":[1]},2]", "[{\"id\":[1]},\"***\"]");
        let masker = builder.build().unwrap();
        assert_eq!(masker.query_cow("id=1&q=2&pin=3"), "id=1&q=[REDACTED]&pin=[REDACTED]");
        assert_eq!(masker.path_cow("/a/1/2", "/a/{id}/{to}"), "/a/1/[REDACTED]");
        assert!(masker.is_sensitive("q") && !masker.is_sensitive("order.id"));
    }

    #[test]
    fn what_is_deeper_than_paths_are_followed_is_hidden() {
        for depth in [10, MAX_PATH_DEPTH - 1, MAX_PATH_DEPTH, 10_000] {
            let text = format!("{}{{\"x\":1}}{}", "[".repeat(depth), "]".repeat(depth));
            let shown = depth.min(MAX_PATH_DEPTH);
            let inside = if depth < MAX_PATH_DEPTH { "{\"x\":\"***\"}" } else { "\"***\"" };
            let expected = format!("{}{inside}{}", "[".repeat(shown), "]".repeat(shown));
            assert_masked(Masker::builder().path("**.x"), &text, &expected);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "$", "**", "a..b", ".a", "a.", "a[", "a[x]", "a[-1]", "a]", "a[0]b", "[\"a]", "a*"] {
            assert!(Masker::builder().path(path).build().is_err(), "{path}");
        }
        assert!(Masker::builder().path("a.".repeat(126) + "a").build().is_ok());
        assert!(Masker::builder().path("a.".repeat(127) + "a").build().is_err());
        assert!(Masker::builder().path("a.".repeat(64) + "a").path("a.".repeat(64) + "a").build().is_err());
    }
}
