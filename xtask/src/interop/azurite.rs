//! Our storage code against a real Azurite, Microsoft's emulator of storage, from npm.

use super::Outcome;
use crate::workspace::Workspace;
use anyhow::{Context as _, bail, ensure};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

/// What npm installs.
const PACKAGE: &str = "azurite@3.35.0";

/// How often the download is tried.
const TRIES: u32 = 3;

const CHECKS: &[&str] = &["run", "--quiet", "--locked", "--package", "qws-contract", "--example", "azurite"];

/// Azurite's account, whose key is published.
const ACCOUNT: &str = "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6\
    tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Installs Azurite into `target`, starts it on a free port, and runs `tests/azurite.rs` against it.
pub(crate) fn run(workspace: &Workspace, target: &Path) -> anyhow::Result<Outcome> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    for program in ["node", npm] {
        let found = Command::new(program).arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            return Ok(Outcome::Skipped(format!("there is no `{program}` on PATH")));
        }
    }
    let folder = target.join("azurite");
    install(npm, &folder)?;
    let server = Server::start(&folder)?;
    let endpoint = format!("{ACCOUNT};BlobEndpoint={}/devstoreaccount1;", server.url);
    let checks = workspace.cargo().args(CHECKS).env("QWS_AZURITE", endpoint).status()?;
    Ok(if checks.success() { Outcome::Passed } else { Outcome::Failed })
}

/// Makes sure that this very version is there.
fn install(npm: &str, folder: &Path) -> anyhow::Result<()> {
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == PACKAGE) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for attempt in 1..=TRIES {
        let mut command = Command::new(npm);
        command.args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
        if command.arg(folder).arg(PACKAGE).current_dir(folder).status()?.success() {
            fs::write(&stamp, PACKAGE)?;
            return Ok(());
        }
        eprintln!("attempt {attempt} of {TRIES} to install {PACKAGE} failed");
    }
    bail!("{PACKAGE} could not be installed from npm")
}

/// A running Azurite; ends with this value.
struct Server {
    process: Child,
    url: String,
    /// Held open: a program that has nowhere to print to stops.
    #[expect(dead_code, reason = "it is there to be dropped last")]
    log: BufReader<ChildStdout>,
}

impl Server {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let program: PathBuf = ["node_modules", "azurite", "dist", "src", "blob", "main.js"].iter().collect();
        let mut command = Command::new("node");
        command.arg(folder.join(program)).current_dir(folder);
        // It refuses versions of the REST API that are newer than itself, though it needs nothing new of them.
        command.args(["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]);
        command.args(["--blobHost", "127.0.0.1", "--blobPort", "0"]);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut log = BufReader::new(process.stdout.take().context("the output of Azurite")?);
        let mut line = String::new();
        let url = loop {
            line.clear();
            ensure!(log.read_line(&mut line)? > 0, "Azurite ended before it listened");
            if let Some(url) = address(&line) {
                break url.to_owned();
            }
        };
        Ok(Self { process, url, log })
    }
}

/// `Azurite Blob service successfully listens on http://127.0.0.1:41099`
fn address(line: &str) -> Option<&str> {
    Some(line.split_once("successfully listens on ")?.1.trim())
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line_that_tells_it() {
        let line = "Azurite Blob service successfully listens on http://127.0.0.1:41099\n";
        assert_eq!(address(line), Some("http://127.0.0.1:41099"));
        assert_eq!(address("Azurite Blob service is starting on 127.0.0.1:0\n"), None);
    }
}
