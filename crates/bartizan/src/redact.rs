//! The masker as what health checks say is taken through.

use std::borrow::Cow;

use bartizan_health::Redactor;
use bartizan_mask::Masker;
use serde_json::Value;

pub(crate) struct Masked(pub(crate) Masker);

impl Redactor for Masked {
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.text_cow(text)
    }

    fn details(&self, details: &mut Value) {
        self.0.json_value(details);
    }
}
