//! Azure Machine Learning: the older form of App Service's protocol.
//!
//! Protocol: that of App Service before 2019, with the identity named by `clientid`.

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
    secret: &Secret,
    identity: &Identity,
    resource: &str,
) -> Result<AccessToken, AuthError> {
    let url = token_url(endpoint, "2017-09-01", resource, named(identity, "clientid", "msi_res_id"))?;
    let asked = host.clock().now();
    let answer = Ask::get(host, "MSI_ENDPOINT", &url)
        .header("secret", secret_header("MSI_SECRET", secret)?)
        .send()
        .await?;
    Expected { asked, identity, secrets: &[secret] }.read(&answer, answer.attempts)
}
