//! Headers that list what a client accepts, with weights.

use http::HeaderValue;

/// One member of a comma-separated list with weights.
pub(super) struct Item<'a> {
    pub(super) name: &'a str,
    parameters: &'a str,
    /// The `q` parameter in thousandths.
    pub(super) weight: u16,
}

impl<'a> Item<'a> {
    /// `None` if the weight is not one: then nobody knows what is meant.
    fn parse(text: &'a str) -> Option<Self> {
        let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
        let mut item = Self { name: name.trim(), parameters, weight: 1000 };
        if let Some(q) = item.parameter("q") {
            item.weight = weight(q)?;
        }
        (!item.name.is_empty()).then_some(item)
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn parameter(&self, wanted: &str) -> Option<&'a str> {
        let mut parameters = self.parameters.split(';').filter_map(|parameter| parameter.split_once('='));
        parameters
            .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().trim_matches('"'))
    }
}

/// The members of all lines of a header; what cannot be read is left out.
pub(super) fn items<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> impl Iterator<Item = Item<'a>> {
    values
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Item::parse)
}

/// `0` to `1` with at most three decimals, in thousandths.
fn weight(q: &str) -> Option<u16> {
    let (whole, decimals) = q.split_once('.').unwrap_or((q, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_a_number_from_0_to_1() {
        for (q, thousandths) in
            [("0", 0), ("1", 1000), ("0.5", 500), ("0.001", 1), ("1.000", 1000), ("0.", 0), ("1.", 1000)]
        {
            assert_eq!(weight(q), Some(thousandths), "{q}");
        }
        for q in ["2", "-1", "1.1", "0.1234", "0.5.5", "1.001", "", ".", "0x1", "high"] {
            assert_eq!(weight(q), None, "{q}");
        }
    }

    #[test]
    fn names_and_parameters_are_read_whatever_their_case() {
        let value = HeaderValue::from_static("A/B; Version=\"1.0.0\" ;Q=0.2, , c");
        let items: Vec<_> = items(Some(&value)).collect();
        assert_eq!(items.len(), 2);
        assert!(items[0].is("a/b") && items[0].parameter("version") == Some("1.0.0"));
        assert_eq!((items[0].weight, items[1].weight), (200, 1000));
    }
}
