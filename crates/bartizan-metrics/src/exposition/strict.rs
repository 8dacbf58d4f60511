//! A strict reader of both formats, for tests: it panics at whatever a careful scraper refuses.

use std::collections::HashSet;

use super::Format;

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) help: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
    pub(crate) exemplar: Option<(Vec<(String, String)>, f64)>,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a page.
pub(crate) fn read(page: &[u8], format: Format) -> Vec<Family> {
    let open_metrics = format == Format::OpenMetrics1;
    let text = std::str::from_utf8(page).expect("UTF-8");
    let text = if open_metrics { text.strip_suffix("# EOF\n").expect("# EOF at the end") } else { text };
    let mut families: Vec<Family> = Vec::new();
    for line in text.strip_suffix('\n').expect("a line end at the end").split('\n') {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (word, name, rest) =
                (words.next().unwrap(), words.next().expect("a name"), words.next().expect("text"));
            assert!(is_name(name, true), "{line}");
            if families.last().is_none_or(|family| family.name != name) {
                assert!(families.iter().all(|family| family.name != name), "{name} comes twice");
                families.push(Family {
                    name: name.into(),
                    kind: String::new(),
                    help: None,
                    unit: None,
                    samples: vec![],
                });
            }
            let family = families.last_mut().unwrap();
            assert!(family.samples.is_empty(), "{word} after samples of {name}");
            match word {
                "TYPE" => family.kind = once(&family.kind, rest),
                "HELP" => {
                    let help = help(rest, open_metrics);
                    family.help = Some(once(family.help.as_deref().unwrap_or(""), &help));
                }
                "UNIT" if open_metrics => {
                    assert!(name.ends_with(&format!("_{rest}")), "{name} does not end in {rest}");
                    family.unit = Some(once(family.unit.as_deref().unwrap_or(""), rest));
                }
                _ => panic!("unknown comment {line}"),
            }
        } else {
            let sample = sample(line, open_metrics);
            let family = families.last_mut().expect("TYPE before samples");
            let suffix = sample.name.strip_prefix(&family.name).expect("samples of this family");
            let good = match (family.kind.as_str(), open_metrics) {
                ("counter", true) => suffix == "_total",
                ("counter", false) | ("gauge", _) | ("unknown", true) => suffix.is_empty(),
                ("histogram", _) => ["_bucket", "_sum", "_count"].contains(&suffix),
                ("summary", _) => ["", "_sum", "_count"].contains(&suffix),
                (kind, _) => panic!("unknown type {kind:?}"),
            };
            assert!(good, "{line} in a {}", family.kind);
            assert!(sample.exemplar.is_none() || suffix == "_bucket");
            family.samples.push(sample);
        }
    }
    check(&families);
    families
}

fn once(old: &str, new: &str) -> String {
    assert!(old.is_empty(), "{new} comes twice");
    new.to_owned()
}

fn check(families: &[Family]) {
    let mut seen = HashSet::new();
    for sample in families.iter().flat_map(|family| &family.samples) {
        let mut labels = sample.labels.clone();
        labels.sort();
        assert!(seen.insert((sample.name.clone(), labels)), "{sample:?} comes twice");
    }
    for family in families {
        assert!(!family.samples.is_empty(), "{} has no samples", family.name);
        if family.kind == "histogram" {
            let with = |suffix: &str| {
                let name = format!("{}{suffix}", family.name);
                family.samples.iter().filter(move |sample| sample.name == name)
            };
            let (mut last, mut counts) = ((f64::INFINITY, 0.0), with("_count"));
            for bucket in with("_bucket") {
                let le = number(bucket.label("le").expect("le"));
                let first = last.0 == f64::INFINITY;
                assert!(first || le > last.0, "le out of order in {}", family.name);
                assert!(first || bucket.value >= last.1, "{} is not cumulative", family.name);
                if let Some((_, value)) = bucket.exemplar {
                    assert!(value <= le && (first || value > last.0), "exemplar outside its bucket");
                }
                last = (le, bucket.value);
                if le == f64::INFINITY {
                    let count = counts.next().map_or(last.1, |count| count.value);
                    assert!((count - last.1).abs() < 0.5, "count is not +Inf in {}", family.name);
                }
            }
            assert!(last.0 == f64::INFINITY && counts.next().is_none());
        } else if family.kind == "counter" {
            assert!(family.samples.iter().all(|sample| sample.value >= 0.0));
        }
    }
}

fn sample(line: &str, open_metrics: bool) -> Sample {
    let end = line.find(['{', ' ']).expect("a value");
    let (name, rest) = line.split_at(end);
    assert!(is_name(name, true), "{line}");
    let (labels, rest) = labels(rest);
    let rest = rest.strip_prefix(' ').expect("one space before the value");
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, exemplar)) => {
            assert!(open_metrics, "an exemplar in text");
            let (labels, rest) = self::labels(exemplar);
            assert!(labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= 128);
            let mut numbers = rest.strip_prefix(' ').expect("one space").split(' ').map(number);
            let exemplar = (labels, numbers.next().unwrap());
            assert!(numbers.next().expect("a timestamp") > 1.0e9 && numbers.next().is_none());
            (value, Some(exemplar))
        }
        None => (rest, None),
    };
    Sample { name: name.into(), labels, value: number(value), exemplar }
}

fn labels(text: &str) -> (Vec<(String, String)>, &str) {
    let mut labels: Vec<(String, String)> = Vec::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label");
        assert!(is_name(name, false), "label name {name:?}");
        assert!(labels.iter().all(|(other, _)| other != name), "label {name} comes twice");
        let (mut value, mut chars) = (String::new(), after.chars());
        loop {
            match chars.next().expect("a closing quote") {
                '"' => break,
                '\\' => value.push(match chars.next() {
                    Some('n') => '\n',
                    Some(c @ ('\\' | '"')) => c,
                    other => panic!("bad escape {other:?}"),
                }),
                c => value.push(c),
            }
        }
        labels.push((name.into(), value));
        match chars.next() {
            Some(',') => rest = chars.as_str(),
            Some('}') => return (labels, chars.as_str()),
            other => panic!("{other:?} after a label"),
        }
    }
}

fn help(text: &str, open_metrics: bool) -> String {
    let (mut help, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        help.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('\\') => '\\',
                Some('"') if open_metrics => '"',
                other => panic!("bad escape {other:?}"),
            },
            '"' if open_metrics => panic!("a bare quote"),
            c => c,
        });
    }
    help
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => {
            let good = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e'));
            assert!(good, "number {text:?}");
            text.parse().unwrap_or_else(|_| panic!("number {text:?}"))
        }
    }
}

fn is_name(name: &str, colons: bool) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || colons && c == ':';
    !name.is_empty()
        && name.chars().all(good)
        && !name.as_bytes()[0].is_ascii_digit()
        && (colons || !name.starts_with("__"))
}
