//! Links to the whole account, signed with its key (Microsoft Learn, "Create an account SAS").

use time::OffsetDateTime;

use super::sas::{Fields, SasKeys};
use super::{Permit, StorageError};
use crate::route::Operation;

/// The fields that are signed after the account's name, in their order; from version 2020-12-06 on `ses` follows.
const SIGNED: [&str; 8] = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"];

/// The type of resource that an operation is on, and the permissions of which it needs one.
fn needs(operation: Operation) -> (char, &'static str) {
    match operation {
        Operation::ContainersList => ('s', "l"),
        Operation::AccountGet => ('s', "rl"),
        Operation::BlobsList => ('c', "l"),
        Operation::ContainerGet => ('c', "r"),
        Operation::ContainerCreate => ('c', "cw"),
        Operation::ContainerDelete => ('c', "d"),
        Operation::BlobDelete => ('o', "d"),
        Operation::BlobPut | Operation::BlockPut | Operation::BlockListPut => ('o', "cw"),
        Operation::BlobMetadataPut | Operation::BlobPropertiesPut => ('o', "w"),
        _ => ('o', "r"),
    }
}

pub(super) fn check(
    keys: &SasKeys,
    fields: &Fields,
    operation: Operation,
    now: OffsetDateTime,
) -> Result<Permit, StorageError> {
    let mut text = format!("{}\n", keys.account());
    let encryption_scope = fields.is_from("2020-12-06").then_some("ses");
    for name in SIGNED.into_iter().chain(encryption_scope) {
        text.push_str(fields.get(name));
        text.push('\n');
    }
    keys.verify(fields, &text)?;
    fields.allow_time(now)?;
    let (resource, permissions) = needs(operation);
    if !fields.get("ss").contains('b') {
        let message = "This request is not authorized to perform this operation using this service.";
        return Err(StorageError::forbidden("AuthorizationServiceMismatch", message));
    }
    if !fields.get("srt").contains(resource) {
        let message = "This request is not authorized to perform this operation using this resource type.";
        return Err(StorageError::forbidden("AuthorizationResourceTypeMismatch", message));
    }
    fields.allow(permissions)
}
