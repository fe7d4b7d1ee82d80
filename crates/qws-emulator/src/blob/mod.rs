//! The storage account: the part of Azure Blob Storage that Azure Quantum clients meet.

mod account_sas;
pub(crate) mod conditions;
mod error;
mod listing;
mod operations;
pub(crate) mod sas;
mod shared_key;
pub(crate) mod store;
mod xml;

use time::OffsetDateTime;
use url::form_urlencoded;

use crate::answer::Answer;
use crate::incoming::Incoming;
use crate::route::{BlobPath, Operation};
use crate::state::Shared;
pub(crate) use error::StorageError;

/// What the caller may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permit {
    /// What the link puts in place of the blob's own headers.
    pub(crate) overrides: Vec<(&'static str, String)>,
    /// The link lets its holder make blobs, and not change them.
    pub(crate) new_only: bool,
}

/// Handles a request to the storage account.
pub(crate) fn handle(shared: &Shared, request: &Incoming, request_id: &str) -> Answer {
    let now = shared.clock.now();
    let answer = match &request.matched {
        Ok(matched) => {
            // The account itself has no container.
            let path = BlobPath::parse(&request.path).unwrap_or_default();
            authorise(shared, request, matched.operation, &path, now)
                .and_then(|permit| {
                    operations::perform(shared, request, matched.operation, &path, permit, now)
                })
                .unwrap_or_else(|error| error.answer(request_id, now))
        }
        Err(unknown) => {
            tracing::warn!(method = %request.method, path = request.path, %unknown, "unknown storage route");
            let message = "This emulator has no such storage operation.";
            StorageError::bad_request("UnsupportedOperation", message).answer(request_id, now)
        }
    };
    let answer = answer.with("x-ms-version", request.header("x-ms-version").unwrap_or(sas::VERSION));
    match request.header("x-ms-client-request-id") {
        Some(id) => answer.with("x-ms-client-request-id", id),
        None => answer,
    }
}

fn authorise(
    shared: &Shared,
    request: &Incoming,
    operation: Operation,
    path: &BlobPath,
    now: OffsetDateTime,
) -> Result<Permit, StorageError> {
    let authorization = request.header("authorization");
    if let Some(signed) = authorization.and_then(|value| value.strip_prefix("SharedKey ")) {
        return shared_key::check(&shared.sas, request, signed, now);
    }
    let fields = sas::Fields::read(&request.query);
    let permit = if fields.get("ss").is_empty() {
        shared.sas.check(path, &fields, operation, now)?
    } else {
        account_sas::check(&shared.sas, &fields, operation, now)?
    };
    let secure = shared.addresses.storage.starts_with("https:");
    fields.allow_connection(secure, request.peer)?;
    Ok(permit)
}

fn query_value(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
