//! Where a setting came from.

use std::fmt;

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// Nobody said otherwise.
    Default,
    /// The program gave the value itself.
    Argument,
    /// A resource id that the program gave.
    ResourceId,
    /// A connection string that the program gave.
    ConnectionString,
    /// The profile of this name, which the program or `QWS_PROFILE` asked for.
    Profile(Box<str>),
    /// The environment variable of this name.
    Variable(&'static str),
    /// The default profile of the profile file.
    ConfigFile,
    /// What `az login`, `az account set` and `az quantum workspace set` left behind.
    AzureCli,
}

impl Source {
    /// Whether somebody wrote the value down for this very program: in code, or in a profile.
    ///
    /// Environment variables are not that: they reach every program that is started beside this one.
    #[must_use]
    pub fn is_deliberate(&self) -> bool {
        match self {
            Self::Argument
            | Self::ResourceId
            | Self::ConnectionString
            | Self::Profile(_)
            | Self::ConfigFile => true,
            Self::Default | Self::Variable(_) | Self::AzureCli => false,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Argument => f.write_str("argument"),
            Self::ResourceId => f.write_str("resource id argument"),
            Self::ConnectionString => f.write_str("connection string argument"),
            Self::Profile(name) => write!(f, "profile `{name}`"),
            Self::Variable(name) => write!(f, "variable `{name}`"),
            Self::ConfigFile => f.write_str("profile file's default profile"),
            Self::AzureCli => f.write_str("Azure CLI"),
        }
    }
}
