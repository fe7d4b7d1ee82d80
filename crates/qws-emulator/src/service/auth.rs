//! Who may: access keys and bearer tokens, refused as the service refuses them.

use http::StatusCode;

use crate::answer::{Answer, ServiceError};
use crate::route::Matched;
use crate::server::Incoming;
use crate::state::{Shared, Workspace};
use crate::token;

/// The answer to a request that may not be served; `None` lets it pass.
pub(crate) fn refusal(
    shared: &Shared,
    request: &Incoming,
    matched: &Matched,
) -> Option<Result<Answer, ServiceError>> {
    if matched.operation.is_management() {
        return management_refusal(shared, request).map(Ok);
    }
    let key = request.header("x-ms-quantum-api-key");
    let authorization = request.header("authorization");
    if key.is_none() && authorization.is_none() {
        let message = "Authentication failed. The 'Authorization' header is missing.";
        return Some(Err(ServiceError::new(StatusCode::UNAUTHORIZED, "AuthenticationFailed", message)));
    }
    let state = shared.state();
    // An operation on a subscription takes the key of any of its workspaces.
    let doors: Vec<&Workspace> = if matched.params.workspace.is_empty() {
        let of_subscription = |workspace: &&Workspace| {
            workspace.subscription.eq_ignore_ascii_case(&matched.params.subscription)
        };
        state.workspaces.iter().filter(of_subscription).collect()
    } else {
        match state.find(&matched.params) {
            Ok(index) => vec![&state.workspaces[index]],
            Err(unknown) => return Some(Err(unknown)),
        }
    };
    let allowed = match (key, authorization.and_then(|value| value.strip_prefix("Bearer "))) {
        (Some(key), _) => doors.iter().any(|workspace| workspace.accepts(key)),
        (None, Some(bearer)) => shared.tokens.accepts(bearer, token::DATA_PLANE, shared.clock.now()),
        (None, None) => false,
    };
    // The real service says no more than this, whether the key is wrong, rotated or switched off.
    (!allowed).then(|| {
        Ok(Answer::new(StatusCode::UNAUTHORIZED).with("www-authenticate", "Bearer error=\"invalid_token\""))
    })
}

/// Resource Manager takes tokens for itself only, and names the tenant to get them from.
fn management_refusal(shared: &Shared, request: &Incoming) -> Option<Answer> {
    let authorization = request.header("authorization");
    let (code, message) = match authorization.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) if shared.tokens.accepts(token, token::MANAGEMENT, shared.clock.now()) => return None,
        Some(_) => ("InvalidAuthenticationToken", "The access token is invalid."),
        None => ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
    };
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.windows.net/{}\", error=\"invalid_token\", error_description=\"{message}\"",
        token::TENANT
    );
    let answer = Answer::from(ServiceError::new(StatusCode::UNAUTHORIZED, code, message));
    Some(answer.with("www-authenticate", &challenge))
}
