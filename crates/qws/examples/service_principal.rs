//! Connect as a service principal, from a build pipeline or a machine outside Azure.
//!
//! `cargo run --example service_principal` takes its values from the environment; where that names no workspace it
//! starts an emulator.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program prints, and reads its environment"
)]

use std::{env::var, error::Error, process::ExitCode, sync::Arc};

use qws::{Workspace, auth::ServicePrincipal};

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::as_application, run).await
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let tenant = var("AZURE_TENANT_ID")?.parse()?;
    let (client_id, secret) = (var("AZURE_CLIENT_ID")?, var("AZURE_CLIENT_SECRET")?);
    let credential = ServicePrincipal::with_secret(tenant, &client_id, secret)?;
    let workspace = Workspace::from_environment()
        .resource_id(&var("AZURE_QUANTUM_RESOURCE_ID")?)?
        .credential(Arc::new(credential))
        .connect()
        .await?;

    println!("endpoint   {}", workspace.address().endpoint());
    println!("targets    {}", workspace.targets().await?.len());
    println!("signed in  {}", workspace.credential().describe());
    Ok(())
}
