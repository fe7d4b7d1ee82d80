//! What links allow, and for how long.

use std::time::Duration;

/// What a link that we sign ourselves allows. Links of the service's allow what the service thinks right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The service reads a job's input and writes its output: what the Python client gives it, for the 14 days that a
    /// job may have to wait.
    Job,
    /// Reading a blob.
    Read,
    /// Writing a blob, and comparing it with one that is there.
    Write,
    /// Listing a container.
    List,
}

impl Access {
    /// Letters in the order that Azure asks for.
    pub(super) fn permissions(self) -> &'static str {
        match self {
            Self::Job => "racw",
            Self::Read => "r",
            Self::Write => "rcw",
            Self::List => "l",
        }
    }

    pub(super) fn lifetime(self) -> Duration {
        let days = if self == Self::Job { 14 } else { 1 };
        Duration::from_secs(days * 24 * 60 * 60)
    }
}
