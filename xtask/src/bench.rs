//! `cargo xtask bench`: the client beside a hand-written floor. It is no part of CI: it wants a quiet machine.

use crate::workspace::Workspace;
use std::process::ExitCode;

const CARGO_RUN: &[&str] = &["run", "--quiet", "--locked", "--release", "--package", "qws-bench", "--"];

/// Builds the benchmarks and runs the rows that are named; without a name, all of them.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let status = workspace.cargo().args(CARGO_RUN).args(arguments).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
