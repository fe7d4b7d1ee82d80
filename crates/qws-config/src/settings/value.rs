//! One setting, and the group of settings that one source gives.

use super::error::SettingsError;
use super::source::Source;
use crate::connection_string::ConnectionString;
use crate::endpoint::Endpoint;
use crate::error::{ParseError, Part};
use crate::location::Location;
use crate::names::{ResourceGroup, SubscriptionId, TenantId, WorkspaceName};
use crate::resource_id::ResourceId;
use crate::secret::Secret;
use crate::{cloud, plain};
use std::borrow::Cow;
use std::path::PathBuf;
use url::Url;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    SubscriptionId(SubscriptionId),
    ResourceGroup(ResourceGroup),
    WorkspaceName(WorkspaceName),
    Location(Location),
    Endpoint(Endpoint),
    /// `None`: a connection string without a key. It takes the place, so that no lower source can put a key there.
    ApiKey(Option<Secret>),
    TenantId(TenantId),
    ClientId(Box<str>),
    AppId(Box<str>),
    ResourceManager(Url),
    Authority(Url),
    QuantumScope(Box<str>),
    ManagementScope(Box<str>),
    CaFile(PathBuf),
}

/// Reads the text of one variable or key into the values it stands for.
pub(crate) type Reader = fn(&str) -> Result<Vec<Value>, ParseError>;

/// The readers, by what the text is.
pub(crate) mod read {
    use super::{ParseError, Part, Value, cloud, plain};

    macro_rules! readers {
        ($($name:ident: $text:ident => $value:expr;)*) => {
            $(pub(crate) fn $name($text: &str) -> Result<Vec<Value>, ParseError> {
                Ok(vec![$value])
            })*
        };
    }

    readers! {
        subscription_id: text => Value::SubscriptionId(text.parse()?);
        resource_group: text => Value::ResourceGroup(text.parse()?);
        workspace_name: text => Value::WorkspaceName(text.parse()?);
        location: text => Value::Location(text.parse()?);
        endpoint: text => Value::Endpoint(text.parse()?);
        tenant_id: text => Value::TenantId(text.parse()?);
        client_id: text => Value::ClientId(plain::token(Part::ClientId, text)?);
        app_id: text => Value::AppId(plain::line(Part::AppId, text)?);
        resource_manager: text => Value::ResourceManager(cloud::resource_manager(text)?);
        authority: text => Value::Authority(cloud::authority(text)?);
        ca_file: text => Value::CaFile(text.trim().into());
    }

    pub(crate) fn resource_id(text: &str) -> Result<Vec<Value>, ParseError> {
        text.parse().map(|id| Value::of_resource_id(&id).into())
    }

    pub(crate) fn connection_string(text: &str) -> Result<Vec<Value>, ParseError> {
        text.parse().map(|string| Value::of_connection_string(&string))
    }
}

impl Value {
    pub(crate) fn of_resource_id(id: &ResourceId) -> [Self; 3] {
        [
            Self::SubscriptionId(id.subscription_id().clone()),
            Self::ResourceGroup(id.resource_group().clone()),
            Self::WorkspaceName(id.workspace_name().clone()),
        ]
    }

    pub(crate) fn of_connection_string(string: &ConnectionString) -> Vec<Self> {
        let mut values = Vec::from(Self::of_resource_id(string.resource_id()));
        values.push(Self::Endpoint(string.endpoint().clone()));
        values.extend(string.location().cloned().map(Self::Location));
        values.push(Self::ApiKey(string.api_key().cloned()));
        values.extend(string.tenant_id().cloned().map(Self::TenantId));
        values
    }

    pub(crate) fn part(&self) -> Part {
        match self {
            Self::SubscriptionId(_) => Part::SubscriptionId,
            Self::ResourceGroup(_) => Part::ResourceGroup,
            Self::WorkspaceName(_) => Part::WorkspaceName,
            Self::Location(_) => Part::Location,
            Self::Endpoint(_) => Part::Endpoint,
            Self::ApiKey(_) => Part::ApiKey,
            Self::TenantId(_) => Part::TenantId,
            Self::ClientId(_) => Part::ClientId,
            Self::AppId(_) => Part::AppId,
            Self::ResourceManager(_) => Part::ResourceManager,
            Self::Authority(_) => Part::Authority,
            Self::QuantumScope(_) => Part::QuantumScope,
            Self::ManagementScope(_) => Part::ManagementScope,
            Self::CaFile(_) => Part::CaFile,
        }
    }

    /// The value for people's eyes.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::SubscriptionId(id) => id.as_str().into(),
            Self::ResourceGroup(name) => name.as_str().into(),
            Self::WorkspaceName(name) => name.as_str().into(),
            Self::Location(location) => location.as_str().into(),
            Self::Endpoint(endpoint) => endpoint.as_url().as_str().into(),
            Self::ApiKey(Some(_)) => "***".into(),
            Self::ApiKey(None) => "none".into(),
            Self::TenantId(id) => id.as_str().into(),
            Self::ResourceManager(url) | Self::Authority(url) => url.as_str().into(),
            Self::ClientId(text)
            | Self::AppId(text)
            | Self::QuantumScope(text)
            | Self::ManagementScope(text) => (&**text).into(),
            Self::CaFile(path) => path.to_string_lossy(),
        }
    }

    /// Whether the two cannot both be told about one workspace.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::SubscriptionId(_), Self::SubscriptionId(_))
            | (Self::ResourceGroup(_), Self::ResourceGroup(_))
            | (Self::WorkspaceName(_), Self::WorkspaceName(_))
            | (Self::Location(_), Self::Location(_))
            | (Self::Endpoint(_), Self::Endpoint(_)) => self != other,
            (Self::Location(location), Self::Endpoint(endpoint))
            | (Self::Endpoint(endpoint), Self::Location(location)) => {
                endpoint.location().is_some_and(|of_host| of_host != location)
            }
            _ => false,
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) source: Source,
}

/// The order of precedence, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Argument,
    NamedProfile,
    Environment,
    /// Variables about who signs in and to which cloud. They fit every workspace.
    Surroundings,
    EnvironmentConnectionString,
    #[cfg(feature = "files")]
    DefaultProfile,
    /// Variables whose names other programs use too.
    SharedVariable,
    #[cfg(feature = "files")]
    AzureCli,
}

/// A text that could not be read. It is an error only if it turns out to be needed.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) source: Source,
    pub(crate) error: SettingsError,
}

/// What one source gives: taken together or, if it names another workspace, not at all.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) rank: Rank,
    pub(crate) given: Vec<Given>,
    pub(crate) broken: Vec<Broken>,
}

impl Layer {
    pub(crate) fn new(rank: Rank) -> Self {
        Self { rank, given: Vec::new(), broken: Vec::new() }
    }

    /// A layer of which nothing could be read.
    pub(crate) fn broken(rank: Rank, source: Source, error: SettingsError) -> Self {
        Self { rank, given: Vec::new(), broken: vec![Broken { source, error }] }
    }

    pub(crate) fn give(&mut self, source: &Source, values: impl IntoIterator<Item = Value>) {
        self.given.extend(values.into_iter().map(|value| Given { value, source: source.clone() }));
    }

    /// Gives what `text` says, or keeps the error. A blank text is no value.
    pub(crate) fn read(&mut self, source: &Source, text: Option<String>, reader: Reader) {
        let Some(text) = text.filter(|text| !text.trim().is_empty()).map(Secret::new) else { return };
        match reader(text.expose()) {
            Ok(values) => self.give(source, values),
            Err(error) => {
                let error = SettingsError::Invalid { from: source.clone(), error };
                self.broken.push(Broken { source: source.clone(), error });
            }
        }
    }

    pub(crate) fn names_a_workspace(&self) -> bool {
        self.given.iter().any(|given| matches!(given.value, Value::WorkspaceName(_)))
    }

    /// The first value of this layer that contradicts one of `others`, and that one.
    pub(crate) fn contradiction<'a>(&'a self, others: &[&'a Given]) -> Option<(&'a Given, &'a Given)> {
        self.given.iter().find_map(|ours| {
            let theirs = others.iter().find(|theirs| ours.value.contradicts(&theirs.value))?;
            Some((ours, *theirs))
        })
    }

    /// Two values of this layer that exclude each other. Values of one rank are equals: none of them can be preferred.
    pub(crate) fn conflict(&self) -> Option<SettingsError> {
        self.given.iter().enumerate().find_map(|(index, second)| {
            let excludes = |first: &&Given| {
                let same_part = first.value.part() == second.value.part();
                first.value.contradicts(&second.value) || same_part && first.value != second.value
            };
            let first = self.given[..index].iter().find(excludes)?;
            let told = |given: &Given| (given.source.clone(), given.value.shown().into_owned());
            Some(SettingsError::Conflict {
                part: second.value.part(),
                first: told(first),
                second: told(second),
            })
        })
    }
}
