//! What the endpoints that the environment names have in common.

use bytes::Bytes;
use http::{HeaderValue, Request};
use qws_config::Secret;
use qws_http::{Answer, Call, Failure, Http, RetryPolicy};
use url::Url;

use super::Identity;
use crate::{AuthError, Host, access_token::ANSWER_LIMIT_BYTES};

/// `endpoint?api-version=..&resource=..` and the parameter that names the identity.
pub(super) fn token_url(
    endpoint: &str,
    version: &str,
    resource: &str,
    identity: Option<(&str, &str)>,
) -> Result<String, AuthError> {
    let mut url = parse(endpoint)?;
    url.query_pairs_mut()
        .clear()
        .append_pair("api-version", version)
        .append_pair("resource", resource)
        .extend_pairs(identity);
    Ok(url.into())
}

/// An endpoint as a URL without fragment. User information is refused: libraries below us would log it.
pub(super) fn parse(endpoint: &str) -> Result<Url, AuthError> {
    let parsed = Url::parse(endpoint).ok();
    let plain = parsed.filter(|url| url.username().is_empty() && url.password().is_none());
    let mut url = plain.ok_or_else(|| {
        AuthError::invalid("the address of the managed identity endpoint is not a plain URL").with_hint(
            "look at IDENTITY_ENDPOINT, MSI_ENDPOINT and AZURE_POD_IDENTITY_AUTHORITY_HOST in the environment",
        )
    })?;
    url.set_fragment(None);
    Ok(url)
}

/// The query parameter that names the identity, where those for client and resource id are called like this.
pub(super) fn named<'a>(
    identity: &'a Identity,
    client_id: &'static str,
    resource_id: &'static str,
) -> Option<(&'static str, &'a str)> {
    match identity {
        Identity::System => None,
        Identity::Client(id) => Some((client_id, id)),
        Identity::Object(id) => Some(("object_id", id)),
        Identity::Resource(id) => Some((resource_id, id)),
    }
}

/// A host that knows its own identity only cannot be asked for another one.
pub(super) fn only_system(identity: &Identity, product: &str) -> Result<(), AuthError> {
    if *identity == Identity::System {
        return Ok(());
    }
    let text = format!("{product} gives tokens of one identity only and cannot be asked for {identity}");
    Err(AuthError::unsupported(text)
        .with_hint("ask for the system-assigned identity here, and leave AZURE_CLIENT_ID unset"))
}

/// A secret of the environment as a header.
pub(super) fn secret_header(variable: &str, secret: &Secret) -> Result<HeaderValue, AuthError> {
    let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
        AuthError::invalid(format!("{variable} holds a character that cannot stand in a header"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// One request to the endpoint that `variable` names.
pub(super) struct Ask<'a> {
    pub(super) host: &'a Host,
    pub(super) variable: &'static str,
    pub(super) request: http::request::Builder,
    pub(super) body: Bytes,
}

impl<'a> Ask<'a> {
    pub(super) fn get(host: &'a Host, variable: &'static str, url: &str) -> Self {
        Self { host, variable, request: Request::get(url), body: Bytes::new() }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<HeaderValue>) -> Self {
        self.request = self.request.header(name, value.into());
        self
    }

    /// Repeated while the endpoint is busy.
    pub(super) async fn send(self) -> Result<Answer, AuthError> {
        let http = self.host.nearby(RetryPolicy::default())?;
        self.send_through(http).await
    }

    /// Sent once.
    pub(super) async fn send_once(self) -> Result<Answer, AuthError> {
        let http = self.host.nearby(RetryPolicy::none())?;
        self.send_through(http).await
    }

    pub(super) async fn send_through(self, http: Http) -> Result<Answer, AuthError> {
        let variable = self.variable;
        let request = self.request.body(self.body);
        let request =
            request.map_err(|_| AuthError::invalid(format!("{variable} is not a URL that can be asked")))?;
        let call = Call::new(request)
            .repeatable(true)
            .deadline(Some(self.host.deadline()))
            .body_limit_bytes(ANSWER_LIMIT_BYTES);
        http.send(call).await.map_err(|failure| unreachable(variable, failure))
    }
}

/// The environment says that the endpoint is there, so its silence is a failure and no absence.
fn unreachable(variable: &str, failure: Failure) -> AuthError {
    let text = format!(
        "no answer from the managed identity endpoint that {variable} names, after {} attempts in {:.1} s",
        failure.attempts,
        failure.elapsed.as_secs_f64()
    );
    AuthError::refused(text).with_source(failure)
}
