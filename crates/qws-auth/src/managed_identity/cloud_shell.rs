//! Cloud Shell: the person who opened it, at a local address.
//!
//! Protocol: <https://learn.microsoft.com/azure/cloud-shell/msi-authorization>

use bytes::Bytes;
use http::{HeaderValue, Request, header::CONTENT_TYPE};
use url::form_urlencoded;

use super::{
    Identity,
    answer::Expected,
    endpoint::{Ask, only_system, parse},
};
use crate::{AuthError, Host, access_token::AccessToken};

pub(super) async fn token(
    host: &Host,
    endpoint: &str,
    identity: &Identity,
    resource: &str,
) -> Result<AccessToken, AuthError> {
    only_system(identity, "Cloud Shell")?;
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("resource", resource).finish();
    let asked = host.clock().now();
    let ask = Ask {
        host,
        variable: "MSI_ENDPOINT",
        request: Request::post(parse(endpoint)?.as_str()),
        body: Bytes::from(form),
    };
    let answer = ask
        .header(CONTENT_TYPE.as_str(), HeaderValue::from_static("application/x-www-form-urlencoded"))
        .header("Metadata", HeaderValue::from_static("true"))
        .send()
        .await?;
    Expected { asked, identity, secrets: &[] }.read(&answer, answer.attempts)
}
