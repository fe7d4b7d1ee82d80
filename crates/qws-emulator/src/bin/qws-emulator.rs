//! The emulator as a program: one JSON line on stdout when it is ready, logs on stderr, ends on SIGTERM or Ctrl-C.
#![expect(clippy::print_stdout, reason = "the ready line is this program's output")]

use std::io::IsTerminal as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use qws_emulator::{Emulator, WorkspaceKind, WorkspaceSpec};
use serde_json::json;
use tracing_subscriber::EnvFilter;

/// The Azure Quantum service on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port of the service on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port of the storage account on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    storage_port: u16,
    /// Address to listen on. Beyond 127.0.0.1 whoever reaches it can do anything: the control API asks for nothing.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    listen: IpAddr,
    /// Port of the machine's identity endpoints on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    metadata_port: u16,
    /// Fixes every random choice.
    #[arg(long, value_name = "NUMBER")]
    seed_rng: Option<u64>,
    /// Serve HTTPS, with a certificate authority made at start; the ready line says where its PEM file is.
    #[arg(long)]
    https: bool,
    /// Give out the names of the real service, for clients whose name resolution is led here.
    #[arg(long)]
    public_names: bool,
    /// Let jobs have their input and output on other machines, as their links say; without it on this one only.
    #[arg(long)]
    allow_remote_storage: bool,
    /// The most that the storage account holds, in MiB.
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    blob_limit: usize,
    /// The most jobs and sessions that a workspace keeps.
    #[arg(long, default_value_t = 100_000, value_name = "NUMBER")]
    job_limit: usize,
    /// The name of the workspace.
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// The kind of the workspace: V1 counts quotas by provider, V2 minutes by target.
    #[arg(long, default_value = "V1", value_name = "V1|V2", value_parser = workspace_kind)]
    workspace_kind: WorkspaceKind,
    /// A JSON file with workspaces, jobs, sessions and blobs to begin with, as `GET /_emulator/state` gives it.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// What to log, in the syntax of tracing's `EnvFilter`.
    #[arg(long, default_value = "info", value_name = "FILTER")]
    log: String,
}

fn workspace_kind(text: &str) -> Result<WorkspaceKind, &'static str> {
    match text {
        "V1" | "v1" => Ok(WorkspaceKind::V1),
        "V2" | "v2" => Ok(WorkspaceKind::V2),
        _ => Err("a workspace is V1 or V2"),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(EnvFilter::new(&arguments.log))
        .init();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the emulator could not start");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // The handlers come first: a signal right after the ready line must find them.
    let terminated = terminated()?;
    let mut builder = Emulator::builder()
        .port(arguments.port)
        .storage_port(arguments.storage_port)
        .metadata_port(arguments.metadata_port)
        .address(arguments.listen)
        .blob_limit(arguments.blob_limit.saturating_mul(1 << 20))
        .job_limit(arguments.job_limit);
    if let Some(seed) = arguments.seed_rng {
        builder = builder.seed(seed);
    }
    let mut workspace = WorkspaceSpec { kind: arguments.workspace_kind, ..WorkspaceSpec::default() };
    if let Some(name) = &arguments.workspace {
        workspace.name.clone_from(name);
    }
    builder = builder.workspace(workspace);
    if arguments.allow_remote_storage {
        builder = builder.allow_remote_storage();
    }
    if arguments.https {
        builder = builder.https();
    }
    if arguments.public_names {
        builder = builder.public_names();
    }
    let emulator = builder.start().await?;
    if let Some(path) = &arguments.seed {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let description =
            serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        emulator.load(&description)?;
    }
    let ca = emulator.ca_pem().map(CaFile::write).transpose()?;
    let ready = json!({
        "ready": true,
        "endpoint": emulator.endpoint(),
        "storageEndpoint": emulator.storage_endpoint(),
        "storageConnectionString": emulator.storage_connection_string(),
        "resourceId": emulator.resource_id(),
        "connectionString": emulator.connection_string(),
        "port": emulator.port(),
        "storagePort": emulator.storage_port(),
        "tenantId": emulator.identity().tenant_id(),
        "authority": emulator.identity().authority_url(),
        "imds": emulator.identity().imds_url(),
        "appServiceEndpoint": emulator.identity().app_service_endpoint(),
        "appServiceHeader": emulator.identity().app_service_header(),
        "caPath": ca.as_ref().map(|file| &file.0),
    });
    println!("{ready}");
    terminated.await;
    tracing::info!("stopping");
    emulator.stop().await;
    Ok(())
}

/// The PEM file of the certificate authority, gone with the program.
struct CaFile(PathBuf);

impl CaFile {
    fn write(pem: &str) -> Result<Self, std::io::Error> {
        let path = std::env::temp_dir().join(format!("qws-emulator-ca-{}.pem", std::process::id()));
        std::fs::write(&path, pem)?;
        Ok(Self(path))
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "could not remove the CA file");
        }
    }
}

#[cfg(unix)]
fn terminated() -> Result<impl Future<Output = ()>, std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
fn terminated() -> Result<impl Future<Output = ()>, std::io::Error> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
