//! Files beside a job: put notes or data into its container, and read them back.
//!
//! `cargo run --example attachments`; where the environment names no workspace it starts an emulator.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::{error::Error, process::ExitCode};

use qws::{Circuit, Workspace};

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

    let notes = "calibration of the morning, second attempt";
    job.attachments().upload("notes.txt", notes, "text/plain", false).await?;
    // A file of that name with other content is kept, unless the last argument says to overwrite it.
    job.attachments().upload("notes.txt", format!("{notes}: good"), "text/plain", true).await?;

    job.wait().await?;
    for file in job.attachments().list().await? {
        println!("{:<12} {:>6} bytes", file.name, file.bytes.unwrap_or_default());
    }
    let text = job.attachments().download("notes.txt").await?;
    println!("{}", String::from_utf8_lossy(&text));
    Ok(())
}
