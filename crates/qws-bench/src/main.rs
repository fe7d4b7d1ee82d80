#![doc = include_str!("../README.md")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the command line: what it prints is its work"
)]

mod floor;
mod measure;
mod ours;
mod report;
mod rounds;
mod rows;
mod server;

use crate::rows::{ROWS, Row};
use anyhow::{Context as _, bail, ensure};
use std::io;
use std::process::ExitCode;

/// Fewer rounds make no median worth a verdict.
const LEAST_ROUNDS: usize = 11;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    run(&arguments).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Runs one of the three processes of a benchmark: the parent, its server, or one measured variant.
fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve"] => server::run()?,
        ["measure", row, variant] => {
            let work =
                find(row)?.work(variant.parse()?).with_context(|| format!("{row} has no `{variant}`"))?;
            let sample = work(&serde_json::from_reader(io::stdin().lock())?)?;
            println!("{}", serde_json::to_string(&sample)?);
        }
        _ => {
            let (rows, rounds) = chosen(&words)?;
            let findings = rounds::measure_all(&rows, rounds)?;
            return Ok(report::print(&findings));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find(name: &str) -> anyhow::Result<&'static Row> {
    ROWS.iter().find(|row| row.name == name).with_context(|| {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        format!("no row `{name}`; there are: {}", names.join(", "))
    })
}

/// The rows that are named, all of them without a name, and how many rounds.
fn chosen(words: &[&str]) -> anyhow::Result<(Vec<&'static Row>, usize)> {
    let (mut rows, mut rounds) = (Vec::new(), LEAST_ROUNDS);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--rounds" {
            let number = words.next().context("`--rounds` needs a number")?;
            rounds = number.parse().with_context(|| format!("`--rounds {number}` is not a number"))?;
            ensure!(rounds >= LEAST_ROUNDS, "`--rounds {rounds}` is too few: at least {LEAST_ROUNDS}");
        } else if word.starts_with('-') {
            bail!("unexpected `{word}`; usage: cargo xtask bench [ROW]... [--rounds N]");
        } else {
            rows.push(find(word)?);
        }
    }
    if rows.is_empty() {
        rows.extend(ROWS);
    }
    Ok((rows, rounds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_rounds_are_chosen_by_name() {
        let (rows, rounds) = chosen(&["get-one", "--rounds", "21"]).unwrap();
        assert_eq!((rows.len(), rows[0].name, rounds), (1, "get-one", 21));
        let (rows, rounds) = chosen(&[]).unwrap();
        assert_eq!((rows.len(), rounds), (ROWS.len(), LEAST_ROUNDS));
    }

    #[test]
    fn anything_else_is_refused_with_what_would_be_right() {
        for (words, wanted) in [
            (&["get-two"][..], "no row `get-two`; there are: connection-string, "),
            (&["--rounds", "10"], "`--rounds 10` is too few: at least 11"),
            (&["--rounds", "many"], "`--rounds many` is not a number"),
            (&["--fast"], "usage: cargo xtask bench [ROW]... [--rounds N]"),
        ] {
            let error = chosen(words).err().unwrap().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
