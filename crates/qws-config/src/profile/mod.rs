//! The profile file: named workspaces in TOML.

mod error;

pub use error::{ProfileError, ProfileErrorKind};

use crate::endpoint::Endpoint;
use crate::error::{ParseError, Part};
use crate::location::edits;
use crate::plain;
use crate::settings::value::{Layer, Rank, Reader, Value, read};
use crate::settings::{SettingsError, Source};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The profiles of a profile file, `~/.config/qws/config.toml` unless `QWS_CONFIG` says otherwise.
///
/// ```
/// use qws_config::{Profiles, Settings};
///
/// let profiles: Profiles = r#"
///     version = 1
///     default = "work"
///
///     [profile.work]
///     resource_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/contoso-rg/providers/Microsoft.Quantum/Workspaces/contoso-ws"
///     location = "East US"
///     tenant_id = "contoso.example"
///
///     [profile.private-link]
///     workspace_name = "contoso-ws"
///     custom_endpoint = "https://quantum.contoso.example/"
/// "#
/// .parse()?;
/// assert_eq!(profiles.names().collect::<Vec<_>>(), ["private-link", "work"]);
///
/// let resolved = Settings::new().with_profiles(profiles).resolve()?;
/// assert_eq!(resolved.tenant_id().map(|t| t.as_str()), Some("contoso.example"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A profile may hold a `connection_string`; with an API key in it, only a file that nobody but its owner can read is used (on Unix mode
/// 0600; elsewhere that cannot be checked, so there a key has no place in the file).
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    default: Option<Box<str>>,
    named: BTreeMap<Box<str>, Result<Vec<Value>, ProfileError>>,
    path: Option<PathBuf>,
    private: bool,
}

/// The keys of a profile, each read as the variable or argument of that meaning is.
const KEYS: [(&str, Reader); 16] = [
    ("connection_string", read::connection_string),
    ("resource_id", read::resource_id),
    ("subscription_id", read::subscription_id),
    ("resource_group", read::resource_group),
    ("workspace_name", read::workspace_name),
    ("location", read::location),
    ("endpoint", read::endpoint),
    ("custom_endpoint", |text| Ok(vec![Value::Endpoint(Endpoint::custom(text)?)])),
    ("tenant_id", read::tenant_id),
    ("client_id", read::client_id),
    ("app_id", read::app_id),
    ("resource_manager", read::resource_manager),
    ("authority", read::authority),
    ("quantum_scope", |text| Ok(vec![Value::QuantumScope(plain::scope(Part::QuantumScope, text)?)])),
    ("management_scope", |text| Ok(vec![Value::ManagementScope(plain::scope(Part::ManagementScope, text)?)])),
    ("ca_file", read::ca_file),
];
const TOP_KEYS: [&str; 3] = ["version", "default", "profile"];

impl Profiles {
    /// The names of the profiles, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(|name| &**name)
    }

    /// The profile that is used if none is asked for.
    #[must_use]
    pub fn default_name(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Takes API keys from these profiles without knowing who else can read them. The caller knows.
    #[must_use]
    pub fn assume_private(mut self) -> Self {
        self.private = true;
        self
    }

    pub(crate) fn at(mut self, path: &Path, private: bool) -> Self {
        self.path = Some(path.to_owned());
        self.private = private;
        self
    }

    /// What the profile gives, or why it cannot be used.
    pub(crate) fn layer(&self, name: &str, rank: Rank) -> Layer {
        let source =
            if rank == Rank::NamedProfile { Source::Profile(name.into()) } else { Source::ConfigFile };
        match self.values(name) {
            Ok(values) => {
                let mut layer = Layer::new(rank);
                layer.give(&source, values.iter().cloned());
                layer
            }
            Err(error) => {
                let error = match &self.path {
                    Some(path) => error.in_file(path),
                    None => error,
                };
                Layer::broken(rank, source, SettingsError::Profile(error))
            }
        }
    }

    fn values(&self, name: &str) -> Result<&[Value], ProfileError> {
        let Some(profile) = self.named.get(name) else {
            let names: Vec<String> = self.names().map(|name| format!("`{name}`")).collect();
            let there_are = if names.is_empty() { "no profiles".to_owned() } else { names.join(", ") };
            let message = format!("there is no profile `{name}`");
            return Err(ProfileError::new(ProfileErrorKind::NoSuchProfile, message)
                .hinted(format!("the file has {there_are}")));
        };
        let values = profile.as_ref().map_err(Clone::clone)?;
        if !self.private && values.iter().any(|value| matches!(value, Value::ApiKey(Some(_)))) {
            let message =
                format!("profile `{name}` holds an API key, but others may be able to read the file");
            return Err(ProfileError::new(ProfileErrorKind::NotPrivate, message).hinted(
                "make the file private (`chmod 600`), or keep the key in AZURE_QUANTUM_CONNECTION_STRING"
                    .to_owned(),
            ));
        }
        Ok(values)
    }
}

impl FromStr for Profiles {
    type Err = ProfileError;

    /// Reads the text of a profile file. A mistake inside one profile is kept until that profile is used.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser's own Display would repeat the line, key and all; its message does not.
        let file = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            ProfileError::new(ProfileErrorKind::Syntax, format!("no valid TOML: {}", error.message()))
                .located(text, at)
        })?;
        let file = file.get_ref();
        check_version(text, file)?;
        if let Some((key, _)) = file.iter().find(|(key, _)| !TOP_KEYS.contains(&&**key.get_ref())) {
            return Err(unknown_key(text, key, &TOP_KEYS));
        }
        let default = match file.get("default") {
            Some(value) => Some(string(text, "default", value)?.into()),
            None => None,
        };
        let mut named = BTreeMap::new();
        if let Some(value) = file.get("profile") {
            for (name, profile) in table(text, "profile", value)? {
                let table = table(text, "profile.NAME", profile);
                named.insert(
                    name.get_ref().as_ref().into(),
                    table.and_then(|table| read_profile(text, table)),
                );
            }
        }
        Ok(Self { default, named, path: None, private: false })
    }
}

fn check_version(text: &str, file: &DeTable<'_>) -> Result<(), ProfileError> {
    let Some(version) = file.get("version") else {
        let error = ProfileError::new(ProfileErrorKind::Version, "`version` is missing".to_owned());
        return Err(error.located(text, 0).hinted("begin the file with `version = 1`".to_owned()));
    };
    if version.get_ref().as_integer().is_some_and(|number| number.as_str() == "1") {
        return Ok(());
    }
    let error = ProfileError::new(ProfileErrorKind::Version, "`version` is not 1".to_owned());
    Err(error
        .located(text, version.span().start)
        .hinted("this program reads version 1 of the file only".to_owned()))
}

fn read_profile(text: &str, table: &DeTable<'_>) -> Result<Vec<Value>, ProfileError> {
    let mut values = Vec::new();
    for (key, value) in table {
        let Some((name, reader)) = KEYS.iter().find(|(name, _)| *name == key.get_ref()) else {
            return Err(unknown_key(text, key, &KEYS.map(|(name, _)| name)));
        };
        let read = reader(string(text, name, value)?).map_err(|error| invalid(text, name, value, &error))?;
        values.extend(read);
    }
    Ok(values)
}

fn string<'a>(text: &str, key: &str, value: &'a Spanned<DeValue<'_>>) -> Result<&'a str, ProfileError> {
    value.get_ref().as_str().ok_or_else(|| wrong_type(text, key, value, "a string"))
}

fn table<'a, 'i>(
    text: &str,
    key: &str,
    value: &'a Spanned<DeValue<'i>>,
) -> Result<&'a DeTable<'i>, ProfileError> {
    value.get_ref().as_table().ok_or_else(|| wrong_type(text, key, value, "a table"))
}

fn wrong_type(text: &str, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> ProfileError {
    let found = value.get_ref().type_str();
    let message = format!("`{key}` has the type {found}; expected {expected}");
    ProfileError::new(ProfileErrorKind::Type, message).located(text, value.span().start)
}

fn invalid(text: &str, key: &str, value: &Spanned<DeValue<'_>>, error: &ParseError) -> ProfileError {
    let located = ProfileError::new(ProfileErrorKind::Value, format!("`{key}`: {error}"))
        .located(text, value.span().start);
    match error.hint() {
        Some(hint) => located.hinted(hint.to_owned()),
        None => located,
    }
}

/// A key that is not known is not repeated: it may be text that slipped out of a string.
fn unknown_key(text: &str, key: &Spanned<Cow<'_, str>>, known: &[&str]) -> ProfileError {
    let (name, at) = (key.get_ref(), key.span().start);
    let error = ProfileError::new(ProfileErrorKind::UnknownKey, "this key is not known here".to_owned())
        .located(text, at);
    match known.iter().find(|known| name.len() < 40 && edits(name, known) <= 2) {
        Some(meant) => error.hinted(format!("did you mean `{meant}`?")),
        None => error.hinted(format!("known are {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    /// The error of the file, or of its profile `p`.
    fn error(text: &str) -> ProfileError {
        match text.parse::<Profiles>() {
            Err(error) => error,
            Ok(profiles) => {
                match Settings::new().with_profiles(profiles).with_profile("p").resolve().unwrap_err() {
                    SettingsError::Profile(error) => error,
                    other => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        use ProfileErrorKind::{NoSuchProfile, Syntax, Type, UnknownKey, Value, Version};
        for (text, kind, message) in [
            ("", Version, "profile file, line 1, column 1: `version` is missing"),
            ("version = 2", Version, "profile file, line 1, column 11: `version` is not 1"),
            (
                "version = 1\nprofil = 1",
                UnknownKey,
                "profile file, line 2, column 1: this key is not known here",
            ),
            (
                "version = 1\nprofile = 1",
                Type,
                "profile file, line 2, column 11: `profile` has the type integer; expected a table",
            ),
            (
                "version = 1\ndefault = 1",
                Type,
                "profile file, line 2, column 11: `default` has the type integer; expected a string",
            ),
            (
                "version = 1\n[profile.p]\nlocation = 1",
                Type,
                "profile file, line 3, column 12: `location` has the type integer; expected a string",
            ),
            (
                "version = 1\n[profile.p]\n\"組\".x = 1",
                UnknownKey,
                "profile file, line 3, column 1: this key is not known here",
            ),
            (
                "version = 1\n[profile.p]\nworkspace_name = 'a b'",
                Value,
                "profile file, line 3, column 18: `workspace_name`: workspace name has ' ' at byte 1; expected ASCII letters, digits, inner '-' and '_'",
            ),
            ("version = 1\n[profile.q]", NoSuchProfile, "profile file: there is no profile `p`"),
            (
                "version = 1\nversion = 1",
                Syntax,
                "profile file, line 2, column 1: no valid TOML: duplicate key",
            ),
        ] {
            let error = error(text);
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "{text}");
        }
    }

    #[test]
    fn a_mistake_in_one_profile_does_not_spoil_the_others() {
        let text = "version = 1\ndefault = 'good'\n[profile.good]\nworkspace_name = 'ws'\n[profile.bad]\nlocation = '?'";
        let profiles: Profiles = text.parse().unwrap();
        assert_eq!(profiles.default_name(), Some("good"));
        assert!(Settings::new().with_profiles(profiles.clone()).resolve().is_ok());
        assert!(Settings::new().with_profiles(profiles).with_profile("bad").resolve().is_err());
    }

    #[test]
    fn hints_name_the_key_that_was_meant_and_the_profiles_there_are() {
        assert_eq!(
            error("version = 1\n[profile.p]\nresource-id = ''").hint(),
            Some("did you mean `resource_id`?")
        );
        assert_eq!(
            error("version = 1\n[profile.work]\n[profile.home]").hint(),
            Some("the file has `home`, `work`")
        );
        assert_eq!(error("version = 1").hint(), Some("the file has no profiles"));
    }

    #[test]
    fn a_line_that_holds_a_key_is_not_repeated() {
        for text in [
            "connection_string = 'ApiKey=hunter2",
            "connection_string = hunter2",
            "hunter2 = 1",
            "\"hunter2\" = 1",
            "ApiKey=hunter2;",
        ] {
            let error = error(&format!("version = 1\n[profile.p]\n{text}\n"));
            assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("hunter2"), "{error}");
        }
    }
}
