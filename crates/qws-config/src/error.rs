//! The error of every parser in this crate.

use std::borrow::Cow;
use std::fmt;

/// Why a text is not the value it should be.
///
/// `Display` is one line that names the part, what was found, where, and what would be right. The value of an API key is in
/// none of the outputs, `Debug` included.
///
/// ```
/// use qws_config::{ParseErrorKind, WorkspaceName};
///
/// let error = "contoso ws".parse::<WorkspaceName>().unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::Character);
/// assert_eq!(error.at(), Some(7));
/// assert_eq!(
///     error.to_string(),
///     "workspace name has ' ' at byte 7; expected ASCII letters, digits, inner '-' and '_'",
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    part: Part,
    kind: ParseErrorKind,
    found: Cow<'static, str>,
    expected: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    at: usize,
}

/// What sort of mistake a [`ParseError`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// There is no text, or only white space.
    Empty,
    /// A required part is not there.
    Missing,
    /// A part is there twice.
    Duplicate,
    /// A part has a name that does not belong here.
    Unknown,
    /// Two parts exclude each other.
    Conflict,
    /// The text is too short or too long.
    Length,
    /// A character is not allowed where it stands.
    Character,
    /// The text is not built as it should be.
    Shape,
    /// The scheme of a URL is not allowed for its host.
    Scheme,
    /// The host is not one of the Azure Quantum service, nor this machine.
    Host,
    /// A well-formed resource id, but of something that is not a workspace.
    OtherResource,
}

/// The value that a [`ParseError`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// A [`SubscriptionId`](crate::SubscriptionId).
    SubscriptionId,
    /// A [`ResourceGroup`](crate::ResourceGroup).
    ResourceGroup,
    /// A [`WorkspaceName`](crate::WorkspaceName).
    WorkspaceName,
    /// A [`Location`](crate::Location).
    Location,
    /// A [`TenantId`](crate::TenantId).
    TenantId,
    /// An [`Endpoint`](crate::Endpoint).
    Endpoint,
    /// The API key inside a connection string.
    ApiKey,
    /// The application or managed identity to sign in as.
    ClientId,
    /// What the program calls itself in the user agent.
    AppId,
    /// The endpoint of Azure Resource Manager.
    ResourceManager,
    /// The authority that gives tokens.
    Authority,
    /// The scope of tokens for the data plane.
    QuantumScope,
    /// The scope of tokens for Resource Manager.
    ManagementScope,
    /// The file with extra root certificates.
    CaFile,
    /// A [`ResourceId`](crate::ResourceId) as a whole.
    ResourceId,
    /// A [`ConnectionString`](crate::ConnectionString) as a whole.
    ConnectionString,
    /// The connection string of a storage account as a whole.
    StorageConnectionString,
    /// The name of a storage account.
    StorageAccount,
    /// The key of a storage account.
    AccountKey,
    /// Where the containers of a storage account are.
    BlobEndpoint,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SubscriptionId => "subscription id",
            Self::ResourceGroup => "resource group",
            Self::WorkspaceName => "workspace name",
            Self::Location => "location",
            Self::TenantId => "tenant id",
            Self::Endpoint => "endpoint",
            Self::ApiKey => "api key",
            Self::ClientId => "client id",
            Self::AppId => "app id",
            Self::ResourceManager => "resource manager",
            Self::Authority => "authority",
            Self::QuantumScope => "quantum scope",
            Self::ManagementScope => "management scope",
            Self::CaFile => "ca file",
            Self::ResourceId => "resource id",
            Self::ConnectionString => "connection string",
            Self::StorageConnectionString => "storage connection string",
            Self::StorageAccount => "storage account",
            Self::AccountKey => "account key",
            Self::BlobEndpoint => "blob endpoint",
        })
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { part, found, at, expected, .. } = &*self.0;
        write!(f, "{part} {found} at byte {at}; expected {expected}")
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    pub(crate) fn new(
        part: Part,
        kind: ParseErrorKind,
        at: usize,
        found: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (found, expected) = (found.into(), expected.into());
        Self(Box::new(Inner { part, kind, found, expected, hint: None, at }))
    }

    /// A character that may not stand at `at`.
    pub(crate) fn character(part: Part, at: usize, found: char, expected: &'static str) -> Self {
        Self::new(part, ParseErrorKind::Character, at, format!("has {found:?}"), expected)
    }

    pub(crate) fn empty(part: Part, at: usize, expected: &'static str) -> Self {
        Self::new(part, ParseErrorKind::Empty, at, "is empty", expected)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn expecting(mut self, expected: &'static str) -> Self {
        self.0.expected = expected.into();
        self
    }

    /// The same error about a text that begins `at` and lacks `added` bytes which were put in front for reading.
    pub(crate) fn moved(mut self, at: usize, added: usize) -> Self {
        self.0.at = at + self.0.at.saturating_sub(added);
        self
    }

    /// The value that is wrong; inside a connection string or resource id, the part of it.
    #[must_use]
    pub fn part(&self) -> Part {
        self.0.part
    }

    /// The sort of mistake.
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.0.kind
    }

    /// Where the mistake begins: a byte offset into the text that was parsed, on a character boundary, at most its length.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        Some(self.0.at)
    }

    /// One sentence on what to do, where we would not be guessing.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParseError({:?}, {:?}: {self})", self.0.part, self.0.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_one_word_wide_and_crosses_threads() {
        fn assert_send_sync<T: Send + Sync + std::error::Error + 'static>() {}
        assert_send_sync::<ParseError>();
        assert_eq!(size_of::<ParseError>(), size_of::<usize>());
    }

    #[test]
    fn the_message_names_part_finding_place_and_remedy() {
        let error =
            ParseError::character(Part::Location, 4, '-', "letters and digits").with_hint("write `eastus`");
        assert_eq!(error.to_string(), "location has '-' at byte 4; expected letters and digits");
        assert_eq!(error.hint(), Some("write `eastus`"));
        assert_eq!(
            format!("{error:?}"),
            "ParseError(Location, Character: location has '-' at byte 4; expected letters and digits)"
        );
    }
}
