//! What the identity endpoints answer.

use azure_core::time::OffsetDateTime;
use http::{StatusCode, header::CONTENT_TYPE};
use qws_config::Secret;
use qws_http::Answer;

use super::Identity;
use crate::{
    AuthError,
    access_token::{AccessToken, Fields},
    text::shown,
};

/// Reads the last answer. "Not there" is [`AuthError::is_unavailable`]; whatever says that an identity service is there
/// but does not work is not, so that a chain never falls through to somebody else's identity.
pub(super) fn read(
    answer: &Answer,
    attempts: u32,
    asked: OffsetDateTime,
    identity: &Identity,
    secrets: &[&Secret],
) -> Result<AccessToken, AuthError> {
    let status = answer.response.status();
    let fields = Fields::parse(answer.response.body());
    if status == StatusCode::OK {
        return match fields {
            Some(fields) => fields.into_token(asked).map_err(|missing| {
                AuthError::refused(format!("the managed identity endpoint answered without `{missing}`"))
            }),
            None if says_json(answer) => {
                Err(AuthError::refused("the managed identity endpoint answered with broken JSON"))
            }
            None => Err(AuthError::unavailable(
                "something other than a managed identity endpoint answered at its address",
            )),
        };
    }
    let said = fields.as_ref().and_then(|fields| fields.text("error_description").or(fields.text("message")));
    let code = fields.as_ref().and_then(|fields| fields.text("error").or(fields.text("code")));
    let said = said.or(code).map(|text| format!(": {}", shown(text, secrets))).unwrap_or_default();
    let error = if status == StatusCode::BAD_REQUEST {
        AuthError::unavailable(format!("no such managed identity here, {identity}{said}"))
            .with_hint(assign_hint(identity))
    } else if status == StatusCode::FORBIDDEN && said.contains("unreachable") {
        // Docker Desktop answers in place of the metadata service.
        AuthError::unavailable(format!("the managed identity endpoint is out of reach{said}"))
    } else {
        let times = if attempts == 1 { String::new() } else { format!(" after {attempts} attempts") };
        let error = AuthError::refused(format!(
            "the managed identity endpoint answered {}{times}{said}",
            status.as_u16()
        ));
        match status.as_u16() {
            300..400 => error.with_hint("redirects are not followed with an identity"),
            410 | 429 | 500.. => error.with_hint("the endpoint is busy or being updated; try again later"),
            _ => error,
        }
    };
    Err(match code {
        Some(code) => error.with_code(shown(code, secrets)),
        None => error,
    })
}

fn assign_hint(identity: &Identity) -> &'static str {
    match identity {
        Identity::System => {
            "switch on the system-assigned identity of this resource, or name its user-assigned one"
        }
        _ => "assign that identity to this resource, or correct its id",
    }
}

fn says_json(answer: &Answer) -> bool {
    let kind = answer.response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.contains("json"))
}
