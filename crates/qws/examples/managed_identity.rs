//! Connect from a machine or an app in Azure, as its managed identity: no key to keep, nothing to renew.
//!
//! `cargo run --example managed_identity` takes the resource id from `AZURE_QUANTUM_RESOURCE_ID`; where the environment
//! names no workspace it starts an emulator.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program prints, and reads its environment"
)]

use std::{error::Error, process::ExitCode, sync::Arc};

use qws::{Workspace, auth::ManagedIdentity};

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::on_a_machine, run).await
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let resource_id = std::env::var("AZURE_QUANTUM_RESOURCE_ID")?;
    // Of several identities, name one: `ManagedIdentity::by_client_id("…")?`.
    let identity = ManagedIdentity::system();
    let workspace = Workspace::from_environment()
        .resource_id(&resource_id)?
        .credential(Arc::new(identity))
        .connect() // asks the Resource Manager for the endpoint
        .await?;

    println!("endpoint   {}", workspace.address().endpoint());
    println!("targets    {}", workspace.targets().await?.len());
    println!("signed in  {}", workspace.credential().describe());
    Ok(())
}
