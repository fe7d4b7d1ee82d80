//! Connect by a connection string, as the portal and `az quantum workspace keys list` show it.
//!
//! `cargo run --example connection_string`; without `AZURE_QUANTUM_CONNECTION_STRING` it starts an emulator.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program prints, and reads its environment"
)]

use std::{error::Error, process::ExitCode};

use qws::Workspace;

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::by_key, run).await
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    // There is a key in it: take it from where you keep secrets, never from the source or the command line.
    let secret = std::env::var("AZURE_QUANTUM_CONNECTION_STRING")?;
    let workspace = Workspace::from_connection_string(&secret)?;

    println!("{}", workspace.address().resource_id());
    for target in workspace.targets().await? {
        println!("  {:<28} available: {}", target.id(), target.is_available());
    }
    Ok(())
}
