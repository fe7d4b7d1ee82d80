//! App Service, Functions and Container Apps: a local address and a header in the environment.
//!
//! Protocol: <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use bytes::Bytes;
use http::{HeaderValue, Request};
use qws_config::Secret;
use qws_http::{Call, Failure, RetryPolicy};

use super::{Identity, answer, token_url};
use crate::{
    AuthError, Host,
    access_token::{ANSWER_LIMIT_BYTES, AccessToken},
};

pub(super) async fn token(
    host: &Host,
    endpoint: &str,
    header: &Secret,
    identity: &Identity,
    resource: &str,
) -> Result<AccessToken, AuthError> {
    let named = match identity {
        Identity::System => None,
        Identity::Client(id) => Some(("client_id", id.as_str())),
        Identity::Object(id) => Some(("object_id", id.as_str())),
        Identity::Resource(id) => Some(("mi_res_id", id.as_str())),
    };
    let url = token_url(endpoint, "2019-08-01", resource, named)?;
    let mut secret = HeaderValue::from_str(header.expose())
        .map_err(|_| AuthError::invalid("IDENTITY_HEADER holds a character that cannot stand in a header"))?;
    secret.set_sensitive(true);
    let request = Request::get(url).header("X-IDENTITY-HEADER", secret).header("Metadata", "true");
    let request = request
        .body(Bytes::new())
        .map_err(|_| AuthError::invalid("IDENTITY_ENDPOINT is not a URL that can be asked"))?;

    let asked = host.clock().now();
    let call = Call::new(request)
        .repeatable(true)
        .deadline(Some(host.deadline()))
        .body_limit_bytes(ANSWER_LIMIT_BYTES);
    let answer = host.nearby(RetryPolicy::default())?.send(call).await.map_err(unreachable)?;
    answer::read(&answer, answer.attempts, asked, identity, &[header])
}

/// The environment says that the endpoint is there, so its silence is a failure and no absence.
fn unreachable(failure: Failure) -> AuthError {
    let text = format!(
        "no answer from the managed identity endpoint that IDENTITY_ENDPOINT names, after {} attempts in {:.1} s",
        failure.attempts,
        failure.elapsed.as_secs_f64()
    );
    AuthError::refused(text).with_source(failure)
}
