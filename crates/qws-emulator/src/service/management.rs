//! Azure Resource Manager, as far as it knows quantum workspaces.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{catalog, read_body};
use crate::answer::{Answer, ServiceError};
use crate::clock;
use crate::route::Params;
use crate::state::{ACCOUNT, Shared, State, Workspace, WorkspaceKind, random_key};

pub(crate) fn get(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let state = shared.state();
    let index = find(&state, params)?;
    Ok(Answer::json(StatusCode::OK, &resource(shared, &state.workspaces[index])))
}

pub(crate) fn list(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let state = shared.state();
    known_group(&state, params)?;
    let within = |workspace: &&Workspace| {
        workspace.subscription.eq_ignore_ascii_case(&params.subscription)
            && (params.group.is_empty() || workspace.group.eq_ignore_ascii_case(&params.group))
    };
    let value: Vec<Value> =
        state.workspaces.iter().filter(within).map(|workspace| resource(shared, workspace)).collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value, "nextLink": null })))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Update {
    properties: UpdateProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UpdateProperties {
    api_key_enabled: Option<bool>,
}

/// Switches access keys on or off; the rest of the resource is fixed here.
pub(crate) fn update(shared: &Shared, params: &Params, body: &[u8]) -> Result<Answer, ServiceError> {
    let update: Update = read_body(body, "InvalidRequestContent")?;
    let mut state = shared.state();
    let index = find(&state, params)?;
    let workspace = &mut state.workspaces[index];
    workspace.keys_enabled = update.properties.api_key_enabled.unwrap_or(workspace.keys_enabled);
    Ok(Answer::json(StatusCode::OK, &resource(shared, workspace)))
}

/// The access keys in clear, as this operation is for.
pub(crate) fn keys(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let state = shared.state();
    let workspace = &state.workspaces[find(&state, params)?];
    let endpoint = endpoint(shared);
    let key = |key: &String| json!({ "createdAt": clock::precise(workspace.created), "key": key });
    let answer = json!({
        "apiKeyEnabled": workspace.keys_enabled,
        "primaryKey": key(&workspace.primary_key),
        "secondaryKey": key(&workspace.secondary_key),
        "primaryConnectionString": workspace.connection_string(&endpoint, &workspace.primary_key),
        "secondaryConnectionString": workspace.connection_string(&endpoint, &workspace.secondary_key),
    });
    Ok(Answer::json(StatusCode::OK, &answer))
}

#[derive(Deserialize)]
struct Regenerate {
    keys: Vec<String>,
}

/// Replaces `Primary`, `Secondary` or both.
pub(crate) fn regenerate(shared: &Shared, params: &Params, body: &[u8]) -> Result<Answer, ServiceError> {
    let wanted: Regenerate = read_body(body, "InvalidRequestContent")?;
    let mut state = shared.state();
    let index = find(&state, params)?;
    if let Some(other) = wanted.keys.iter().find(|key| !matches!(key.as_str(), "Primary" | "Secondary")) {
        let message = format!("The key is 'Primary' or 'Secondary', not '{other}'.");
        return Err(ServiceError::bad_request("InvalidRequestContent", message));
    }
    for key in wanted.keys {
        let fresh = random_key(&mut state.random);
        let workspace = &mut state.workspaces[index];
        match key.as_str() {
            "Primary" => workspace.primary_key = fresh,
            _ => workspace.secondary_key = fresh,
        }
    }
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

/// The workspace as a resource; Resource Graph shows the same.
pub(crate) fn resource(shared: &Shared, workspace: &Workspace) -> Value {
    let providers: Vec<Value> = catalog::PROVIDERS
        .iter()
        .map(|provider| json!({ "providerId": provider.id, "providerSku": "emulated", "provisioningState": "Succeeded" }))
        .collect();
    let storage = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}",
        workspace.subscription, workspace.group
    );
    json!({
        "id": workspace.resource_id().replace("/Workspaces/", "/workspaces/"),
        "name": workspace.name,
        "type": "Microsoft.Quantum/workspaces",
        "location": workspace.location,
        "tags": {},
        "properties": {
            "endpointUri": endpoint(shared),
            "workspaceKind": match workspace.kind { WorkspaceKind::V1 => "V1", WorkspaceKind::V2 => "V2" },
            "provisioningState": "Succeeded",
            "usable": "Yes",
            "apiKeyEnabled": workspace.keys_enabled,
            "storageAccount": storage,
            "providers": providers,
        },
    })
}

fn endpoint(shared: &Shared) -> String {
    format!("{}/", shared.addresses.service)
}

/// Finds a workspace, or says as Resource Manager does which part of its id is unknown.
fn find(state: &State, params: &Params) -> Result<usize, ServiceError> {
    known_group(state, params)?;
    state.find(params).map_err(|_| {
        let message = format!(
            "The Resource 'Microsoft.Quantum/workspaces/{}' under resource group '{}' was not found.",
            params.workspace, params.group
        );
        ServiceError::not_found("ResourceNotFound", message)
    })
}

fn known_group(state: &State, params: &Params) -> Result<(), ServiceError> {
    let mut of_subscription = state
        .workspaces
        .iter()
        .filter(|workspace| workspace.subscription.eq_ignore_ascii_case(&params.subscription))
        .peekable();
    if of_subscription.peek().is_none() {
        let message = format!("The subscription '{}' could not be found.", params.subscription);
        return Err(ServiceError::not_found("SubscriptionNotFound", message));
    }
    if !params.group.is_empty()
        && !of_subscription.any(|workspace| workspace.group.eq_ignore_ascii_case(&params.group))
    {
        let message = format!("Resource group '{}' could not be found.", params.group);
        return Err(ServiceError::not_found("ResourceGroupNotFound", message));
    }
    Ok(())
}
