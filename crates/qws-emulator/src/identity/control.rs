//! The control API under `/_emulator/identity/`: what [`super::Identity`] does, for clients in other languages.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Application, AssignedIdentity, Role};
use crate::answer::ServiceError;
use crate::state::Shared;

/// Behind the prefix of the whole control API.
pub(crate) const PREFIX: &str = "identity/";

const INVALID: &str = "InvalidControlRequest";

pub(crate) fn handle(shared: &Shared, what: &str, body: &[u8]) -> Result<Value, ServiceError> {
    match what.strip_prefix(PREFIX).unwrap_or_default() {
        "applications" => shared.directory().register(read::<Application>(body)?),
        "managed" => shared.directory().assign(read::<AssignedIdentity>(body)?),
        "remove" => shared.directory().remove(&read::<ById>(body)?.id),
        "role" => {
            let given: SetRole = read(body)?;
            shared.directory().set_role(&given.client_id, given.role);
        }
        "tenants" => shared.directory().tenants.push(read::<ById>(body)?.id),
        "refreshToken" => {
            let given: SignIn = read(body)?;
            let refresh_token = shared.request_id();
            shared.directory().sign_in(&refresh_token, &given.client_id, &given.user);
            return Ok(json!({ "refreshToken": refresh_token }));
        }
        "terms" => read::<Terms>(body)?.set(shared),
        #[cfg(feature = "assertions")]
        "assertion" => {
            let assertion = read::<super::Assertion>(body)?.sign(shared.clock.now());
            return Ok(json!({ "assertion": assertion }));
        }
        #[cfg(feature = "assertions")]
        "keys" => {
            let given: Keys = read(body)?;
            let published = shared.directory().issuers.publish(&given.issuer, &given.jwks);
            published.map_err(|error| ServiceError::bad_request(INVALID, format!("{error}.")))?;
        }
        other => {
            let message = format!(
                "There is no control identity/{other}; there are applications, managed, remove, role, tenants, refreshToken, terms, assertion and keys."
            );
            return Err(ServiceError::not_found("NotFound", message));
        }
    }
    Ok(json!({}))
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ServiceError> {
    crate::service::read_body(body, INVALID)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ById {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetRole {
    client_id: String,
    role: Role,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignIn {
    client_id: String,
    user: String,
}

#[cfg(feature = "assertions")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    issuer: String,
    jwks: Value,
}

/// What is absent stays as it is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Terms {
    lifetime_seconds: Option<u64>,
    refresh_in_seconds: Option<u64>,
    times_as_numbers: Option<bool>,
}

impl Terms {
    fn set(self, shared: &Shared) {
        let terms = &mut shared.directory().terms;
        terms.lifetime = self.lifetime_seconds.map_or(terms.lifetime, Duration::from_secs);
        terms.refresh_in = self.refresh_in_seconds.map(Duration::from_secs).or(terms.refresh_in);
        terms.numbers = self.times_as_numbers.unwrap_or(terms.numbers);
    }
}
