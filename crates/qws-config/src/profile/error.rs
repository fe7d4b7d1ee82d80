//! Why profiles cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a profile file, or a profile in it, cannot be used. Values of keys are never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ProfileErrorKind,
    path: Option<PathBuf>,
    /// Byte offset, line and column.
    place: Option<(usize, usize, usize)>,
    message: String,
    hint: Option<String>,
}

/// What sort of mistake a [`ProfileError`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProfileErrorKind {
    /// The file cannot be read.
    Unreadable,
    /// The text is no TOML.
    Syntax,
    /// The version is missing or unknown.
    Version,
    /// A key is not one of the file's.
    UnknownKey,
    /// A value has the wrong TOML type.
    Type,
    /// A text is not what it should be.
    Value,
    /// The profile asked for, or the default one, is not in the file.
    NoSuchProfile,
    /// The profile holds an API key, and others may be able to read the file.
    NotPrivate,
}

impl ProfileError {
    pub(crate) fn new(kind: ProfileErrorKind, message: String) -> Self {
        Self(Box::new(Inner { kind, path: None, place: None, message, hint: None }))
    }

    pub(super) fn located(mut self, text: &str, at: usize) -> Self {
        let at = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
        let before = &text[..at];
        let line_at = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.matches('\n').count() + 1;
        self.0.place = Some((at, line, before[line_at..].chars().count() + 1));
        self
    }

    pub(crate) fn hinted(mut self, hint: String) -> Self {
        self.0.hint = Some(hint);
        self
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_owned());
        self
    }

    /// The sort of mistake.
    #[must_use]
    pub fn kind(&self) -> ProfileErrorKind {
        self.0.kind
    }

    /// Where in the text the mistake is: a byte offset on a character boundary.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        self.0.place.map(|(at, _, _)| at)
    }

    /// One sentence on what to do, where we would not be guessing.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("profile file")?;
        if let Some(path) = &self.0.path {
            write!(f, " `{}`", path.display())?;
        }
        if let Some((_, line, column)) = self.0.place {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}", self.0.message)
    }
}

impl std::error::Error for ProfileError {}
