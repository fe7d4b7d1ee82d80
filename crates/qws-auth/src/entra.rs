//! Entra ID's endpoints: one POST of a form each.
//!
//! Protocol: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use azure_core::time::OffsetDateTime;
use bytes::Bytes;
use http::{Request, StatusCode, header::CONTENT_TYPE};
use qws_config::{Secret, TenantId};
use qws_http::{Answer, Call, Failure, RetryPolicy};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::{
    AuthError, AuthRequest, Host,
    access_token::{ANSWER_LIMIT_BYTES, AccessToken, Fields},
    text::shown,
};

mod aadsts;

/// An application of a tenant, as Entra ID knows it.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub(crate) tenant: TenantId,
    pub(crate) client_id: String,
}

/// How an application proves that it is itself.
pub(crate) enum Proof<'a> {
    Secret(&'a Secret),
    /// A signed statement of an identity provider that the application trusts.
    Assertion(&'a Secret),
}

/// Asks for a token of the application itself (the client credentials grant).
pub(crate) async fn client_credentials(
    host: &Host,
    application: &Application,
    request: &AuthRequest,
    proof: Proof<'_>,
) -> Result<AccessToken, AuthError> {
    const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let mut fields = vec![
        ("client_id", application.client_id.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", request.audience().scope()),
    ];
    let secret = match proof {
        Proof::Secret(secret) => {
            fields.push(("client_secret", secret.expose()));
            secret
        }
        Proof::Assertion(assertion) => {
            fields.push(("client_assertion_type", ASSERTION_TYPE));
            fields.push(("client_assertion", assertion.expose()));
            assertion
        }
    };
    fields.extend(request.claims().map(|claims| ("claims", claims)));
    Ok(post(host, application, Endpoint::Token, &fields, &[secret]).await?.grant()?.token)
}

/// Where a form goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    Token,
    DeviceCode,
}

/// A token, and what comes with it when a person signed in.
pub(crate) struct Grant {
    pub(crate) token: AccessToken,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
}

/// What Entra ID answered, if it was no refusal.
pub(crate) struct Said {
    pub(crate) fields: Fields,
    pub(crate) by: String,
    asked: OffsetDateTime,
}

impl Said {
    pub(crate) fn grant(mut self) -> Result<Grant, AuthError> {
        let refresh_token = self.fields.take_secret("refresh_token");
        let id_token = self.fields.take_secret("id_token");
        let token = self
            .fields
            .into_token(self.asked)
            .map_err(|missing| AuthError::refused(format!("{} answered without `{missing}`", self.by)))?;
        Ok(Grant { token, refresh_token, id_token })
    }
}

/// Why nothing was given: the protocol's short word, where one was sent, and the whole for people.
pub(crate) struct Refusal {
    pub(crate) word: Option<String>,
    pub(crate) error: AuthError,
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self { word: None, error }
    }
}

impl From<Refusal> for AuthError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// Sends a form, again while Entra ID is busy. `secrets` are those in the form.
pub(crate) async fn post(
    host: &Host,
    application: &Application,
    endpoint: Endpoint,
    fields: &[(&str, &str)],
    secrets: &[&Secret],
) -> Result<Said, Refusal> {
    let authority = host.authority()?;
    let url = match endpoint {
        Endpoint::Token => authority.endpoint(&application.tenant, "token"),
        Endpoint::DeviceCode => authority.endpoint(&application.tenant, "devicecode"),
    };
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form(fields))
        .map_err(|_| AuthError::invalid("the authority host does not make a URL that can be asked"))?;
    let asked = host.clock().now();
    let call = Call::new(request)
        .repeatable(true)
        .deadline(Some(host.deadline()))
        .body_limit_bytes(ANSWER_LIMIT_BYTES);
    let answer =
        host.internet()?.send(call).await.map_err(|failure| unreachable(authority.host(), failure))?;

    let status = answer.response.status();
    match Fields::parse(answer.response.body()) {
        Some(fields) if status == StatusCode::OK => {
            Ok(Said { fields, by: authority.host().to_owned(), asked })
        }
        Some(fields) if fields.get("error").is_some() => Err(Refusal {
            word: fields.text("error").map(str::to_owned),
            error: refused(application, &answer, &fields, secrets),
        }),
        _ => {
            let text = format!(
                "{} answered {} without a token or a reason, after {} attempts",
                authority.host(),
                status.as_u16(),
                answer.attempts
            );
            let error = AuthError::refused(text).with_hint(if status.is_redirection() {
                "redirects are not followed with a secret; look at AZURE_AUTHORITY_HOST and at proxies"
            } else {
                "a proxy or another server may have answered in its place; try again later"
            });
            Err(error.into())
        }
    }
}

/// The form as a body that is overwritten once it has been sent.
fn form(fields: &[(&str, &str)]) -> Bytes {
    // Room for the worst case, so that no outgrown buffer with a secret is left behind.
    let room = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(room));
    form.extend_pairs(fields);
    Bytes::from_owner(Zeroizing::new(form.finish().into_bytes()))
}

/// What Entra ID said, reduced to its code and its first sentence or two.
fn refused(application: &Application, answer: &Answer, fields: &Fields, secrets: &[&Secret]) -> AuthError {
    let described = fields.text("error_description").unwrap_or_default();
    let reason = described.split(" Trace ID:").next().unwrap_or_default();
    let reason = reason.split(['\r', '\n']).next().unwrap_or_default();
    let error = shown(fields.text("error").unwrap_or("error"), secrets);
    let number = aadsts::number(fields, described);
    let code = number.map_or_else(|| error.clone(), |number| format!("AADSTS{number}"));
    let reason = reason.trim_start_matches(&code).trim_start_matches(':');
    let status = answer.response.status();
    let what = if RetryPolicy::is_transient(status) {
        format!("Entra ID answered {} after {} attempts to", status.as_u16(), answer.attempts)
    } else {
        "Entra ID refused".to_owned()
    };
    let Application { tenant, client_id } = application;
    let mut text = format!("{what} application {client_id} in tenant {tenant}: {code}");
    if code != error {
        text += " (";
        text += &error;
        text += ")";
    }
    let reason = shown(reason, secrets);
    if !reason.is_empty() {
        text += ": ";
        text += &reason;
    }
    if let Some(id) = fields.text("correlation_id") {
        text += " (correlation id ";
        text += &shown(id, secrets);
        text += ")";
    }
    let refusal = AuthError::refused(text).with_code(code);
    match number.and_then(aadsts::hint) {
        Some(hint) => refusal.with_hint(hint),
        None => refusal,
    }
}

/// A refusal of Entra ID that a tool or a browser passed on in its text.
pub(crate) fn passed_on(what: &str, said: &str) -> AuthError {
    let error = AuthError::refused(format!("{what}: {said}"));
    let Some(number) = aadsts::number_in(said) else { return error };
    let error = error.with_code(format!("AADSTS{number}"));
    match aadsts::hint(number) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn unreachable(host: &str, failure: Failure) -> AuthError {
    let attempts = if failure.attempts == 1 { "attempt" } else { "attempts" };
    let text = format!(
        "no answer from {host} after {} {attempts} in {:.1} s: {failure}",
        failure.attempts,
        failure.elapsed.as_secs_f64()
    );
    AuthError::refused(text)
        .with_hint("check the network and its proxies; Entra ID must be reachable over https")
        .with_source(failure)
}
