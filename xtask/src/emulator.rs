//! `cargo xtask emulator`: the emulator in the foreground.

use crate::workspace::Workspace;
use std::process::{Command, ExitCode};

/// Which program `cargo run` and `cargo build` mean.
pub(crate) const PROGRAM: &[&str] =
    &["--quiet", "--locked", "--package", "qws-emulator", "--features", "cli", "--bin", "qws-emulator"];

/// Builds the emulator and becomes it.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut command = workspace.cargo();
    command.arg("run").args(PROGRAM).arg("--").args(arguments);
    become_program(command)
}

/// Replaces this process, as `cargo run` does in turn: signals, exit code and process id are the emulator's own.
#[cfg(unix)]
fn become_program(mut command: Command) -> anyhow::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command).into())
}

#[cfg(not(unix))]
fn become_program(mut command: Command) -> anyhow::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
