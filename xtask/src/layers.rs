//! `cargo xtask layers`: proves from what cargo knows that the workspace is as ARCHITECTURE.md draws it.
//!
//! [`facts`] asks cargo, [`rules`] says what must hold, [`check`] compares the two.

mod check;
mod facts;
mod rules;
#[cfg(test)]
mod tests;

use crate::workspace::Workspace;
use facts::Facts;
use std::process::ExitCode;

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(arguments.is_empty(), "`cargo xtask layers` takes no arguments");
    Ok(if hold(workspace)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the sizes of trees and then every fault; says whether there is none.
pub(crate) fn hold(workspace: &Workspace) -> anyhow::Result<bool> {
    let facts = Facts::gather(workspace)?;
    for size in check::sizes(&facts) {
        println!("layers: {size}");
    }
    let faults = check::faults(&facts);
    for fault in &faults {
        eprintln!("error: {fault}");
    }
    if faults.is_empty() {
        println!(
            "layers: all rules hold for {} members and {} crates",
            facts.members.len(),
            facts.crates.len()
        );
    }
    Ok(faults.is_empty())
}
