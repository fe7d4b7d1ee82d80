//! Sources that have no say.

use super::value::Broken;
use super::{SettingsError, Source};
use std::fmt;

/// A source that has no say, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    pub(super) source: Source,
    pub(super) reason: String,
}

impl Ignored {
    pub(super) fn unreadable(broken: Broken) -> Self {
        let reason = match &broken.error {
            // The source is told already.
            SettingsError::Invalid { error, .. } => format!("not needed, and not readable: {error}"),
            other => format!("not needed, and not usable: {other}"),
        };
        Self { source: broken.source, reason }
    }

    /// The source.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Why it is ignored.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}
