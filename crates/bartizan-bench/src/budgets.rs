//! `budgets.toml`: what each stack may cost.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a request may cost over the bare router.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Heap allocations of the thread that serves.
    pub allocations: u64,
    /// Instructions of the thread that serves.
    pub instructions: u64,
}

/// One line of the file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What holds now.
    pub budget: Cost,
    /// What is aimed at.
    pub target: Option<Cost>,
}

/// The whole file, by the names of stacks.
pub fn read() -> BTreeMap<String, Budget> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/budgets.toml")).unwrap();
    toml::from_str(&text).unwrap()
}
