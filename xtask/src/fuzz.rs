//! `cargo xtask fuzz`: one libFuzzer target on the stable toolchain.

use crate::workspace::Workspace;
use anyhow::{Context as _, bail, ensure};
use std::{fs, path::Path, process::ExitCode};

/// No input may take longer than a second or more than 256 MiB.
const LIMITS: &[&str] = &["-timeout=1", "-rss_limit_mb=256"];

/// Fuzzes one target. New inputs go to `fuzz/corpus/TARGET`; the committed seeds in `fuzz/seeds/TARGET` are only read.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (target, runs) = parse(arguments)?;
    let fuzz = workspace.root.join("fuzz");
    let targets = targets(&fuzz.join("fuzz_targets"))?;
    ensure!(
        targets.iter().any(|t| t == target),
        "no fuzz target `{target}`; there are: {}",
        targets.join(", ")
    );
    let installed = workspace.cargo().args(["fuzz", "--version"]).output()?.status.success();
    ensure!(installed, "cargo-fuzz is missing; install it with: cargo install --locked cargo-fuzz");

    let (corpus, seeds) = (fuzz.join("corpus").join(target), fuzz.join("seeds").join(target));
    ensure!(seeds.is_dir(), "`{target}` has no seeds: put some into fuzz/seeds/{target}");
    fs::create_dir_all(&corpus)?;
    let mut command = workspace.cargo();
    command.current_dir(&fuzz).args(["fuzz", "run", "--sanitizer", "none", target]).args([corpus, seeds]);
    command.arg("--").arg(format!("-runs={runs}")).args(LIMITS);
    Ok(if command.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(arguments: &[String]) -> anyhow::Result<(&str, u64)> {
    let [target, flag, runs] = arguments else {
        bail!("usage: cargo xtask fuzz TARGET --runs N");
    };
    ensure!(flag == "--runs", "unexpected `{flag}`; usage: cargo xtask fuzz TARGET --runs N");
    let runs = runs.parse().with_context(|| format!("`--runs {runs}` is not a number of inputs"))?;
    Ok((target, runs))
}

fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("there are no targets in fuzz/fuzz_targets")? {
        let path = entry?.path();
        if let (Some("rs"), Some(name)) = (path.extension().and_then(|e| e.to_str()), path.file_stem()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn target_and_number_of_runs_are_read() {
        assert_eq!(parse(&words("resource_id --runs 1000")).unwrap(), ("resource_id", 1000));
    }

    #[test]
    fn anything_else_is_refused_with_what_would_be_right() {
        for (line, wanted) in [
            ("", "usage: cargo xtask fuzz TARGET --runs N"),
            ("resource_id --times 5", "unexpected `--times`"),
            ("resource_id --runs many", "`--runs many` is not a number of inputs"),
        ] {
            let error = parse(&words(line)).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
