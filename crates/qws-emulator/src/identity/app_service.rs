//! The token endpoint of an app in App Service, Functions or Container Apps.
//!
//! Protocol: <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use http::StatusCode;
use serde_json::json;

use super::Fields;
use super::directory::Wanted;
use crate::answer::Answer;
use crate::incoming::Incoming;
use crate::state::Shared;
use crate::token;

const VERSION: &str = "2019-08-01";

pub(super) fn token(shared: &Shared, request: &Incoming, fields: &Fields) -> Answer {
    let directory = shared.directory();
    match request.header("x-identity-header") {
        None => return refused(StatusCode::BAD_REQUEST, "The header X-IDENTITY-HEADER is missing."),
        Some(header) if header != directory.app_service_header => {
            return refused(StatusCode::UNAUTHORIZED, "The value of X-IDENTITY-HEADER is not valid.");
        }
        Some(_) => {}
    }
    if fields.get("api-version") != Some(VERSION) {
        return refused(StatusCode::BAD_REQUEST, "The api-version is missing or not supported.");
    }
    let Some(resource) = fields.get("resource") else {
        return refused(StatusCode::BAD_REQUEST, "The parameter resource is missing.");
    };
    let object = fields.get("object_id").or_else(|| fields.get("principal_id"));
    let wanted = match (fields.get("client_id"), object, fields.get("mi_res_id")) {
        (None, None, None) => Wanted::Unnamed,
        (Some(id), None, None) => Wanted::Client(id),
        (None, Some(id), None) => Wanted::Object(id),
        (None, None, Some(id)) => Wanted::Resource(id),
        _ => {
            let text = "Only one of client_id, principal_id and mi_res_id may be given.";
            return refused(StatusCode::BAD_REQUEST, text);
        }
    };
    let Ok(identity) = directory.assigned(wanted) else {
        let text = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
        return refused(StatusCode::BAD_REQUEST, text);
    };
    // The real one is as vague as this about a resource that it does not know.
    let Some(audience) = token::audience(resource) else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "An unexpected error occurred.");
    };
    let (now, terms) = (shared.clock.now(), &directory.terms);
    let expires = (now + terms.lifetime).unix_timestamp();
    let answer = json!({
        "access_token": shared.tokens.issue(audience, Some(identity.holder()), now, terms.lifetime),
        "client_id": identity.client_id,
        "expires_on": if terms.numbers { json!(expires) } else { json!(expires.to_string()) },
        "resource": resource,
        "token_type": "Bearer",
    });
    Answer::json(StatusCode::OK, &answer)
}

fn refused(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, &json!({ "statusCode": status.as_u16(), "message": message }))
}
