//! The instance metadata service of a virtual machine, its identity part.
//!
//! Protocol: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::Fields;
use super::directory::{NotAssigned, Wanted};
use crate::answer::Answer;
use crate::incoming::Incoming;
use crate::state::Shared;
use crate::token;

pub(super) fn token(shared: &Shared, request: &Incoming, fields: &Fields) -> Answer {
    // Both keep requests out that a client was tricked into sending.
    if request.header("x-forwarded-for").is_some() {
        return refused("invalid_request", "Requests with the header X-Forwarded-For are not served");
    }
    if !request.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return refused("bad_request_102", "Required metadata header not specified");
    }
    let Some(version) = fields.get("api-version") else {
        let body = json!({
            "error": "Bad request. api-version was not specified in the request",
            "newest-versions": ["2021-02-01", "2020-12-01", "2020-10-01"],
        });
        return Answer::json(StatusCode::BAD_REQUEST, &body);
    };
    tracing::debug!(version, "a machine's identity is asked for");
    let Some(resource) = fields.get("resource") else {
        return refused("invalid_request", "Required query variable 'resource' is missing");
    };
    let names = ["client_id", "object_id", "msi_res_id"].map(|name| fields.get(name));
    let wanted = match names {
        [None, None, None] => Wanted::Unnamed,
        [Some(id), None, None] => Wanted::Client(id),
        [None, Some(id), None] => Wanted::Object(id),
        [None, None, Some(id)] => Wanted::Resource(id),
        _ => {
            let text = "Only one of the query variables client_id, object_id and msi_res_id may be given";
            return refused("invalid_request", text);
        }
    };
    let Some(audience) = token::audience(resource) else {
        let text = format!(
            "AADSTS500011: The resource principal named {resource} was not found in the tenant named {}.",
            token::TENANT
        );
        return refused("invalid_resource", &text);
    };
    let directory = shared.directory();
    let identity = match directory.assigned(wanted) {
        Ok(identity) => identity,
        Err(NotAssigned::Unknown) => return refused("invalid_request", "Identity not found"),
        Err(NotAssigned::Ambiguous) => {
            let text = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request";
            return refused("invalid_request", text);
        }
    };
    let (now, terms) = (shared.clock.now(), &directory.terms);
    let told = |value: i64| if terms.numbers { json!(value) } else { json!(value.to_string()) };
    let seconds = |time: Duration| told(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let mut answer = json!({
        "access_token": shared.tokens.issue(audience, Some(identity.holder()), now, terms.lifetime),
        "client_id": identity.client_id,
        "expires_in": seconds(terms.lifetime),
        "expires_on": told((now + terms.lifetime).unix_timestamp()),
        "ext_expires_in": seconds(terms.lifetime),
        "not_before": told(now.unix_timestamp()),
        "resource": resource,
        "token_type": "Bearer",
    });
    if let (Some(refresh_in), Value::Object(fields)) = (terms.refresh_in, &mut answer) {
        fields.insert("refresh_in".to_owned(), seconds(refresh_in));
    }
    Answer::json(StatusCode::OK, &answer)
}

fn refused(error: &str, description: &str) -> Answer {
    let body = json!({ "error": error, "error_description": description });
    Answer::json(StatusCode::BAD_REQUEST, &body)
}
