//! 200 jobs at once, with progress.
//!
//! `cargo run --example batch`; where the environment names no workspace it starts an emulator.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::{error::Error, f64::consts::PI, process::ExitCode};

use futures::{StreamExt, TryStreamExt, stream};
use qws::{Circuit, Job, JobSet, JobSetEvent, Submission, Workspace};

mod support;

const JOBS: u32 = 200;

/// Requests under way at a time. More are not faster for long: the service begins to throttle.
const AT_ONCE: usize = 16;

#[tokio::main]
async fn main() -> ExitCode {
    support::run(support::by_key, run).await
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::connect().await?;
    let target = workspace.target("ionq.simulator").await?;
    let angle = |step: u32| 2.0 * PI * f64::from(step) / f64::from(JOBS);

    // All ids exist before anything is sent. Write them down, and a program that dies loses nothing.
    let submissions = (0..JOBS)
        .map(|step| Ok(target.submit(Circuit::new(1).rx(0, angle(step)).program()?).name(step.to_string())))
        .collect::<Result<Vec<Submission>, qws::Error>>()?;

    let jobs: Vec<Job> =
        stream::iter(&submissions).map(Submission::send).buffer_unordered(AT_ONCE).try_collect().await?;
    println!("{} jobs sent", jobs.len());

    let mut done = Vec::new();
    let mut events = JobSet::new(&workspace, jobs).events();
    while let Some(event) = events.try_next().await? {
        match event {
            JobSetEvent::Ended(job) => {
                done.push(*job);
                if done.len() % 50 == 0 {
                    println!("{:>3} of {JOBS} ended", done.len());
                }
            }
            JobSetEvent::Interrupted(error) => println!("still watching: {error}"),
            _ => {}
        }
    }

    let mut errors = stream::iter(&done)
        .map(|job| async move {
            let histogram = job.results().await?.histogram()?;
            let step: u32 = job.details().name.as_deref().unwrap_or_default().parse()?;
            let measured = histogram.get("1").map_or(0.0, qws::Outcome::probability);
            Ok::<f64, Box<dyn Error>>((measured - (angle(step) / 2.0).sin().powi(2)).abs())
        })
        .buffer_unordered(AT_ONCE);
    let mut largest = 0.0;
    while let Some(error) = errors.try_next().await? {
        largest = f64::max(largest, error);
    }
    println!("P(1) is sin²(angle / 2) to within {largest:.4}");
    Ok(())
}
