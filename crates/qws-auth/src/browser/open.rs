//! Opens a page in the person's browser.

use std::{fmt, sync::Arc};

use qws_http::BoxError;
use tokio::process::Child;

use crate::{AuthError, Host, tool};

type Open = dyn Fn(&str) -> Result<(), BoxError> + Send + Sync;

#[derive(Clone)]
pub(super) enum Opener {
    /// The program that this system has for it.
    System,
    Given(Arc<Open>),
}

/// A page that is being opened.
pub(super) struct Opened {
    program: Option<Child>,
}

impl Opener {
    pub(super) fn open(&self, host: &Host, page: &str) -> Result<Opened, AuthError> {
        let program = match self {
            Self::Given(open) => {
                open(page).map_err(|error| cannot("the program's own way failed").with_source(error))?;
                None
            }
            Self::System => Some(start(host, page)?),
        };
        Ok(Opened { program })
    }
}

impl Opened {
    /// Ends only if it turns out that no page was opened. The program may run for as long as the browser does.
    pub(super) async fn failure(self) -> AuthError {
        if let Some(mut program) = self.program
            && let Ok(status) = program.wait().await
            && !status.success()
        {
            return cannot("the system's program for it failed");
        }
        std::future::pending().await
    }
}

fn start(host: &Host, page: &str) -> Result<Child, AuthError> {
    let session = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    let elsewhere = cfg!(any(windows, target_os = "macos"));
    if !elsewhere && session.iter().all(|name| host.variable(name).is_none()) {
        return Err(cannot("there is no graphical session (DISPLAY and WAYLAND_DISPLAY are not set)"));
    }
    // The address holds no quote and no space: it was percent-encoded.
    let in_windows = format!("Start-Process '{page}'");
    let from_linux_in_windows: [&str; 4] = ["-NoProfile", "-NonInteractive", "-Command", &in_windows];
    let (program, arguments): (_, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler", page])
    } else if cfg!(target_os = "macos") {
        ("open", &[page])
    } else if host.variable("WSL_DISTRO_NAME").is_some() {
        ("powershell.exe", &from_linux_in_windows)
    } else {
        ("xdg-open", &[page])
    };
    let child = tool::start(host, program, arguments);
    let child = child.ok_or_else(|| cannot(&format!("`{program}` is not on PATH")))?;
    child.map_err(|error| cannot("the system's program for it does not start").with_source(error))
}

fn cannot(why: &str) -> AuthError {
    AuthError::unavailable(format!("no browser can be opened: {why}"))
        .with_hint("sign in with `DeviceCode`, or with `az login` beforehand")
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Given(_) => "Given",
        })
    }
}
