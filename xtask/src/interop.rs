//! `cargo xtask interop`: the published Python clients against the emulator, and our storage code against Azurite.

mod azurite;

use crate::{emulator::PROGRAM, workspace::Workspace};
use anyhow::{Context as _, bail, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// The parts of the run.
const PARTS: [&str; 2] = [PYTHON, AZURITE];
const PYTHON: &str = "python";
const AZURITE: &str = "azurite";

/// How often the download of the clients is tried.
const TRIES: u32 = 3;

/// How a part of the run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// It could not begin, for this reason.
    Skipped(String),
}

/// Runs both parts, one, or of the Python clients what is named. A machine that lacks what a part needs fails, unless
/// `--allow-skip` (or `--allow-skip=PART`) makes it a loud line.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let asked = parse(arguments)?;
    let target = workspace.metadata()?.target_directory.into_std_path_buf();
    let mut summary = Vec::new();
    for part in PARTS {
        let outcome = match part {
            _ if !asked.includes(part) => continue,
            PYTHON => python(workspace, &target, asked.filter)?,
            _ => azurite::run(workspace, &target)?,
        };
        if let Outcome::Skipped(why) = &outcome {
            ensure!(asked.may_skip(part), "{part}: {why}; `--allow-skip={part}` makes this no failure");
            println!("SKIPPED: {part}: {why}");
        }
        summary.push((part, outcome));
    }
    println!("\ninterop: {}", told(&summary));
    let failed = summary.iter().any(|(_, outcome)| *outcome == Outcome::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn told(summary: &[(&str, Outcome)]) -> String {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "FAILED",
        Outcome::Skipped(_) => "SKIPPED",
    };
    let parts: Vec<_> = summary.iter().map(|(part, outcome)| format!("{part} {}", word(outcome))).collect();
    parts.join(", ")
}

/// Builds the emulator, installs the clients into `target/interop`, and runs `tests/interop`, all of it or what `filter`
/// names.
fn python(workspace: &Workspace, target: &Path, filter: Option<&str>) -> anyhow::Result<Outcome> {
    let Some(python) = find_python() else {
        return Ok(Outcome::Skipped("there is no Python 3 on PATH".to_owned()));
    };
    let built = workspace.cargo().arg("build").args(PROGRAM).status()?;
    ensure!(built.success(), "the emulator does not build");
    let emulator = target.join("debug").join(format!("qws-emulator{}", std::env::consts::EXE_SUFFIX));

    let tests = workspace.root.join("tests/interop");
    let interpreter = install(&python, &target.join("interop"), &tests.join("requirements.txt"))?;
    let mut suite = Command::new(interpreter);
    // `-B`: no caches beside the sources.
    suite.arg("-B").arg(tests.join("run.py")).args(filter).env("QWS_EMULATOR", emulator);
    Ok(if suite.status()?.success() { Outcome::Passed } else { Outcome::Failed })
}

/// What the arguments ask for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked<'a> {
    /// The parts that may be skipped.
    skip: &'a [&'a str],
    /// The only part to run.
    part: Option<&'a str>,
    /// What of the Python suite is wanted.
    filter: Option<&'a str>,
}

impl Asked<'_> {
    fn includes(&self, part: &str) -> bool {
        self.part.is_none_or(|only| only == part)
    }

    fn may_skip(&self, part: &str) -> bool {
        self.skip.contains(&part)
    }
}

fn parse(arguments: &[String]) -> anyhow::Result<Asked<'_>> {
    let mut asked = Asked::default();
    for argument in arguments {
        let part = |name: &str| PARTS.iter().position(|part| *part == name);
        match (argument.as_str(), argument.strip_prefix("--allow-skip=").and_then(part)) {
            ("--allow-skip", _) => asked.skip = &PARTS,
            (_, Some(place)) => asked.skip = &PARTS[place..=place],
            (flag, _) if flag.starts_with('-') || asked.part.is_some() => {
                bail!("unexpected `{flag}`; usage: cargo xtask interop [--allow-skip[=PART]] [PART | FILTER]")
            }
            (AZURITE, _) => asked.part = Some(AZURITE),
            (PYTHON, _) => asked.part = Some(PYTHON),
            (filter, _) => (asked.part, asked.filter) = (Some(PYTHON), Some(filter)),
        }
    }
    Ok(asked)
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
    fn parts_filters_and_the_leave_to_skip_are_read() {
        let read = |line| {
            let words = words(line);
            let asked = parse(&words).unwrap();
            let parts = PARTS.map(|part| (asked.includes(part), asked.may_skip(part)));
            (parts, asked.filter.map(str::to_owned))
        };
        assert_eq!(read(""), ([(true, false), (true, false)], None));
        assert_eq!(read("--allow-skip"), ([(true, true), (true, true)], None));
        assert_eq!(read("--allow-skip=azurite"), ([(true, false), (true, true)], None));
        assert_eq!(read("azurite"), ([(false, false), (true, false)], None));
        assert_eq!(read("python"), ([(true, false), (false, false)], None));
        assert_eq!(read("test_jobs"), ([(true, false), (false, false)], Some("test_jobs".to_owned())));
    }

    #[test]
    fn anything_else_is_refused() {
        for line in ["--skip", "one two", "azurite one", "--allow-skip=node"] {
            assert!(parse(&words(line)).unwrap_err().to_string().contains("usage: cargo xtask interop"));
        }
    }

    #[test]
    fn the_summary_tells_what_was_skipped() {
        let summary = [(PYTHON, Outcome::Passed), (AZURITE, Outcome::Skipped("no node".to_owned()))];
        assert_eq!(told(&summary), "python passed, azurite SKIPPED");
    }
}
