//! `cargo xtask interop`: the published Python clients against the emulator.

use crate::workspace::Workspace;
use anyhow::{Context as _, bail, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const BUILD: &[&str] = &[
    "build",
    "--quiet",
    "--locked",
    "--package",
    "qws-emulator",
    "--features",
    "cli",
    "--bin",
    "qws-emulator",
];

/// How often the download of the clients is tried.
const TRIES: u32 = 3;

/// Builds the emulator, installs the clients into `target/interop`, and runs `tests/interop`, all of it or what `FILTER`
/// names. With `--allow-skip` a machine without Python skips everything, loudly; without it that is a failure.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (allow_skip, filter) = parse(arguments)?;
    let Some(python) = find_python() else {
        ensure!(allow_skip, "there is no Python 3 on PATH; `--allow-skip` makes this no failure");
        println!("SKIPPED: the interop suite: there is no Python 3 on PATH");
        println!("\n0 passed, 0 failed, 1 skipped");
        return Ok(ExitCode::SUCCESS);
    };
    let target = workspace.metadata()?.target_directory.into_std_path_buf();
    ensure!(workspace.cargo().args(BUILD).status()?.success(), "the emulator does not build");
    let emulator = target.join("debug").join(format!("qws-emulator{}", std::env::consts::EXE_SUFFIX));

    let tests = workspace.root.join("tests/interop");
    let interpreter = install(&python, &target.join("interop"), &tests.join("requirements.txt"))?;
    let mut suite = Command::new(interpreter);
    // `-B`: no caches beside the sources.
    suite.arg("-B").arg(tests.join("run.py")).args(filter).env("QWS_EMULATOR", emulator);
    Ok(if suite.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(arguments: &[String]) -> anyhow::Result<(bool, Option<&str>)> {
    let (mut allow_skip, mut filter) = (false, None);
    for argument in arguments {
        match argument.as_str() {
            "--allow-skip" => allow_skip = true,
            flag if flag.starts_with('-') || filter.is_some() => {
                bail!("unexpected `{flag}`; usage: cargo xtask interop [--allow-skip] [FILTER]")
            }
            text => filter = Some(text),
        }
    }
    Ok((allow_skip, filter))
}

fn find_python() -> Option<PathBuf> {
    ["python3", "python"].into_iter().map(PathBuf::from).find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.stdout.starts_with(b"Python 3"))
    })
}

/// A virtual environment with exactly these packages; made anew when the list has changed.
fn install(python: &Path, folder: &Path, requirements: &Path) -> anyhow::Result<PathBuf> {
    let wanted = fs::read_to_string(requirements).context("tests/interop/requirements.txt")?;
    let stamp = folder.join("installed.txt");
    let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(interpreter);
    }
    let made = Command::new(python).args(["-m", "venv", "--clear"]).arg(folder).status()?;
    ensure!(made.success(), "`python -m venv` failed; on Debian it needs the package python3-venv");
    for attempt in 1..=TRIES {
        let mut pip = Command::new(&interpreter);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        if pip.arg(requirements).status()?.success() {
            fs::write(&stamp, wanted)?;
            return Ok(interpreter);
        }
        eprintln!("attempt {attempt} of {TRIES} to install the Python clients failed");
    }
    bail!("the Python clients could not be installed from PyPI")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_filter_and_the_leave_to_skip_are_read() {
        assert_eq!(parse(&words("")).unwrap(), (false, None));
        assert_eq!(parse(&words("--allow-skip test_jobs")).unwrap(), (true, Some("test_jobs")));
    }

    #[test]
    fn anything_else_is_refused() {
        for line in ["--skip", "one two"] {
            assert!(parse(&words(line)).unwrap_err().to_string().contains("usage: cargo xtask interop"));
        }
    }
}
