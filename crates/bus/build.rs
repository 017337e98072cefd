//! Compiles the bus messages in `proto/` without needing `protoc`.

use std::error::Error;

const ROOT: &str = "../../proto";
const TELEMETRY: &str = "../../proto/ovt/telemetry/v1/telemetry.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={ROOT}");
    let descriptors = protox::compile([TELEMETRY], [ROOT])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
