//! The emulator over real sockets.
#![allow(missing_docs, reason = "tests")]
#![allow(unreachable_pub, reason = "the modules of a test binary")]

// `cfg(test)` holds anyway; it tells clippy that the helpers among the tests are test code too.
#[cfg(test)]
#[cfg(feature = "assertions")]
mod assertions;
#[cfg(test)]
mod client;
#[cfg(test)]
mod control;
#[cfg(test)]
mod entra;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[cfg(feature = "https")]
mod https;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod links;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod management;
#[cfg(test)]
mod many;
#[cfg(test)]
mod quotas;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod storage;

use std::time::Duration;

use qws_emulator::{Emulator, EmulatorBuilder};

/// The clock stands still; a job waits for a minute and executes for two.
fn still() -> EmulatorBuilder {
    Emulator::builder().manual_clock().seed(7).job_timing(Duration::from_mins(1), Duration::from_mins(2))
}

const ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const GHZ: &str = r#"{"qubits":3,"circuit":[{"gate":"h","target":0},{"gate":"cnot","control":0,"target":1},{"gate":"cnot","control":0,"target":2}]}"#;
