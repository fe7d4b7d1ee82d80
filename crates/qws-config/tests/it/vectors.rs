//! Every row of `tests/vectors`: what was tried with the Python client 3.13.0, what it did, what we do, and why if that differs.

use qws_config::{
    AzureCli, Cloud, ConnectionString, Endpoint, Location, ParseError, Profiles, Resolution, ResourceGroup,
    ResourceId, Secret, Settings, SettingsError, SubscriptionId, WorkspaceKind, WorkspaceName,
};
use serde_json::{Map, Value as Json, json};
use std::fmt::Display;

fn rows(text: &str) -> Vec<Json> {
    serde_json::from_str(text).unwrap()
}

/// A row where the two clients differ says why.
fn check_reason(row: &Json, agrees: bool) {
    let reason = row["why"].as_str().unwrap_or_default();
    assert!(agrees || row.get("python").is_none() || !reason.is_empty(), "no reason given: {row:#}");
}

/// What a row says about the outcome, with the error's part and place, or the value.
fn outcome<T>(result: Result<T, ParseError>, value: impl FnOnce(T) -> Json) -> Json {
    match result {
        Ok(ok) => value(ok),
        Err(error) => {
            json!({ "error": format!("{:?}", error.kind()), "part": format!("{:?}", error.part()), "at": error.at() })
        }
    }
}

fn object(fields: &[(&str, Option<String>)]) -> Json {
    let given =
        fields.iter().filter_map(|(name, value)| Some(((*name).to_owned(), Json::from(value.clone()?))));
    Json::Object(given.collect::<Map<_, _>>())
}

fn text(value: Option<impl Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[test]
fn connection_strings_are_read_as_the_vectors_say() {
    for row in rows(include_str!("../vectors/connection_strings.json")) {
        let found = outcome(row["text"].as_str().unwrap().parse(), |string: ConnectionString| {
            let id = string.resource_id();
            object(&[
                ("subscription_id", text(Some(id.subscription_id()))),
                ("resource_group", text(Some(id.resource_group()))),
                ("workspace_name", text(Some(id.workspace_name()))),
                ("endpoint", text(Some(string.endpoint()))),
                ("location", text(string.location())),
                ("kind", text(string.endpoint().kind())),
                ("api_key", text(string.api_key().map(Secret::expose))),
                ("tenant_id", text(string.tenant_id())),
            ])
        });
        assert_eq!(found, row["ours"], "{row:#}");
        check_reason(&row, (row["python"] == "accepts") == found.get("error").is_none());
    }
}

#[test]
fn resource_ids_are_read_as_the_vectors_say() {
    for row in rows(include_str!("../vectors/resource_ids.json")) {
        let found = outcome(row["text"].as_str().unwrap().parse(), |id: ResourceId| {
            object(&[
                ("subscription_id", text(Some(id.subscription_id()))),
                ("resource_group", text(Some(id.resource_group()))),
                ("workspace_name", text(Some(id.workspace_name()))),
            ])
        });
        assert_eq!(found, row["ours"], "{row:#}");
        check_reason(&row, (row["python"] == "accepts") == found.get("error").is_none());
    }
}

#[test]
fn single_values_are_read_as_the_vectors_say() {
    fn read<T: std::str::FromStr<Err = ParseError> + Display>(text: &str) -> Json {
        outcome(text.parse(), |value: T| json!({ "value": value.to_string() }))
    }
    for row in rows(include_str!("../vectors/values.json")) {
        let value = row["value"].as_str().unwrap();
        let found = match row["field"].as_str().unwrap() {
            "subscription_id" => read::<SubscriptionId>(value),
            "resource_group" => read::<ResourceGroup>(value),
            "workspace_name" => read::<WorkspaceName>(value),
            "location" => read::<Location>(value),
            "workspace_kind" => json!({ "value": WorkspaceKind::read(value).map(|kind| kind.to_string()) }),
            "environment" => json!({ "not_offered": true }),
            other => panic!("unknown field {other}"),
        };
        assert_eq!(found, row["ours"], "{row:#}");
        check_reason(&row, (row["python"] == "accepts") == found.get("value").is_some());
    }
}

/// The settings of a row; `None` if an argument of it cannot even be made.
fn settings(row: &Json) -> Option<Settings> {
    let environment = |name: &str| row["environment"][name].as_str().map(str::to_owned);
    let mut settings = Settings::from_lookup(environment);
    for (name, value) in row["arguments"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap();
        settings = match name.as_str() {
            "resource_id" => settings.with_resource_id(&value.parse().ok()?),
            "connection_string" => settings.with_connection_string(&value.parse().ok()?),
            "subscription_id" => settings.with_subscription_id(value.parse().ok()?),
            "resource_group" => settings.with_resource_group(value.parse().ok()?),
            "workspace_name" => settings.with_workspace_name(value.parse().ok()?),
            "location" => settings.with_location(value.parse().ok()?),
            "endpoint" => settings.with_endpoint(value.parse().ok()?),
            "custom_endpoint" => settings.with_endpoint(Endpoint::custom(value).ok()?),
            "tenant_id" => settings.with_tenant_id(value.parse().ok()?),
            "client_id" => settings.with_client_id(value).ok()?,
            "app_id" => settings.with_app_id(value).ok()?,
            "resource_manager" => settings.with_cloud(&Cloud::public().with_resource_manager(value).ok()?),
            "profile" => settings.with_profile(value),
            other => panic!("unknown argument {other}"),
        };
    }
    if let Some(profiles) = row["profiles"].as_str() {
        settings = settings.with_profiles(profiles.parse::<Profiles>().unwrap());
    }
    if let Some(cli) = row.get("azure_cli") {
        settings = settings
            .with_azure_cli(&AzureCli::parse(cli["profile"].as_str(), cli["config"].as_str()).unwrap());
    }
    Some(settings)
}

fn resolved(settings: &Settings) -> Json {
    let resolved = match settings.resolve() {
        Ok(resolved) => resolved,
        Err(SettingsError::Invalid { from, .. }) => {
            return json!({ "outcome": "Invalid", "origin": from.to_string() });
        }
        Err(error) => {
            let name = format!("{error:?}");
            return json!({ "outcome": name.split([' ', '(']).next() });
        }
    };
    let (outcome, id, endpoint, location) = match resolved.workspace() {
        Resolution::Complete(address) => {
            ("complete", Some(address.resource_id()), Some(address.endpoint()), address.location())
        }
        Resolution::NeedsEndpoint { resource_id, location, .. } => {
            ("needs_endpoint", Some(resource_id), None, location.as_ref())
        }
        Resolution::NeedsIds { endpoint, location, .. } => {
            ("needs_ids", None, endpoint.as_ref(), location.as_ref())
        }
        other => panic!("{other:?}"),
    };
    let mut found = object(&[
        ("outcome", Some(outcome.to_owned())),
        ("subscription_id", text(id.map(ResourceId::subscription_id))),
        ("resource_group", text(id.map(ResourceId::resource_group))),
        ("workspace_name", text(id.map(ResourceId::workspace_name))),
        ("endpoint", text(endpoint)),
        ("location", text(location)),
        ("api_key", text(resolved.api_key().map(Secret::expose))),
        ("tenant_id", text(resolved.tenant_id())),
        ("client_id", text(resolved.client_id())),
        ("app_id", text(resolved.app_id())),
    ]);
    if let Resolution::NeedsIds { workspace_name, subscription_id, resource_group, .. } = resolved.workspace()
    {
        found["workspace_name"] = workspace_name.as_str().into();
        if let Some(id) = subscription_id {
            found["subscription_id"] = id.as_str().into();
        }
        if let Some(group) = resource_group {
            found["resource_group"] = group.as_str().into();
        }
    }
    found
}

#[test]
fn settings_come_to_what_the_vectors_say() {
    for row in rows(include_str!("../vectors/settings.json")) {
        if row["ours"]["outcome"] == "not_offered" {
            check_reason(&row, false);
            continue;
        }
        let Some(settings) = settings(&row) else {
            assert_eq!(row["ours"]["outcome"], "refused", "{row:#}");
            check_reason(&row, false);
            continue;
        };
        let mut expected = row["ours"].clone();
        let ignored = expected.as_object_mut().unwrap().remove("ignored").unwrap_or_else(|| json!([]));
        let explanation = settings.explain();
        let found = resolved(&settings);
        assert_eq!(found, expected, "{row:#}\n{explanation}");
        if explanation.outcome().is_ok() || ignored != json!([]) {
            let mut sources: Vec<String> =
                explanation.ignored().iter().map(|one| one.source().to_string()).collect();
            let mut wanted: Vec<&str> =
                ignored.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
            sources.sort();
            wanted.sort_unstable();
            assert_eq!(sources, wanted, "{row:#}\n{explanation}");
        }
        for key in ["k1", "env-key"] {
            assert!(
                !explanation.to_string().contains(key)
                    && !format!("{settings:?}").contains(&format!("\"{key}\"")),
                "{row:#}"
            );
        }
        let python = &row["python"];
        let same = |name| python[name] == found.get(name).cloned().unwrap_or_default();
        let agrees = python.as_str().is_some_and(|text| text == "raises") != explanation.outcome().is_ok()
            && (python.is_string()
                || ["subscription_id", "resource_group", "workspace_name", "endpoint", "api_key"]
                    .into_iter()
                    .all(same));
        check_reason(&row, agrees);
    }
}
