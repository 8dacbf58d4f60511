//! JSON trees, such as the details of a health check.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::edit::Escape;
use crate::{Masker, text};

/// The depth below which a tree is not followed but replaced.
const MAX_DEPTH: u32 = 128;

impl Masker {
    /// Masks a JSON tree in place; returns how many values were masked.
    ///
    /// What stands under a sensitive name, or where a path leads, is replaced by the censor as a whole, at any depth, arrays and
    /// objects included; only `null` and `""` stay, which hide nothing. All other strings, and names too,
    /// are masked as [`text`](Self::text). What is nested more than 128 levels deep is replaced.
    ///
    /// ```
    /// use serde_json::json;
    ///
    /// let mut details = json!({"db": {"url": "postgres://ada:x@db/orders", "tokens": [1, 2]}, "pool": 5});
    /// bartizan_mask::Masker::default().json_value(&mut details);
    /// let expected = json!({
    ///     "db": {"url": "postgres://REDACTED:REDACTED@db/orders", "tokens": "[REDACTED]"},
    ///     "pool": 5,
    /// });
    /// assert_eq!(details, expected);
    /// ```
    pub fn json_value(&self, value: &mut Value) -> usize {
        if self.paths().is_empty() && !self.names().hides_others() && self.actions().len() <= 1 {
            return self.json_to(value, MAX_DEPTH);
        }
        let before = self.masked_total();
        let masked = self.whole_json(value.to_string().as_bytes(), false);
        // What is nested too deep to be read again is hidden as a whole.
        *value =
            masked.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| self.censor().into());
        usize::try_from(self.masked_total() - before).unwrap_or(usize::MAX)
    }

    fn json_to(&self, value: &mut Value, depth: u32) -> usize {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => {
                let (masked, count) = self.edit_cow(text, Escape::Nothing, text::find);
                if let Cow::Owned(masked) = masked {
                    *text = masked;
                }
                count
            }
            Value::Array(_) | Value::Object(_) if depth == 0 => self.replace(value),
            Value::Array(items) => items.iter_mut().map(|item| self.json_to(item, depth - 1)).sum(),
            Value::Object(fields) => self.fields_to(fields, depth - 1),
        }
    }

    fn fields_to(&self, fields: &mut Map<String, Value>, depth: u32) -> usize {
        let mut count = 0;
        let mut renamed = Vec::new();
        for (name, value) in fields.iter_mut() {
            count += if self.is_sensitive(name) { self.replace(value) } else { self.json_to(value, depth) };
            // A check may name its parts by their URLs.
            if let (Cow::Owned(masked), found) = self.edit_cow(name, Escape::Nothing, text::find) {
                renamed.push((name.clone(), masked));
                count += found;
            }
        }
        for (name, masked) in renamed {
            if let Some(value) = fields.remove(&name) {
                fields.insert(masked, value);
            }
        }
        count
    }

    fn replace(&self, value: &mut Value) -> usize {
        match value {
            Value::Null => return 0,
            Value::String(text) if text.is_empty() || text == self.censor() => return 0,
            _ => *value = Value::String(self.censor().into()),
        }
        self.count(1);
        1
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Action, Masker};

    fn masked(mut value: Value) -> (Value, usize) {
        let count = Masker::default().json_value(&mut value);
        (value, count)
    }

    #[test]
    fn values_under_sensitive_names_are_replaced_whole_at_any_depth() {
        let (value, count) = masked(json!({
            "a": [{"b": {"apiKey": {"id": 1, "of": ["x"]}, "pin": 1234, "user_password": "x"}}],
            "token": true,
            "token_count": 3,
        }));
        let r = "[REDACTED]";
        let expected =
            json!({"a": [{"b": {"apiKey": r, "pin": r, "user_password": r}}], "token": r, "token_count": 3});
        assert_eq!((value, count), (expected, 4));
    }

    #[test]
    fn what_is_empty_or_masked_already_stays() {
        let value = json!({"password": null, "secret": "", "token": "[REDACTED]"});
        assert_eq!(masked(value.clone()), (value, 0));
    }

    #[test]
    fn strings_and_names_are_masked_as_text() {
        let value = json!({"redis://:hunter2@cache": "up", "error": "bad dsn password=hunter2 port=1"});
        let expected =
            json!({"redis://REDACTED:REDACTED@cache": "up", "error": "bad dsn password=[REDACTED] port=1"});
        assert_eq!(masked(value), (expected, 2));
    }

    #[test]
    fn paths_and_actions_hold_for_trees_too() {
        let builder = Masker::builder().path_as("a[*].b", Action::Remove).name_as("iban", Action::KeepLast4);
        let masker = builder.build().unwrap();
        let mut value =
            json!({"a": [{"b": 1, "c": 2}], "b": 3, "iban": "DE89370400440532013000", "x": 1e300});
        assert_eq!(masker.json_value(&mut value), 2);
        assert_eq!(value, json!({"a": [{"c": 2}], "b": 3, "iban": "[REDACTED]3000", "x": 1e300}));
        let mut deep = (0..1000).fold(json!(1), |inner, _| json!([inner]));
        masker.json_value(&mut deep);
        assert_eq!(deep, json!("[REDACTED]"));
    }

    #[test]
    fn a_tree_deeper_than_the_limit_is_cut() {
        let nest = |depth| (0..depth).fold(json!("password=hunter2"), |inner, _| json!([inner]));
        for depth in [127, 128, 129, 1000] {
            let (value, count) = masked(nest(depth));
            assert_eq!(count, 1);
            assert!(!value.to_string().contains("hunter2"), "{depth}");
            let kept = value.to_string().starts_with(&"[".repeat(depth.min(128)));
            assert!(kept, "{depth}");
        }
    }
}
