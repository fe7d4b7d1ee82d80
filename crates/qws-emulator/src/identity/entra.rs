//! Entra ID, as far as programs that sign in by themselves need it.
//!
//! Protocol: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use http::StatusCode;
use serde_json::{Value, json};

use super::Fields;
use super::directory::{Application, Directory, SignIn};
use super::refusal::Refusal;
use crate::answer::Answer;
use crate::state::Shared;
use crate::token::{self, Holder};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The authorities that Microsoft runs, all of which the instance discovery of each knows.
const HOSTS: [&str; 3] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];

pub(super) fn token(shared: &Shared, tenant: &str, fields: &Fields) -> Result<Answer, Refusal> {
    let mut directory = shared.directory();
    known(&directory, tenant)?;
    let required = |name| fields.get(name).ok_or_else(|| Refusal::missing(name));
    let grant = required("grant_type")?;
    let client_id = required("client_id")?;
    if !matches!(grant, "client_credentials" | "refresh_token") {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(Refusal::request("unsupported_grant_type", 70_003, text));
    }
    let application = directory
        .application(tenant, client_id)
        .ok_or_else(|| Refusal::unknown_application(client_id, tenant))?
        .clone();
    prove(shared, &directory, &application, fields, grant == "client_credentials")?;
    let audience = audience(required("scope")?, tenant, grant == "client_credentials")?;
    let (object_id, refresh_token) = if grant == "client_credentials" {
        (application.object_id, None)
    } else {
        let sign_in = redeem(&mut directory, client_id, required("refresh_token")?)?;
        let fresh = shared.request_id();
        let user = sign_in.user.clone();
        directory.sign_ins.push(SignIn { refresh_token: fresh.clone(), ..sign_in });
        (user, Some(fresh))
    };
    let holder = Holder { tenant: application.tenant_id, client_id: application.client_id, object_id };
    let terms = directory.terms.clone();
    drop(directory);
    let mut answer = json!({
        "token_type": "Bearer",
        "expires_in": terms.lifetime.as_secs(),
        "ext_expires_in": terms.lifetime.as_secs(),
        "access_token": shared.tokens.issue(audience, Some(holder), shared.clock.now(), terms.lifetime),
    });
    if let Some(refresh_in) = terms.refresh_in {
        answer["refresh_in"] = refresh_in.as_secs().into();
    }
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = refresh_token.into();
    }
    Ok(Answer::json(StatusCode::OK, &answer).with("cache-control", "no-store").with("pragma", "no-cache"))
}

fn known(directory: &Directory, tenant: &str) -> Result<(), Refusal> {
    let known = directory.tenants.iter().any(|known| known.eq_ignore_ascii_case(tenant));
    known.then_some(()).ok_or_else(|| Refusal::unknown_tenant(tenant))
}

/// Whether the application is itself: by secret, by assertion, or, for a public client, not at all.
fn prove(
    shared: &Shared,
    directory: &Directory,
    application: &Application,
    fields: &Fields,
    always: bool,
) -> Result<(), Refusal> {
    if let Some(secret) = fields.get("client_secret") {
        if application.secrets.iter().any(|known| known == secret) {
            return Ok(());
        }
        let id = &application.client_id;
        if application.expired_secrets.iter().any(|known| known == secret) {
            let text = format!(
                "The provided client secret keys for app '{id}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
            );
            return Err(Refusal::client(7_000_222, text));
        }
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{id}'."
        );
        return Err(Refusal::client(7_000_215, text));
    }
    if let Some(assertion) = fields.get("client_assertion") {
        if fields.get("client_assertion_type") != Some(JWT_BEARER) {
            return Err(Refusal::missing("client_assertion_type"));
        }
        return check(shared, directory, application, assertion);
    }
    if always || !application.secrets.is_empty() || !application.federated_credentials.is_empty() {
        let text =
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(Refusal::client(7_000_218, text));
    }
    Ok(())
}

#[cfg(feature = "assertions")]
fn check(
    shared: &Shared,
    directory: &Directory,
    application: &Application,
    assertion: &str,
) -> Result<(), Refusal> {
    directory.issuers.check(assertion, application, shared.clock.now())
}

#[cfg(not(feature = "assertions"))]
fn check(_: &Shared, _: &Directory, _: &Application, _: &str) -> Result<(), Refusal> {
    let text = "This emulator was built without its feature `assertions` and cannot check one.";
    Err(Refusal::client(700_027, text))
}

/// The audience of the tokens that a scope asks for; an application for itself must ask for a whole resource.
fn audience(scope: &str, tenant: &str, whole: bool) -> Result<&'static str, Refusal> {
    const OPENID: [&str; 3] = ["offline_access", "openid", "profile"];
    let invalid = |text: String| Err(Refusal::request("invalid_scope", 70_011, text));
    let mut wanted = scope.split_whitespace().filter(|part| !OPENID.contains(part));
    let (Some(one), None) = (wanted.next(), wanted.next()) else {
        return invalid(format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope '{scope}' is not valid: it must name exactly one resource."
        ));
    };
    let resource = match (one.strip_suffix("/.default"), one.rsplit_once('/')) {
        (None, _) if whole => {
            let text = format!(
                "The provided value for scope {one} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            );
            return Err(Refusal::request("invalid_scope", 1_002_012, text));
        }
        (Some(resource), _) | (None, Some((resource, _))) => resource,
        (None, None) => {
            return invalid(format!(
                "The provided value for the input parameter 'scope' is not valid. The scope '{one}' is not valid."
            ));
        }
    };
    token::audience(resource).ok_or_else(|| Refusal::unknown_resource(resource, tenant))
}

/// Takes a refresh token; the caller gives a new one in its place.
fn redeem(directory: &mut Directory, client_id: &str, refresh_token: &str) -> Result<SignIn, Refusal> {
    let position = directory.sign_ins.iter().position(|known| {
        known.refresh_token == refresh_token && known.client_id.eq_ignore_ascii_case(client_id)
    });
    let Some(position) = position else {
        let text = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid.";
        return Err(Refusal::request("invalid_grant", 70_000, text));
    };
    let sign_in = directory.sign_ins.swap_remove(position);
    if directory.users.contains(&sign_in.user) {
        return Ok(sign_in);
    }
    let text = "The user account {EUII Hidden} does not exist in the directory. To sign into this application, the account must be added to the directory.";
    Err(Refusal::request("invalid_grant", 50_034, text))
}

/// Discovery as <https://openid.net/specs/openid-connect-discovery-1_0.html> has it.
pub(super) fn configuration(shared: &Shared, tenant: &str) -> Result<Answer, Refusal> {
    known(&shared.directory(), tenant)?;
    let authority = &shared.addresses.authority;
    let endpoint = |name: &str| format!("{authority}/{tenant}/oauth2/v2.0/{name}");
    let answer = json!({
        "issuer": format!("{authority}/{tenant}/v2.0"),
        "token_endpoint": endpoint("token"),
        "authorization_endpoint": endpoint("authorize"),
        "device_authorization_endpoint": endpoint("devicecode"),
        "jwks_uri": format!("{authority}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "grant_types_supported": ["client_credentials", "refresh_token"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": Value::Null,
        "cloud_instance_name": "microsoftonline.com",
    });
    Ok(Answer::json(StatusCode::OK, &answer))
}

/// Whether an authority is one of Microsoft's, or this one.
pub(super) fn instances(shared: &Shared, fields: &Fields) -> Result<Answer, Refusal> {
    let asked = fields.get("authorization_endpoint").and_then(|url| url::Url::parse(url).ok());
    let own = url::Url::parse(&shared.addresses.authority).ok();
    let host = |url: &url::Url| url.host_str().map(str::to_owned);
    let asked = asked.as_ref().and_then(|url| Some((host(url)?, url.path().split('/').nth(1)?.to_owned())));
    let own = own.as_ref().and_then(host).unwrap_or_default();
    let Some((_, tenant)) = asked.filter(|(host, _)| *host == own || HOSTS.contains(&host.as_str())) else {
        return Err(Refusal::request("invalid_instance", 50_049, "Unknown or invalid instance."));
    };
    let metadata: Vec<Value> = HOSTS
        .iter()
        .map(|host| json!({ "preferred_network": host, "preferred_cache": host, "aliases": [host] }))
        .collect();
    let answer = json!({
        "tenant_discovery_endpoint":
            format!("{}/{tenant}/v2.0/.well-known/openid-configuration", shared.addresses.authority),
        "api-version": "1.1",
        "metadata": metadata,
    });
    Ok(Answer::json(StatusCode::OK, &answer))
}
