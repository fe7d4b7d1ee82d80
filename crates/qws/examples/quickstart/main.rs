//! From nothing to a histogram: connect, list targets, run a job, look at the results.
//!
//! `cargo run --example quickstart` needs no account: it starts the emulator inside this process. With
//! `AZURE_QUANTUM_CONNECTION_STRING` set it uses that workspace instead, and runs one job on `ionq.simulator`, which is
//! free.

use std::{
    error::Error,
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use futures::StreamExt;
use qws::{JobEvent, Measure, Program, Target, Workspace};

/// Three qubits in the state (|000> + |111>) / sqrt 2, as in the service's documentation.
const GHZ: &str = r#"{"qubits":3,"circuit":[{"gate":"h","target":0},{"gate":"cnot","control":0,"target":1},{"gate":"cnot","control":0,"target":2}]}"#;

/// Two entangled qubits, as QIR.
const BELL: &str = include_str!("bell.ll");

const SHOTS: u64 = 500;

/// How long the example waits for one job.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            let _ = writeln!(stderr, "error: {error}");
            let hint = error.downcast_ref::<qws::Error>().and_then(qws::Error::hint);
            if let Some(hint) = hint {
                let _ = writeln!(stderr, "hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    #[allow(clippy::disallowed_methods, reason = "a program may read its own environment")]
    let given = std::env::var("AZURE_QUANTUM_CONNECTION_STRING").ok().filter(|text| !text.trim().is_empty());

    if let Some(connection_string) = given {
        writeln!(
            out,
            "AZURE_QUANTUM_CONNECTION_STRING is set: using that workspace, and only its free simulator.\n"
        )?;
        let workspace = Workspace::from_connection_string(&connection_string)?;
        let targets = look_around(&mut out, &workspace).await?;
        let Some(simulator) = targets.iter().find(|target| target.id() == "ionq.simulator") else {
            writeln!(out, "The workspace has no `ionq.simulator`, so nothing is submitted.")?;
            return Ok(());
        };
        return run_job(&mut out, simulator, "GHZ state, IonQ JSON", Program::ionq_json(GHZ)?).await;
    }

    writeln!(
        out,
        "Starting the emulator in this process (set AZURE_QUANTUM_CONNECTION_STRING to use a workspace).\n"
    )?;
    let emulator = qws_emulator::Emulator::start().await?;
    let workspace = Workspace::from_connection_string(&emulator.connection_string())?;
    look_around(&mut out, &workspace).await?;
    let simulator = workspace.target("ionq.simulator").await?;
    run_job(&mut out, &simulator, "GHZ state, IonQ JSON", Program::ionq_json(GHZ)?).await?;
    let simulator = workspace.target("rigetti.sim.qvm").await?;
    run_job(&mut out, &simulator, "Bell pair, QIR", Program::qir_text(BELL)?).await
}

/// Tells where we are and what is there.
async fn look_around(out: &mut impl Write, workspace: &Workspace) -> Result<Vec<Target>, Box<dyn Error>> {
    let address = workspace.address();
    writeln!(out, "endpoint    {}", address.endpoint())?;
    writeln!(out, "workspace   {}", address.resource_id())?;
    writeln!(out, "credential  {}\n", workspace.credential().describe())?;

    let targets = workspace.targets().await?;
    writeln!(
        out,
        "{:<12} {:<28} {:<12} {:>8} {:>7}",
        "PROVIDER", "TARGET", "AVAILABILITY", "QUEUE", "QUBITS"
    )?;
    for target in &targets {
        let status = target.status();
        let availability = status.current_availability.as_ref().map_or("-", |a| a.as_str());
        let queue = status.average_queue_time.map_or("-".into(), |seconds| format!("{seconds} s"));
        let qubits = status.num_qubits.map_or("-".into(), |qubits| qubits.to_string());
        let (provider, id) = (target.provider(), target.id());
        writeln!(out, "{provider:<12} {id:<28} {availability:<12} {queue:>8} {qubits:>7}")?;
    }
    writeln!(out)?;
    Ok(targets)
}

/// Submits, waits and draws.
async fn run_job(
    out: &mut impl Write,
    target: &Target,
    title: &str,
    program: Program,
) -> Result<(), Box<dyn Error>> {
    let submission = target.submit(program).shots(SHOTS).name(title);
    writeln!(out, "{title}: {SHOTS} shots on {}", target.id())?;
    writeln!(out, "job {}", submission.id())?;
    let started = Instant::now();
    let mut job = submission.send().await?;
    let wait = job.wait().deadline(PATIENCE).patience(Duration::from_secs(30));
    let mut events = wait.events();
    while let Some(event) = events.next().await {
        let passed = started.elapsed().as_secs_f64();
        match event? {
            JobEvent::Status(status) => writeln!(out, "  {passed:5.1} s  {status}")?,
            JobEvent::Interrupted(error) => writeln!(out, "  {passed:5.1} s  still waiting: {error}")?,
            _ => {}
        }
    }
    drop(events);
    let histogram = job.results().await?.histogram()?;
    let given = match histogram.measure() {
        Measure::Counts => "counts from the service, ~ computed",
        _ => "probabilities from the service, ~ computed",
    };
    writeln!(out, "{histogram}\n({given})\n")?;
    Ok(())
}
