//! Replays what fuzzing has kept.

use std::fs;
use std::path::Path;

#[path = "../fuzz/checks.rs"]
mod checks;

#[test]
fn every_kept_input_holds() {
    type Check = fn(&[u8]);
    let checks: [(&str, Check); 8] = [
        ("json", checks::json),
        ("form", checks::form),
        ("query", checks::query),
        ("cookie", checks::cookie),
        ("multipart", checks::multipart),
        ("header", checks::header),
        ("text", checks::text),
        ("sql", checks::sql),
    ];
    for (name, check) in checks {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in fs::read_dir(corpus).expect("a corpus") {
            let input = fs::read(entry.expect("an entry").path()).expect("an input");
            check(&input);
            // Parts of what was found are as good.
            (0..input.len()).step_by(7).for_each(|end| check(input.get(..end).unwrap_or_default()));
            inputs += 1;
        }
        assert!(inputs > 0, "{name}");
    }
}
