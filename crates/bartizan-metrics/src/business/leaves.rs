//! The numbers of a JSON object as gauges.

use std::collections::HashMap;

use metrics::{Counter, Gauge, Key, Level, Metadata, Recorder};
use serde_json::Value;

use crate::store::Store;

/// Gauges of one collector.
const MAX_LEAVES: usize = 100;

/// How deep numbers are looked for.
const MAX_DEPTH: usize = 8;

/// Longest name of a gauge, in bytes.
const MAX_NAME: usize = 200;

const DROPPED: &str = "bartizan_business_values_dropped_total";
const META: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// The gauges of one collector; a gauge once made is kept.
pub(super) struct Leaves {
    prefix: String,
    store: Option<Store>,
    dropped: Counter,
    gauges: HashMap<String, (Gauge, bool)>,
}

impl Leaves {
    pub(super) fn new(collector: &str, store: Option<&Store>) -> Self {
        let dropped = store.map_or_else(Counter::noop, |store| {
            store.describe_counter(DROPPED.into(), None, "Business numbers that got no gauge.".into());
            store.register_counter(&Key::from_static_name(DROPPED), &META)
        });
        Self {
            prefix: format!("business_{collector}"),
            store: store.cloned(),
            dropped,
            gauges: HashMap::new(),
        }
    }

    /// Shows the numbers of an object, and `NaN` where there is none any more; all are `NaN` without an object.
    pub(super) fn show(&mut self, object: Option<&Value>) {
        for (_, seen) in self.gauges.values_mut() {
            *seen = false;
        }
        if let (Some(object), Some(store)) = (object, self.store.clone()) {
            let mut name = self.prefix.clone();
            self.walk(&store, object, &mut name, MAX_DEPTH);
        }
        for (gauge, seen) in self.gauges.values() {
            if !seen {
                gauge.set(f64::NAN);
            }
        }
    }

    fn walk(&mut self, store: &Store, value: &Value, name: &mut String, depth: usize) {
        match value {
            Value::Object(members) if depth > 0 => {
                for (key, value) in members {
                    let length = name.len();
                    name.push('_');
                    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                    // A key may be as long as the object.
                    name.extend(key.chars().take(MAX_NAME).map(plain));
                    self.walk(store, value, name, depth - 1);
                    name.truncate(length);
                }
            }
            Value::Object(_) => self.dropped.increment(1),
            Value::Number(number) => self.set(store, name, number.as_f64().unwrap_or(f64::NAN)),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => {}
        }
    }

    fn set(&mut self, store: &Store, name: &str, value: f64) {
        if let Some((gauge, seen)) = self.gauges.get_mut(name) {
            // Two keys may become one name: the first counts.
            if *seen {
                self.dropped.increment(1);
            } else {
                gauge.set(value);
                *seen = true;
            }
            return;
        }
        if self.gauges.len() >= MAX_LEAVES || name.len() > MAX_NAME {
            self.dropped.increment(1);
            return;
        }
        let key = name.to_owned();
        store.describe_gauge(key.clone().into(), None, "A business metric.".into());
        let gauge = store.register_gauge(&Key::from_name(key.clone()), &META);
        gauge.set(value);
        self.gauges.insert(key, (gauge, true));
    }
}
