//! The generations of workspaces.

use std::fmt;

/// The generation of a workspace. V2 workspaces count quota in minutes of a target and live on `-v2` hosts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WorkspaceKind {
    /// `V1`.
    V1,
    /// `V2`.
    V2,
    /// Another one, in the service's own text.
    Other(Box<str>),
}

impl WorkspaceKind {
    /// Reads the service's `workspaceKind`, in any case. No text, which Resource Graph gives for a workspace without a kind, is `None`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "" => None,
            "V1" | "v1" => Some(Self::V1),
            "V2" | "v2" => Some(Self::V2),
            other => Some(Self::Other(other.into())),
        }
    }
}

impl fmt::Display for WorkspaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::Other(text) => text,
        })
    }
}
