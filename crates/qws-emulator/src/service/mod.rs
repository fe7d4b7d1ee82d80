//! The service: one module an area, dispatched by operation.

mod auth;
pub(crate) mod catalog;
mod control;
mod execution;
mod items;
mod jobs;
mod listing;
mod management;
mod providers;
pub(crate) mod quotas;
mod resource_graph;
mod sessions;
pub(crate) mod storage_sas;

use url::form_urlencoded;

pub(crate) use self::control::PREFIX as CONTROL;
use crate::answer::{Answer, ServiceError};
use crate::identity;
use crate::incoming::Incoming;
use crate::route::{Matched, Operation};
use crate::state::Shared;

/// Handles a request to the service.
pub(crate) async fn handle(shared: &Shared, request: &Incoming) -> Answer {
    perform(shared, request).await.into()
}

async fn perform(shared: &Shared, request: &Incoming) -> Result<Answer, ServiceError> {
    if request.path.starts_with(CONTROL) {
        return control::handle(shared, request);
    }
    let matched = request.matched.as_ref().map_err(|unknown| {
        tracing::warn!(method = %request.method, path = request.path, %unknown, "unknown route");
        let message = format!("There is no operation {} {}; {unknown}.", request.method, request.path);
        ServiceError::not_found("NotFound", message)
    })?;
    if matched.operation.is_identity() {
        return Ok(identity::authority(shared, request, matched));
    }
    warn_about_version(request, matched.operation);
    if let Some(refused) = auth::refusal(shared, request, matched) {
        return refused;
    }
    execution::settle(shared, matched).await;
    dispatch(shared, request, matched)
}

fn dispatch(shared: &Shared, request: &Incoming, matched: &Matched) -> Result<Answer, ServiceError> {
    let params = &matched.params;
    match matched.operation {
        Operation::JobsCreate => jobs::create(shared, params, &request.body),
        Operation::JobsGet => jobs::get(shared, params),
        Operation::JobsUpdate => jobs::update(shared, request, params),
        Operation::JobsDelete => jobs::delete(shared, params),
        Operation::JobsCancel => jobs::cancel(shared, params),
        Operation::JobsList => jobs::list(shared, request, params),
        Operation::SessionsOpen => sessions::open(shared, params, &request.body),
        Operation::SessionsGet => sessions::get(shared, params),
        Operation::SessionsClose => sessions::close(shared, params),
        Operation::SessionsList => sessions::list(shared, request, params),
        Operation::SessionJobsList => jobs::list_of_session(shared, request, params),
        Operation::TopLevelItems => items::list(shared, request, params),
        Operation::ProviderStatus => providers::list(shared, params),
        Operation::Quotas => quotas::list(shared, params),
        Operation::QuotaUsages => quotas::usages(shared, request, params),
        Operation::SasUri => storage_sas::issue(shared, params, &request.body),
        Operation::SuiteOfferQuotaUsages => quotas::suite_offer_usages(shared, params),
        Operation::SuiteOfferProviderStatus => quotas::suite_offer_status(shared, params),
        Operation::WorkspaceGet => management::get(shared, params),
        Operation::WorkspaceUpdate => management::update(shared, params, &request.body),
        Operation::WorkspacesList => management::list(shared, params),
        Operation::KeysList => management::keys(shared, params),
        Operation::KeysRegenerate => management::regenerate(shared, params, &request.body),
        Operation::ResourceGraph => resource_graph::query(shared, &request.body),
        // The router gives storage operations to the storage account only; those of identity are answered before.
        other => {
            Err(ServiceError::not_found("NotFound", format!("{other:?} is not an operation of the service.")))
        }
    }
}

fn warn_about_version(request: &Incoming, operation: Operation) {
    let known = match operation {
        Operation::ResourceGraph => "2021-03-01",
        operation if operation.is_management() => "2025-12-15-preview",
        _ => "2026-01-15-preview",
    };
    let version = form_urlencoded::parse(request.query.as_bytes()).find(|(key, _)| key == "api-version");
    let version = version.as_ref().map_or("none", |(_, version)| version);
    if version != known {
        tracing::warn!(version, known, "api-version not known to this emulator; served anyway");
    }
}

/// Reads a JSON body, or says in the service's terms why it cannot be read.
pub(crate) fn read_body<T: serde::de::DeserializeOwned>(
    body: &[u8],
    code: &'static str,
) -> Result<T, ServiceError> {
    serde_json::from_slice(body)
        .map_err(|error| ServiceError::bad_request(code, format!("The request body is not valid: {error}.")))
}
