//! The generated code is checked in, so that a build needs neither `protoc` nor a build script. This keeps it current.

use std::path::Path;

/// Run with `UPDATE_GENERATED=1` to write it anew.
#[test]
fn the_generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = protox::compile(["echo.proto"], [root.join("proto")]).unwrap();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tonic_prost_build::configure().out_dir(out).compile_fds(files).unwrap();
    let generated = std::fs::read_to_string(out.join("demo.v1.rs")).unwrap();
    let checked_in = root.join("src/demo.v1.rs");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&checked_in, &generated).unwrap();
    }
    let current = std::fs::read_to_string(&checked_in).unwrap();
    assert!(
        current == generated,
        "src/demo.v1.rs is not what proto/echo.proto makes: run with UPDATE_GENERATED=1"
    );
}
