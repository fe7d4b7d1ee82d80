//! Settings, told to people.

use super::error::SettingsError;
use super::merge::{Merged, Taken};
use super::resolve::Resolution;
use super::value::{Given, Value};
use super::{Ignored, Settings, Source};
use crate::cloud::CloudUrl;
use crate::error::Part;
use std::fmt;

/// Every value in use, where it came from, what it overrode, and what was ignored and why. API keys are masked.
///
/// `Display` prints it as a table that ends with what is left to do, or with what is wrong.
#[derive(Clone, Debug)]
pub struct Explanation {
    values: Vec<Explained>,
    ignored: Vec<Ignored>,
    outcome: Result<Resolution, SettingsError>,
}

/// One value in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    part: Part,
    value: String,
    source: Source,
    overrode: Vec<(Source, String)>,
    note: Option<String>,
}

impl Settings {
    /// Tells what the settings come to. It never fails: what is wrong is part of the answer.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let merged = self.merged();
        let outcome = merged.resolve().map(|resolved| resolved.workspace().clone());
        Explanation { values: values(&merged), outcome, ignored: merged.ignored }
    }
}

fn values(merged: &Merged) -> Vec<Explained> {
    let explained = |taken: &Taken| {
        let differs = |other: &&Given| other.value != taken.given.value;
        let told = |other: &Given| (other.source.clone(), other.value.shown().into_owned());
        Explained {
            part: taken.given.value.part(),
            value: taken.given.value.shown().into_owned(),
            source: taken.given.source.clone(),
            overrode: taken.overrode.iter().filter(differs).map(told).collect(),
            note: note(&taken.given.value),
        }
    };
    let mut values: Vec<Explained> = merged.taken.iter().map(explained).collect();
    let cloud = merged.cloud();
    for url in [&cloud.resource_manager, &cloud.authority] {
        match values.iter_mut().find(|value| value.part == url.part) {
            Some(value) => value.note = foreign(url),
            None => values.push(Explained {
                part: url.part,
                value: url.url.to_string(),
                source: url.source.clone(),
                overrode: Vec::new(),
                note: None,
            }),
        }
    }
    values.sort_by_key(|value| value.part);
    values
}

fn note(value: &Value) -> Option<String> {
    match value {
        Value::Location(location) => Some(format!("did you mean `{}`?", location.near_miss()?)),
        _ => None,
    }
}

fn foreign(url: &CloudUrl) -> Option<String> {
    let goes = if url.for_secrets().is_ok() { "tokens may go there" } else { "no token goes there" };
    url.is_foreign().then(|| format!("not a host of a known Azure cloud; {goes}"))
}

impl Explanation {
    /// The values in use.
    #[must_use]
    pub fn values(&self) -> &[Explained] {
        &self.values
    }

    /// The sources that have no say.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// What the values come to.
    ///
    /// # Errors
    /// That of [`Settings::resolve`].
    pub fn outcome(&self) -> Result<&Resolution, &SettingsError> {
        self.outcome.as_ref()
    }
}

impl Explained {
    /// What the value is.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// The value; an API key is `***`.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where it came from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The lower sources that say otherwise, and what they say.
    #[must_use]
    pub fn overrode(&self) -> &[(Source, String)] {
        &self.overrode
    }

    /// Something to look at twice.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.values.iter().map(|value| value.part.to_string().len()).max().unwrap_or(0);
        for Explained { part, value, source, overrode, note } in &self.values {
            writeln!(f, "{part:name$}  {value}  ({source})")?;
            for (source, value) in overrode {
                writeln!(f, "{:name$}  instead of {value}  ({source})", "")?;
            }
            if let Some(note) = note {
                writeln!(f, "{:name$}  {note}", "")?;
            }
        }
        for ignored in &self.ignored {
            writeln!(f, "ignored: {ignored}")?;
        }
        match &self.outcome {
            Ok(Resolution::Complete(_)) => write!(f, "complete"),
            Ok(Resolution::NeedsEndpoint { .. }) => {
                write!(f, "left to do: ask Azure Resource Manager for the endpoint")
            }
            Ok(Resolution::NeedsIds { .. }) => {
                write!(f, "left to do: find the workspace by name with Azure Resource Graph")
            }
            Err(error) => {
                write!(f, "error: {error}")?;
                error.hint().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/contoso-rg/providers/Microsoft.Quantum/Workspaces/contoso-ws";

    #[test]
    fn what_is_overridden_is_told_and_what_is_repeated_is_not() {
        let environment = |name: &str| match name {
            "AZURE_QUANTUM_RESOURCE_ID" => Some(ID.to_uppercase()),
            "AZURE_TENANT_ID" => Some("other.example".to_owned()),
            _ => None,
        };
        let settings = Settings::from_lookup(environment)
            .with_resource_id(&ID.parse().unwrap())
            .with_tenant_id("contoso.example".parse().unwrap());
        let explanation = settings.explain();
        let value = |part| explanation.values().iter().find(|value| value.part() == part).unwrap();
        assert_eq!(value(Part::WorkspaceName).overrode(), []);
        let other = (Source::Variable("AZURE_TENANT_ID"), "other.example".to_owned());
        assert_eq!(value(Part::TenantId).overrode(), [other]);
        assert_eq!(
            (value(Part::TenantId).value(), value(Part::TenantId).source()),
            ("contoso.example", &Source::Argument)
        );
    }

    #[test]
    fn a_misspelt_location_and_a_foreign_authority_are_noted() {
        let environment = |name: &str| match name {
            "AZURE_QUANTUM_RESOURCE_ID" => Some(ID.to_owned()),
            "AZURE_QUANTUM_WORKSPACE_LOCATION" => Some("eastsu".to_owned()),
            "AZURE_AUTHORITY_HOST" => Some("login.contoso.example".to_owned()),
            _ => None,
        };
        let text = Settings::from_lookup(environment).explain().to_string();
        assert!(text.contains("did you mean `eastus`?"), "{text}");
        assert!(text.contains("not a host of a known Azure cloud; no token goes there"), "{text}");
    }

    #[test]
    fn an_error_is_part_of_the_answer() {
        let text = Settings::new().explain().to_string();
        assert!(text.contains("\nerror: no workspace is given\nhint: give a connection string"), "{text}");
    }
}
