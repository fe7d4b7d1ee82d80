//! Results as a picture: run a circuit and write its histogram to an SVG file.
//!
//! `cargo run --example picture --features svg [FILE]` writes `histogram.svg` unless another file is named; where the
//! environment names no workspace it starts an emulator.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::{env, error::Error, f64::consts::FRAC_PI_4, path::Path, process::ExitCode};

use qws::{Circuit, Workspace};

mod support;

#[tokio::main]
async fn main() -> ExitCode {
    let file = env::args().nth(1).unwrap_or_else(|| "histogram.svg".into());
    support::run(support::by_key, || run(&file)).await
}

pub(crate) async fn run(file: impl AsRef<Path>) -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::connect().await?;
    let target = workspace.target("ionq.simulator").await?;
    // A W state: one of three qubits is 1, each as likely as the others.
    let (third, eighth) = (2.0 * (1.0_f64 / 3.0).sqrt().acos(), FRAC_PI_4);
    let circuit = Circuit::new(3).ry(0, third).ry(1, eighth).cnot(0, 1).ry(1, -eighth).cnot(0, 1);
    let program = circuit.cnot(1, 2).cnot(0, 1).x(0).program()?;
    let mut job = target.submit(program).shots(1000).name("picture").send().await?;
    println!("job {}", job.id());

    job.wait().await?;
    let histogram = job.results().await?.histogram()?;
    println!("{histogram}");
    std::fs::write(&file, histogram.to_svg())?;
    println!("the same as a picture: {}", file.as_ref().display());
    Ok(())
}
