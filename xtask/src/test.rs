//! `cargo xtask test`: every test of the workspace, and one line that sums them.

use crate::workspace::Workspace;
use std::{
    fmt,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{ExitCode, Stdio},
};

/// Arguments of cargo: unit, integration and doc tests of all members; the examples are compiled.
const CARGO_TEST: &[&str] = &["test", "--workspace", "--all-features", "--no-fail-fast", "--locked"];

/// Runs the tests that match what follows `--`, all of them without it, and prints the summary last.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let filter = match arguments.split_first() {
        None => &[],
        Some((dashes, filter)) if dashes == "--" => filter,
        Some((other, _)) => {
            anyhow::bail!("unexpected `{other}`; a filter follows `--`: cargo xtask test -- FILTER")
        }
    };
    conclude(&tests(workspace, filter)?)
}

/// Prints the summary, after which nothing may be printed, and turns it into an exit code.
pub(crate) fn conclude(summary: &Summary) -> anyhow::Result<ExitCode> {
    writeln!(io::stdout(), "{summary}")?;
    Ok(if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the tests, passes their output through, and counts what it says.
pub(crate) fn tests(workspace: &Workspace, filter: &[String]) -> anyhow::Result<Summary> {
    let mut command = workspace.cargo();
    command.args(CARGO_TEST).arg("--").args(filter);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        let (mut output, mut line) = (BufReader::new(output), Vec::new());
        while output.read_until(b'\n', &mut line)? > 0 {
            io::stdout().write_all(&line)?;
            tally.read(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
    let status = child.wait()?;
    let (summary, remarks) = tally.finish(status.success());
    for remark in remarks {
        eprintln!("error: {remark}");
    }
    Ok(summary)
}

/// How many tests ended how, over every test binary and the doc tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Summary {
    pub(crate) fn is_success(&self) -> bool {
        self.failed == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// Reads the output of test binaries: each says `running N tests`, and at its end `test result: ...`.
#[derive(Default)]
struct Tally {
    total: Summary,
    /// What the binary that runs now has announced.
    announced: Option<u64>,
    /// Binaries that announced tests and never summed them.
    broken: u64,
}

impl Tally {
    fn read(&mut self, line: &str) {
        if let Some(count) = announcement(line) {
            self.broken += u64::from(self.announced.replace(count).is_some());
        } else if let Some(counts) = result(line)
            // A test may print such a line too: the real one accounts for all that was announced.
            && self.announced == Some(counts.passed + counts.failed + counts.skipped)
        {
            self.announced = None;
            self.total.passed += counts.passed;
            self.total.failed += counts.failed;
            self.total.skipped += counts.skipped;
        }
    }

    /// The sum, and a sentence for each failure that is no test of its own.
    fn finish(self, cargo_succeeded: bool) -> (Summary, Vec<&'static str>) {
        let (mut total, mut remarks) = (self.total, Vec::new());
        let broken = self.broken + u64::from(self.announced.is_some());
        total.failed += broken;
        remarks
            .extend((0..broken).map(|_| "a test binary ended without a summary; it counts as one failure"));
        if total.failed == 0 && !cargo_succeeded {
            total.failed = 1;
            remarks.push("cargo test failed outside the tests (see above); it counts as one failure");
        }
        if total == Summary::default() {
            total.failed = 1;
            remarks.push("no test ran; it counts as one failure");
        }
        (total, remarks)
    }
}

fn announcement(line: &str) -> Option<u64> {
    let count = line.strip_prefix("running ")?;
    count.strip_suffix(" tests").or_else(|| count.strip_suffix(" test"))?.parse().ok()
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s`.
fn result(line: &str) -> Option<Summary> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |what| counts.split("; ").find_map(|part| part.strip_suffix(what)?.parse::<u64>().ok());
    Some(Summary {
        passed: count(" passed")? + count(" measured")?,
        failed: count(" failed")?,
        skipped: count(" ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &str = "running 3 tests";
    const GOOD: &str =
        "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.00s";
    const BAD: &str =
        "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";

    fn sum(lines: &[&str], cargo_succeeded: bool) -> (String, Vec<&'static str>) {
        let mut tally = Tally::default();
        for line in lines {
            tally.read(line);
        }
        let (summary, remarks) = tally.finish(cargo_succeeded);
        (summary.to_string(), remarks)
    }

    #[test]
    fn results_of_all_binaries_are_summed() {
        let none =
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let lines = [THREE, "test a ... ok", GOOD, "running 0 tests", none, THREE, BAD];
        assert_eq!(sum(&lines, false), ("3 passed, 2 failed, 1 skipped".to_owned(), vec![]));
        assert_eq!(sum(&[THREE, GOOD], true), ("2 passed, 0 failed, 1 skipped".to_owned(), vec![]));
    }

    #[test]
    fn binary_without_a_summary_is_a_failure_even_if_cargo_was_content() {
        for lines in [&[THREE, "test a ... ok", THREE, GOOD][..], &[THREE, GOOD, THREE]] {
            let (summary, remarks) = sum(lines, true);
            assert_eq!(summary, "2 passed, 1 failed, 1 skipped");
            assert_eq!(remarks, ["a test binary ended without a summary; it counts as one failure"]);
        }
    }

    #[test]
    fn failure_outside_the_tests_is_counted_once() {
        let (summary, remarks) = sum(&[THREE, GOOD], false);
        assert_eq!(summary, "2 passed, 1 failed, 1 skipped");
        assert_eq!(remarks.len(), 1);
        assert_eq!(sum(&[], false).0, "0 passed, 1 failed, 0 skipped");
        assert_eq!(sum(&[THREE, BAD], false).0, "1 passed, 2 failed, 0 skipped");
    }

    #[test]
    fn nothing_run_is_a_failure() {
        assert_eq!(
            sum(&[], true),
            ("0 passed, 1 failed, 0 skipped".to_owned(), vec!["no test ran; it counts as one failure"])
        );
    }

    #[test]
    fn lines_that_tests_print_are_not_counted() {
        let forged =
            "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(
            sum(&[forged, THREE, forged, "running late", GOOD, forged], true).0,
            "2 passed, 0 failed, 1 skipped"
        );
    }
}
