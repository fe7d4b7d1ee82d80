//! Why settings do not name a workspace.

use super::source::Source;
use crate::error::{ParseError, Part};
#[cfg(feature = "files")]
use crate::profile::ProfileError;
use std::fmt;

/// Why settings cannot be used.
///
/// `Display` is one line; [`hint`](Self::hint) says what to do. API keys are in neither.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// A source holds a text that is not what it should be.
    Invalid {
        /// Where the text is.
        from: Source,
        /// What is wrong with it.
        error: ParseError,
    },
    /// Two values of one rank exclude each other.
    Conflict {
        /// What they disagree about.
        part: Part,
        /// One source and what it says; an API key is masked.
        first: (Source, String),
        /// The other one.
        second: (Source, String),
    },
    /// No source names the workspace, or not far enough to find the rest.
    Missing {
        /// Whether a subscription or resource group is known, so that only the name is missing.
        partly: bool,
        /// One line for each source that was ignored, and why.
        ignored: Vec<String>,
    },
    /// A profile was asked for by name, but no profile file was read.
    NoProfiles {
        /// The profile.
        name: Box<str>,
        /// Who asked for it.
        from: Source,
    },
    /// A token or secret would go to a host that only the environment names.
    Foreign {
        /// Resource manager or authority.
        part: Part,
        /// The host.
        host: Box<str>,
        /// Where it was named.
        from: Source,
    },
    /// The profile file, or a profile in it, cannot be used.
    #[cfg(feature = "files")]
    Profile(ProfileError),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { from, error } => write!(f, "{from}: {error}"),
            Self::Conflict { part, first: (one, said), second: (other, contradicted) } => {
                write!(f, "{part} is `{said}` by the {one} and `{contradicted}` by the {other}")
            }
            Self::Missing { partly, ignored } => {
                f.write_str(if *partly { "no workspace name is given" } else { "no workspace is given" })?;
                if ignored.is_empty() { Ok(()) } else { write!(f, " (ignored: {})", ignored.join("; ")) }
            }
            Self::NoProfiles { name, from } => {
                write!(f, "profile `{name}` is asked for by the {from}, but no profile file was read")
            }
            Self::Foreign { part, host, from } => {
                write!(
                    f,
                    "{part} `{host}` is not a host of a known Azure cloud, and only the {from} names it"
                )
            }
            #[cfg(feature = "files")]
            Self::Profile(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SettingsError {}

#[cfg(feature = "files")]
impl From<ProfileError> for SettingsError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(error)
    }
}

impl SettingsError {
    /// One sentence on what to do, where we would not be guessing.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Invalid { error, .. } => error.hint(),
            Self::Conflict { .. } => Some("give one of the two"),
            Self::Missing { partly: false, .. } => Some(
                "give a connection string (AZURE_QUANTUM_CONNECTION_STRING), a resource id (AZURE_QUANTUM_RESOURCE_ID), \
                 a workspace name (AZURE_QUANTUM_WORKSPACE_NAME), a profile (QWS_PROFILE), or run `az quantum workspace set`",
            ),
            Self::Missing { partly: true, .. } => Some(
                "give the workspace name too (AZURE_QUANTUM_WORKSPACE_NAME), or a resource id or connection string for all of it",
            ),
            Self::NoProfiles { .. } => {
                Some("read the profile file with `Settings::with_files` (feature `files`)")
            }
            Self::Foreign { .. } => {
                Some("name it in code with `Cloud`, or in a profile, if tokens may go there")
            }
            #[cfg(feature = "files")]
            Self::Profile(error) => error.hint(),
        }
    }
}
