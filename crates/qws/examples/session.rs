//! A session with a parameter sweep: the same circuit at several angles, as jobs that belong together.
//!
//! `cargo run --example session`; where the environment names no workspace it starts an emulator.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::{error::Error, f64::consts::PI, process::ExitCode};

use qws::{Circuit, Session, Workspace};

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::by_key, run).await
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::connect().await?;
    let target = workspace.target("ionq.simulator").await?;
    let mut session = target.session().name("angle sweep").open().await?;
    println!("session {}", session.id());

    // Closed whatever came of the sweep; a session left open ends by itself after ten idle minutes.
    let swept = sweep(&session).await;
    session.close().await?;
    swept
}

/// Turns one qubit of an entangled pair, and prints how often both agree.
async fn sweep(session: &Session) -> Result<(), Box<dyn Error>> {
    let mut jobs = Vec::new();
    for step in 0..5_u32 {
        let angle = PI * f64::from(step) / 4.0;
        let program = Circuit::new(2).h(0).cnot(0, 1).ry(1, angle).program()?;
        let submission = session.submit(program).shots(100).name(format!("angle {angle:.4}"));
        jobs.push((angle, submission.send().await?));
    }
    for (angle, mut job) in jobs {
        job.wait().await?;
        let histogram = job.results().await?.histogram()?;
        let probability = |label| histogram.get(label).map_or(0.0, qws::Outcome::probability);
        println!("angle {angle:.4}  agree {:.4}", probability("00") + probability("11"));
    }
    Ok(())
}
