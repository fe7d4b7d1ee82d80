//! Submit in one process, finish in another: the id is enough.
//!
//! `cargo run --example pick_up` submits, then starts itself anew with the id. `cargo run --example pick_up -- ID` picks
//! up any job of the workspace. Where the environment names no workspace it starts an emulator.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
};

use qws::{Circuit, JobId, Workspace};

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::by_key, run).await
}

async fn run() -> Result<(), Box<dyn Error>> {
    if let Some(id) = env::args().nth(1) {
        return pick_up(&id).await;
    }
    let id = submit().await?;
    let picked_up = Command::new(env::current_exe()?).arg(id.as_str()).status()?;
    if picked_up.success() { Ok(()) } else { Err("the second process failed".into()) }
}

/// What the first process does, which may end at any time after the id is written down.
pub(crate) async fn submit() -> Result<JobId, Box<dyn Error>> {
    let workspace = Workspace::connect().await?;
    let target = workspace.target("ionq.simulator").await?;
    let submission = target.submit(Circuit::new(2).h(0).cnot(0, 1).program()?).shots(100);
    println!("job {}", submission.id());
    Ok(submission.send().await?.id().clone())
}

/// What the second process does, in an hour or in a week.
pub(crate) async fn pick_up(id: &str) -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::connect().await?;
    let mut job = workspace.job(&id.parse()?).await?;
    job.wait().await?;
    println!("{}", job.results().await?.histogram()?);
    Ok(())
}
