//! The gRPC code is checked in, so that nobody needs a generator to build the crate. This test generates it
//! anew from `proto/health.proto`, in memory and without `protoc`, and compares.

use std::{env, fs, path::Path};

use prost_build::{Config, Module};

const OVERWRITE: &str = "BARTIZAN_OVERWRITE_GENERATED";

fn generated(proto: &Path) -> String {
    let descriptors = protox::compile(["health.proto"], [proto]).expect("health.proto is well formed");
    let requests =
        descriptors.file.into_iter().map(|file| (Module::from_protobuf_package_name(file.package()), file));
    let modules = Config::new()
        .btree_map(["."])
        .service_generator(tonic_prost_build::configure().build_transport(false).service_generator())
        .generate(requests.collect())
        .expect("code is generated");
    modules.into_values().collect()
}

#[test]
fn the_code_that_is_checked_in_is_what_the_proto_file_generates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, path) = (generated(&root.join("proto")), root.join("src/grpc/generated.rs"));
    if env::var_os(OVERWRITE).is_some() {
        fs::write(&path, &code).expect("the source tree can be written");
    }
    let checked_in = fs::read_to_string(&path).expect("the generated code is there");
    assert!(
        checked_in == code,
        "src/grpc/generated.rs is not what proto/health.proto generates: run this test once with {OVERWRITE}=1"
    );
}
