//! The files on this machine that settings are read from. The only module that opens any.

use crate::azure_cli::{self, AzureCli, AzureCliError};
use crate::profile::{ProfileError, ProfileErrorKind, Profiles};
use crate::settings::variables;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where the profile file and the Azure CLI's files are. Nothing is read until [`Settings::with_files`](crate::Settings::with_files).
///
/// ```no_run
/// use qws_config::{Files, Settings};
///
/// let lookup = |name: &str| std::env::var(name).ok();
/// let settings = Settings::from_lookup(lookup).with_files(&Files::from_lookup(lookup));
/// println!("{}", settings.explain());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    profiles: Option<PathBuf>,
    /// The profile file was named, so it must be there.
    profiles_named: bool,
    azure_cli: Option<PathBuf>,
}

/// Larger files are not settings.
const LIMIT: u64 = 1 << 20;

impl Files {
    /// No files.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The usual places: `QWS_CONFIG`, else `~/.config/qws/config.toml`; `AZURE_CONFIG_DIR`, else `~/.azure`.
    ///
    /// `~` is `HOME`, or else `USERPROFILE`; without both there are no usual places.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let path = |name| lookup(name).filter(|text| !text.trim().is_empty()).map(PathBuf::from);
        let home = path("HOME").or_else(|| path("USERPROFILE"));
        let named = path(variables::CONFIG);
        Self {
            profiles_named: named.is_some(),
            profiles: named.or_else(|| Some(home.as_ref()?.join(".config/qws/config.toml"))),
            azure_cli: path(variables::AZURE_CLI_FOLDER).or_else(|| Some(home?.join(".azure"))),
        }
    }

    /// Names the profile file; it must be there.
    #[must_use]
    pub fn with_profiles(mut self, path: impl Into<PathBuf>) -> Self {
        self.profiles = Some(path.into());
        self.profiles_named = true;
        self
    }

    /// Names the folder of the Azure CLI's files; they need not be there.
    #[must_use]
    pub fn with_azure_cli(mut self, folder: impl Into<PathBuf>) -> Self {
        self.azure_cli = Some(folder.into());
        self
    }

    pub(crate) fn read_profiles(&self) -> Result<Option<Profiles>, ProfileError> {
        let Some(path) = &self.profiles else { return Ok(None) };
        let (text, private) = match read(path) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.profiles_named => return Ok(None),
            Err(error) => {
                return Err(ProfileError::new(ProfileErrorKind::Unreadable, error.to_string()).in_file(path));
            }
        };
        let profiles: Profiles = text.parse().map_err(|error: ProfileError| error.in_file(path))?;
        Ok(Some(profiles.at(path, private)))
    }

    pub(crate) fn read_azure_cli(&self) -> Result<Option<AzureCli>, AzureCliError> {
        let Some(folder) = &self.azure_cli else { return Ok(None) };
        let text = |name| match read(&folder.join(name)) {
            Ok((text, _)) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AzureCliError::new(name, &error)),
        };
        let (profile, config) = (text(azure_cli::PROFILE)?, text(azure_cli::CONFIG)?);
        let cli =
            AzureCli::parse(profile.as_deref().map(String::as_str), config.as_deref().map(String::as_str))?;
        Ok((cli != AzureCli::default()).then_some(cli))
    }
}

/// The text of a file, and whether only its owner can read it.
fn read(path: &Path) -> io::Result<(Zeroizing<String>, bool)> {
    let file = File::open(path)?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let about = file.metadata()?;
    // Long enough from the start: growing would leave copies of a key behind.
    let capacity = usize::try_from(about.len().min(LIMIT)).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    let read = file.take(LIMIT + 1).read_to_string(&mut text)?;
    if read as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok((text, is_private(&about)))
}

#[cfg(unix)]
fn is_private(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let others = 0o077;
    about.permissions().mode() & others == 0
}

/// Whether others may read the file cannot be told here.
#[cfg(not(unix))]
fn is_private(_: &std::fs::Metadata) -> bool {
    false
}
