//! Connect to the workspace that the surroundings name: environment variables, a profile, or the Azure CLI.
//!
//! `cargo run --example environment`; where the environment names no workspace it starts an emulator.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::{error::Error, process::ExitCode};

use qws::Workspace;

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::as_application, run).await
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    // Without a key in the environment, the first credential that is there signs in: `AZURE_CLIENT_ID` and its like,
    // a managed identity, or `az login`.
    let workspace = Workspace::connect().await?;

    println!("workspace  {}", workspace.address().resource_id());
    println!("endpoint   {}", workspace.address().endpoint());
    println!("targets    {}", workspace.targets().await?.len());
    println!("signed in  {}", workspace.credential().describe());
    Ok(())
}
