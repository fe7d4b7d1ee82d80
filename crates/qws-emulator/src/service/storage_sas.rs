//! SAS links to the workspace's storage.

use http::StatusCode;

use super::read_body;
use crate::answer::{Answer, ServiceError};
use crate::blob::sas::Grant;
use crate::route::Params;
use crate::state::Shared;
use crate::wire::{BlobDetails, SasUriResponse};

/// Issues a link to a container, which is made if need be, or to one blob.
pub(crate) fn issue(shared: &Shared, _params: &Params, body: &[u8]) -> Result<Answer, ServiceError> {
    let details: BlobDetails = read_body(body, "InvalidRequest")?;
    let container = details.container_name.unwrap_or_default();
    if !container_name_is_valid(&container) {
        let message =
            "The ContainerName field is required: 3 to 63 lower-case letters, digits and single hyphens.";
        return Err(ServiceError::bad_request("InvalidContainerName", message));
    }
    let blob = details.blob_name.unwrap_or_default();
    let permissions = if blob.is_empty() { "racwl" } else { "rcw" };
    if blob.is_empty() {
        // Clients upload straight away, so the container is there as soon as its link is.
        let made = shared.blobs.create_container(&container, Vec::new(), shared.clock.now());
        made.map_err(|error| ServiceError::new(error.status, error.code, error.message))?;
    }
    let sas_uri = link(shared, &container, &blob, permissions, "");
    Ok(Answer::json(StatusCode::OK, &SasUriResponse { sas_uri }))
}

/// The URI of a container or blob without a signature.
pub(crate) fn uri(shared: &Shared, container: &str, blob: &str) -> String {
    let mut uri = format!("{}/{container}", shared.addresses.storage);
    if !blob.is_empty() {
        uri.push('/');
        // Slashes in a blob's name stay, as in Azure's own links.
        let encoded = blob.split('/').map(|part| {
            url::form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>().replace('+', "%20")
        });
        uri.push_str(&encoded.collect::<Vec<_>>().join("/"));
    }
    uri
}

/// The same with a signature that is good from now on for the configured lifetime.
pub(crate) fn link(
    shared: &Shared,
    container: &str,
    blob: &str,
    permissions: &str,
    disposition: &str,
) -> String {
    let start = shared.clock.now();
    let expiry = start + shared.settings.sas_lifetime;
    let query = shared.sas.issue(&Grant { container, blob, permissions, start, expiry, disposition });
    format!("{}?{query}", uri(shared, container, blob))
}

/// The naming rule of Azure containers.
fn container_name_is_valid(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_names_follow_azures_rule() {
        for good in ["job-aaaaaaaa-0000-4000-8000-000000000001", "abc", "1-2"] {
            assert!(container_name_is_valid(good), "{good}");
        }
        for bad in ["", "ab", "Upper", "under_score", "-abc", "abc-", "a--b", &"x".repeat(64)] {
            assert!(!container_name_is_valid(bad), "{bad}");
        }
    }
}
