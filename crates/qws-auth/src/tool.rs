//! Runs the command-line tools that hold a developer's sign-in: no shell, nothing left behind.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures::future::{Either, select};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};
use zeroize::Zeroizing;

use crate::{AuthError, Host};

mod group;
mod settings;

pub(crate) use settings::{ToolSettings, tool_settings};

/// The longest output that is read, of either kind.
const OUTPUT_LIMIT_BYTES: u64 = 1 << 20;

/// Why a tool gave no output.
#[derive(Debug)]
pub(crate) enum ToolFailure {
    /// It is not installed, or not where `PATH` leads.
    NotFound,
    CannotRun(std::io::Error),
    TimedOut,
    TooMuchOutput,
    /// It ended with an error; what it printed for people.
    Ended {
        code: Option<i32>,
        stderr: String,
    },
}

impl ToolFailure {
    /// What it means for a credential, or what the tool printed for people where it ended with an error.
    pub(crate) fn explain(self, product: &str, program: &str, limit: Duration) -> Result<String, AuthError> {
        Err(match self {
            Self::NotFound | Self::Ended { code: Some(127), .. } => {
                AuthError::unavailable(format!("{product} is not installed, or `{program}` is not on PATH"))
            }
            Self::CannotRun(error) => {
                AuthError::unavailable(format!("`{program}` cannot be run")).with_source(error)
            }
            Self::TimedOut => {
                let text = format!("`{program}` did not answer within {} s", limit.as_secs_f64());
                AuthError::unavailable(text).with_hint("raise the limit with `with_time_limit`")
            }
            Self::TooMuchOutput => AuthError::refused(format!("`{program}` printed more than 1 MiB")),
            Self::Ended { stderr, .. } => return Ok(stderr),
        })
    }
}

/// Runs a tool and gives its output, which is secret.
///
/// Killed with all its children when the time is over, when it prints too much, and when the caller gives up.
pub(crate) async fn run(
    host: &Host,
    name: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
    limit: Duration,
) -> Result<Zeroizing<Vec<u8>>, ToolFailure> {
    let path = host.variable("PATH").unwrap_or_default();
    let program = find(name, &path).ok_or(ToolFailure::NotFound)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PATH", &path)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    group::prepare(&mut command, host);
    let mut child = command.spawn().map_err(ToolFailure::CannotRun)?;
    let group = group::Group::new(child.id(), host);
    let (out, err) = (child.stdout.take(), child.stderr.take());

    let work = async {
        let ended = async { child.wait().await.map_err(ToolFailure::CannotRun) };
        futures::try_join!(read(out), read(err), ended)
    };
    let (out, err, status) = match select(std::pin::pin!(work), host.clock().expire(limit)).await {
        Either::Left((done, _)) => done?,
        Either::Right(((), _)) => return Err(ToolFailure::TimedOut),
    };
    group.ended();
    if status.success() {
        return Ok(out);
    }
    let stderr = String::from_utf8_lossy(&err).into_owned();
    Err(ToolFailure::Ended { code: status.code(), stderr })
}

/// Starts a program that may outlive us, such as a browser, and hands nothing of ours to it; `None` if it is not there.
pub(crate) fn start(host: &Host, name: &str, arguments: &[&str]) -> Option<std::io::Result<Child>> {
    let path = host.variable("PATH").unwrap_or_default();
    let mut command = Command::new(find(name, &path)?);
    command.args(arguments).env("PATH", &path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    group::prepare(&mut command, host);
    Some(command.spawn())
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> Result<Zeroizing<Vec<u8>>, ToolFailure> {
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(pipe) = pipe {
        let read = pipe.take(OUTPUT_LIMIT_BYTES + 1).read_to_end(&mut bytes).await;
        read.map_err(ToolFailure::CannotRun)?;
    }
    if bytes.len() as u64 > OUTPUT_LIMIT_BYTES { Err(ToolFailure::TooMuchOutput) } else { Ok(bytes) }
}

/// The first file of that name on `path` that can be run. Relative and empty entries are left out: what lies in the
/// current directory is never run.
fn find(name: &str, path: &str) -> Option<PathBuf> {
    let names: Vec<String> = if cfg!(windows) {
        ["cmd", "exe"].iter().map(|ending| format!("{name}.{ending}")).collect()
    } else {
        vec![name.to_owned()]
    };
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>())
        .find(|file| can_be_run(file))
}

#[cfg(unix)]
fn can_be_run(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn can_be_run(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests;
