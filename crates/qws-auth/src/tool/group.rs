//! A tool and all its children, killed together.

use tokio::process::Command;

use crate::Host;

/// Kills on drop, unless the tool has ended by itself.
pub(super) struct Group<'a> {
    leader: Option<u32>,
    host: &'a Host,
}

impl<'a> Group<'a> {
    pub(super) fn new(leader: Option<u32>, host: &'a Host) -> Self {
        Self { leader, host }
    }

    /// The tool has ended and its output is complete: what it left running on purpose is let be.
    pub(super) fn ended(mut self) {
        self.leader = None;
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            kill(leader, self.host);
        }
    }
}

/// Gives the tool a process group of its own and a folder that holds nothing of others.
#[cfg(unix)]
pub(super) fn prepare(command: &mut Command, _: &Host) {
    command.process_group(0).current_dir("/");
}

/// Signals the group. Its number stays taken while one of its processes lives, so that nobody else can be hit.
#[cfg(unix)]
fn kill(leader: u32, _: &Host) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // An error means that nobody is left.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// No window, and the system's folder.
#[cfg(windows)]
pub(super) fn prepare(command: &mut Command, host: &Host) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
    if let Some(folder) = host.variable("SYSTEMROOT") {
        command.current_dir(folder);
    }
}

/// Ends the process tree with the system's own tool, by its absolute path; without one the tool itself is still killed,
/// since its handle is dropped.
#[cfg(windows)]
fn kill(leader: u32, host: &Host) {
    use std::process::Stdio;
    let Some(root) = host.variable("SYSTEMROOT") else { return };
    let program = std::path::Path::new(&root).join("System32").join("taskkill.exe");
    let id = leader.to_string();
    let mut command = std::process::Command::new(program);
    command.args(["/T", "/F", "/PID", &id]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Waited for: the children must be found before their parent is gone.
    let _ = command.status();
}

#[cfg(not(any(unix, windows)))]
pub(super) fn prepare(_: &mut Command, _: &Host) {}

#[cfg(not(any(unix, windows)))]
fn kill(_: u32, _: &Host) {}
