//! Everything a developer or CI runs on this workspace, as `cargo xtask COMMAND`.
//!
//! Each command is one module and one line of [`COMMANDS`]. This package depends on no crate of the
//! workspace, so that it builds quickly and runs when they do not; it starts no shell.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the command line: what it prints is its work"
)]

mod bench;
mod ci;
mod emulator;
mod fuzz;
mod interop;
mod layers;
mod test;
mod workspace;

use crate::workspace::Workspace;
use std::process::ExitCode;

/// One line of the table of commands.
struct Command {
    name: &'static str,
    /// The arguments, as the table shows them.
    arguments: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> anyhow::Result<ExitCode>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        arguments: "[-- FILTER]",
        about: "unit, doc and contract tests; the last line is `N passed, M failed, K skipped`",
        run: test::run,
    },
    Command {
        name: "ci",
        arguments: "",
        about: "what CI runs: format, lints, feature sets, documentation, layers, tests",
        run: ci::run,
    },
    Command {
        name: "layers",
        arguments: "",
        about: "prove dependency directions, bans, licences, rust-versions and sizes of trees",
        run: layers::run,
    },
    Command {
        name: "emulator",
        arguments: "[ARGS]",
        about: "start the emulator in the foreground; ARGS are those of `qws-emulator`",
        run: emulator::run,
    },
    Command {
        name: "interop",
        arguments: "[--allow-skip[=PART]] [PART | FILTER]",
        about: "the published Python clients against the emulator (python), our storage code against Azurite (azurite)",
        run: interop::run,
    },
    Command {
        name: "fuzz",
        arguments: "TARGET --runs N",
        about: "fuzz one target of fuzz/ with N inputs, beginning with its committed seeds",
        run: fuzz::run,
    },
    Command {
        name: "bench",
        arguments: "[ROW]... [--rounds N]",
        about: "the client beside a hand-written floor: ratios, bounds, verdicts; wants a quiet machine",
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", table());
        return ExitCode::from(2);
    };
    if ["help", "--help", "-h"].contains(&name.as_str()) {
        print!("{}", table());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("error: no command `{name}`\n\n{}", table());
        return ExitCode::from(2);
    };
    let outcome = Workspace::find(|name| std::env::var_os(name)).and_then(|w| (command.run)(&w, rest));
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn table() -> String {
    let calls: Vec<_> = COMMANDS.iter().map(|c| format!("{} {}", c.name, c.arguments)).collect();
    let width = calls.iter().map(String::len).max().unwrap_or(0);
    let lines = COMMANDS.iter().zip(&calls).map(|(c, call)| format!("  {call:width$}  {}\n", c.about));
    format!("usage: cargo xtask COMMAND\n\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_one_line_for_each_command_and_names_are_unique() {
        let table = table();
        for command in COMMANDS {
            let start = format!("  {} ", command.name);
            assert_eq!(table.lines().filter(|line| line.starts_with(&start)).count(), 1, "{}", command.name);
        }
    }
}
