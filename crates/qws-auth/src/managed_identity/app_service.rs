//! App Service, Functions and Container Apps: a local address and a header in the environment.
//!
//! Protocol: <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use http::HeaderValue;
use qws_config::Secret;

use super::{
    Identity,
    answer::Expected,
    endpoint::{Ask, named, secret_header, token_url},
};
use crate::{AuthError, Host, access_token::AccessToken};

pub(super) async fn token(
    host: &Host,
    endpoint: &str,
    header: &Secret,
    identity: &Identity,
    resource: &str,
) -> Result<AccessToken, AuthError> {
    let url = token_url(endpoint, "2019-08-01", resource, named(identity, "client_id", "mi_res_id"))?;
    let asked = host.clock().now();
    let answer = Ask::get(host, "IDENTITY_ENDPOINT", &url)
        .header("X-IDENTITY-HEADER", secret_header("IDENTITY_HEADER", header)?)
        .header("Metadata", HeaderValue::from_static("true"))
        .send()
        .await?;
    Expected { asked, identity, secrets: &[header] }.read(&answer, answer.attempts)
}
