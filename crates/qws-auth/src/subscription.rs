use bytes::Bytes;
use http::{Request, StatusCode};
use qws_config::{SubscriptionId, TenantId};
use qws_http::{Call, Http};

use crate::{AuthError, Challenge, access_token::Fields, text::shown};

/// The address of the Resource Manager in the public cloud.
pub const RESOURCE_MANAGER: &str = "https://management.azure.com";

/// The tenant that a subscription belongs to, found without signing in.
///
/// Asks the Resource Manager for the subscription without a token; its 401 names the tenant that a token must be of.
/// Guests and people with several tenants need this: the tenant they sign in to by default is often another one.
/// `address` is [`RESOURCE_MANAGER`], or that of another cloud or an emulator.
///
/// # Errors
/// [`crate::AuthErrorKind::InvalidInput`] if there is no such subscription, [`crate::AuthErrorKind::Refused`] if the
/// Resource Manager cannot be reached or names no tenant.
pub async fn tenant_of_subscription(
    http: &Http,
    address: &str,
    subscription: &SubscriptionId,
) -> Result<TenantId, AuthError> {
    let url =
        format!("{}/subscriptions/{subscription}?api-version=2022-12-01", address.trim_end_matches('/'));
    let request = Request::get(url)
        .body(Bytes::new())
        .map_err(|_| AuthError::invalid("the address of the Resource Manager is not a URL"))?;
    let call = Call::new(request).repeatable(true).deadline(Some(std::time::Duration::from_secs(30)));
    let answer = http.send(call).await.map_err(|failure| {
        let text = format!("the Resource Manager gave no answer after {} attempts", failure.attempts);
        AuthError::refused(text).with_source(failure)
    })?;
    let status = answer.response.status();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = Challenge::from_headers(answer.response.headers());
        let tenant = challenge.tenant().and_then(|tenant| tenant.parse().ok());
        return tenant.ok_or_else(|| {
            AuthError::refused("the Resource Manager's 401 names no tenant of the subscription")
        });
    }
    if status == StatusCode::NOT_FOUND {
        return Err(AuthError::invalid(format!("there is no subscription {subscription}"))
            .with_hint("compare it with `az account list --all --query \"[].id\"`")
            .with_code("SubscriptionNotFound"));
    }
    let code = Fields::parse(answer.response.body())
        .and_then(|fields| Some(shown(fields.get("error")?.get("code")?.as_str()?, &[])));
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let text = format!("the Resource Manager answered {}{code} where a 401 was due", status.as_u16());
    Err(AuthError::refused(text))
}
