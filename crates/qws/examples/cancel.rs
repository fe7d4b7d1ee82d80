//! Stop a job that is no longer wanted, then remove it. Cancelling and deleting are two things.
//!
//! `cargo run --example cancel`; where the environment names no workspace it starts an emulator.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::{error::Error, process::ExitCode};

use qws::{Circuit, ErrorKind, JobStatus, Workspace};

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::by_key, run).await
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::connect().await?;
    let target = workspace.target("ionq.simulator").await?;
    let program = Circuit::new(2).h(0).cnot(0, 1).program()?;
    let mut job = target.submit(program).shots(100).send().await?;
    println!("job {}", job.id());

    // Cancelling asks; the job may end before the service gets to it.
    match job.cancel().await {
        Ok(()) => println!("asked to cancel"),
        Err(error) if error.kind() == ErrorKind::Conflict => println!("too late: it has ended"),
        Err(error) => return Err(error.into()),
    }
    job.wait().await?;
    match job.status() {
        Some(JobStatus::Cancelled) => println!("cancelled: it has no results"),
        Some(status) => println!("it ended otherwise: {status}"),
        None => println!("the service tells no state"),
    }

    let id = job.id().clone();
    job.delete().await?;
    let gone = workspace.job(&id).await.is_err_and(|error| error.is_not_found());
    println!("deleted: {gone}");
    Ok(())
}
