//! The parent: starts the server, runs the variants in turn in processes of their own, keeps what they tell.

use crate::measure::{Sample, Setup};
use crate::report::{Finding, median};
use crate::rows::{Quantity, Row, Variant};
use anyhow::{Context as _, Result, ensure};
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

/// Measures each row in so many rounds. A round is `floor, ours, floor`: what the machine does besides, if it grows or
/// shrinks steadily, then weighs on both alike.
pub(crate) fn measure_all(rows: &[&'static Row], rounds: usize) -> Result<Vec<Finding>> {
    let server = Server::start()?;
    let mut findings = Vec::new();
    for row in rows {
        eprintln!("bench: {}, {rounds} rounds", row.name);
        let mut kept: Vec<Finding> = row.checks.iter().map(|check| Finding::new(row, check)).collect();
        for _ in 0..rounds {
            let floor = server.measure(row, Variant::Floor)?;
            let ours = server.measure(row, Variant::Ours)?;
            let beside =
                row.work(Variant::Beside).map(|_| server.measure(row, Variant::Beside)).transpose()?;
            let again = server.measure(row, Variant::Floor)?;
            for finding in &mut kept {
                let of = |measured: &Vec<Measured>| {
                    median(measured.iter().map(|one| one.value(finding.check.quantity)).collect())
                };
                finding.add_round([of(&floor), of(&again)], of(&ours), beside.as_ref().map(of));
            }
        }
        findings.extend(kept);
    }
    Ok(findings)
}

/// What one process told, and how long the parent saw it run.
struct Measured {
    sample: Sample,
    until_told_ns: f64,
}

impl Measured {
    #[expect(clippy::cast_precision_loss, reason = "nobody measures to 16 digits")]
    fn value(&self, quantity: Quantity) -> f64 {
        let Sample { units, cpu_ns, wall_ns, peak_bytes, requests } = self.sample;
        match quantity {
            Quantity::CpuEach => cpu_ns as f64 / f64::from(units),
            Quantity::Cpu => cpu_ns as f64,
            Quantity::Wall => wall_ns as f64,
            Quantity::Cold => self.until_told_ns,
            Quantity::Peak => peak_bytes as f64,
            Quantity::Requests => f64::from(requests),
        }
    }
}

/// The server's process. It ends when its standard input does, so also when the parent is killed.
struct Server {
    process: Child,
    input: Option<ChildStdin>,
    setup: String,
}

impl Server {
    fn start() -> Result<Self> {
        let mut process = this_program()?.arg("serve").spawn()?;
        let input = process.stdin.take();
        let setup = first_line(&mut process)?;
        serde_json::from_str::<Setup>(&setup).context("the server did not start")?;
        Ok(Self { process, input, setup })
    }

    /// Runs a variant in new processes, one after the other.
    fn measure(&self, row: &Row, variant: Variant) -> Result<Vec<Measured>> {
        (0..row.repeats()).map(|_| self.measure_once(row.name, variant)).collect()
    }

    fn measure_once(&self, row: &str, variant: Variant) -> Result<Measured> {
        let failed = || format!("{row}, {variant}");
        let mut command = this_program()?;
        let start = Instant::now();
        let mut process = command.args(["measure", row, &variant.to_string()]).spawn()?;
        if let Some(mut input) = process.stdin.take() {
            input.write_all(self.setup.as_bytes())?;
        }
        let line = first_line(&mut process)?;
        let until_told_ns = start.elapsed().as_secs_f64() * 1e9;
        ensure!(process.wait()?.success(), failed());
        Ok(Measured { sample: serde_json::from_str(&line).with_context(failed)?, until_told_ns })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // It has nothing to save; if it cannot be waited for there is nothing to do either.
        let _ = self.process.wait();
    }
}

/// A process of this program. `RUST_BACKTRACE` is taken away: with it some libraries capture a backtrace a call.
fn this_program() -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("RUST_BACKTRACE");
    Ok(command)
}

fn first_line(process: &mut Child) -> Result<String> {
    let output = process.stdout.take().context("no standard output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok(line)
}
