//! What the identity endpoints answer.

use azure_core::time::OffsetDateTime;
use http::{StatusCode, header::CONTENT_TYPE};
use qws_config::Secret;
use qws_http::Answer;

use super::Identity;
use crate::{
    AuthError,
    access_token::{AccessToken, Fields, payload},
    text::shown,
};

/// What was asked for, and what must not be shown of the answer.
pub(super) struct Expected<'a> {
    pub(super) asked: OffsetDateTime,
    pub(super) identity: &'a Identity,
    pub(super) secrets: &'a [&'a Secret],
}

impl Expected<'_> {
    /// Reads the last answer. "Not there" is [`AuthError::is_unavailable`]; whatever says that an identity service is
    /// there but does not work is not, so that a chain never falls through to somebody else's identity.
    pub(super) fn read(&self, answer: &Answer, attempts: u32) -> Result<AccessToken, AuthError> {
        if answer.response.status() == StatusCode::OK {
            self.token(answer, false)
        } else {
            Err(self.refusal(answer, attempts))
        }
    }

    /// Reads the answer to a single attempt, which must say that it is for the user-assigned identity that was asked
    /// for: there are endpoints that do not know the parameter and give out another one.
    pub(super) fn read_confirmed(&self, answer: &Answer) -> Result<AccessToken, AuthError> {
        if answer.response.status() == StatusCode::OK {
            self.token(answer, true)
        } else {
            Err(self.refusal(answer, 1))
        }
    }

    fn token(&self, answer: &Answer, must_say_whose: bool) -> Result<AccessToken, AuthError> {
        let Some(fields) = Fields::parse(answer.response.body()) else {
            return Err(if says_json(answer) {
                AuthError::refused("the managed identity endpoint answered with broken JSON")
            } else {
                AuthError::unavailable(
                    "something other than a managed identity endpoint answered at its address",
                )
            });
        };
        let said = self.identity.is_told_by(&fields);
        let token = fields.into_token(self.asked).map_err(|missing| {
            AuthError::refused(format!("the managed identity endpoint answered without `{missing}`"))
        })?;
        let token_said =
            payload(token.secret.expose()).and_then(|payload| self.identity.is_told_by(&payload));
        let says = [said, token_said];
        if says.contains(&Some(false)) {
            let text = format!(
                "the managed identity endpoint gave a token of another identity than {}",
                self.identity
            );
            return Err(AuthError::refused(text).with_hint(assign_hint(self.identity)));
        }
        if must_say_whose && *self.identity != Identity::System && !says.contains(&Some(true)) {
            let text =
                format!("the managed identity endpoint does not say that its token is of {}", self.identity);
            return Err(AuthError::refused(text)
                .with_hint("an older agent knows the system-assigned identity only: update it"));
        }
        Ok(token)
    }

    fn refusal(&self, answer: &Answer, attempts: u32) -> AuthError {
        let (identity, status) = (self.identity, answer.response.status());
        let fields = Fields::parse(answer.response.body());
        let inner = fields.as_ref().and_then(|fields| fields.object("error"));
        let text = |names: [&str; 2]| {
            let within = |fields: &Fields| names.iter().find_map(|name| fields.text(name).map(str::to_owned));
            inner.as_ref().and_then(within).or_else(|| fields.as_ref().and_then(within))
        };
        let code = text(["error", "code"]);
        let said = text(["error_description", "message"]).or_else(|| code.clone());
        let said = said.map(|said| format!(": {}", shown(&said, self.secrets))).unwrap_or_default();
        // Service Fabric's codes; the others say "not assigned" by status 400.
        let not_assigned = match code.as_deref() {
            Some("ManagedIdentityNotFound") => true,
            Some("SecretHeaderNotFound" | "ArgumentNullOrEmpty") => false,
            _ => status == StatusCode::BAD_REQUEST,
        };
        let error = if not_assigned {
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
                410 | 429 | 500.. => {
                    error.with_hint("the endpoint is busy or being updated; try again later")
                }
                _ => error,
            }
        };
        match code {
            Some(code) => error.with_code(shown(&code, self.secrets)),
            None => error,
        }
    }
}

impl Identity {
    /// Whether an answer, or the token in it, names this identity; `None` if it names none.
    fn is_told_by(&self, fields: &Fields) -> Option<bool> {
        let (wanted, names) = match self {
            Self::System => return None,
            Self::Client(id) => (id, ["client_id", "appid", "azp"]),
            Self::Object(id) => (id, ["object_id", "oid", "principal_id"]),
            Self::Resource(id) => (id, ["msi_res_id", "mi_res_id", "xms_mirid"]),
        };
        let told = names.iter().find_map(|name| fields.text(name))?;
        Some(told.eq_ignore_ascii_case(wanted))
    }
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
