//! Who may: access keys and bearer tokens, refused as the service refuses them.

use http::{Method, StatusCode};

use crate::answer::{Answer, ServiceError};
use crate::incoming::Incoming;
use crate::route::{Matched, Operation};
use crate::state::{Shared, Workspace};
use crate::token::{self, Claims};

/// The answer to a request that may not be served; `None` lets it pass.
pub(crate) fn refusal(
    shared: &Shared,
    request: &Incoming,
    matched: &Matched,
) -> Option<Result<Answer, ServiceError>> {
    if matched.operation.is_management() {
        return management_refusal(shared, request, matched).map(Ok);
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
    // The real service says no more than this, whether the key is wrong, rotated or switched off.
    let invalid =
        || Answer::new(StatusCode::UNAUTHORIZED).with("www-authenticate", "Bearer error=\"invalid_token\"");
    if let Some(key) = key {
        return (!doors.iter().any(|workspace| workspace.accepts(key))).then(|| Ok(invalid()));
    }
    drop(state);
    let Some(claims) = bearer(shared, request, token::DATA_PLANE) else { return Some(Ok(invalid())) };
    if claims.tid != token::TENANT {
        return Some(Ok(invalid()));
    }
    let role = shared.directory().role(&claims);
    let message = "The caller has not enough permissions on the workspace to perform this operation.";
    (!role.allows(&request.method, matched.operation))
        .then(|| Err(ServiceError::new(StatusCode::FORBIDDEN, "Forbidden", message)))
}

/// What the request's bearer token says, if it is a good one for this audience.
fn bearer(shared: &Shared, request: &Incoming, audience: &str) -> Option<Claims> {
    let token = request.header("authorization")?.strip_prefix("Bearer ")?;
    shared.tokens.read(token, shared.clock.now()).filter(|claims| claims.is_for(audience))
}

/// Resource Manager takes tokens for itself only, and names the tenant to get them from.
fn management_refusal(shared: &Shared, request: &Incoming, matched: &Matched) -> Option<Answer> {
    const HOME: &str = token::TENANT;
    let (code, message) = match bearer(shared, request, token::MANAGEMENT) {
        Some(claims) if claims.tid == HOME => return forbidden(shared, request, matched, &claims),
        Some(claims) => (
            "InvalidAuthenticationTokenTenant",
            format!(
                "The access token is from the wrong issuer 'https://sts.windows.net/{}/'. It must match the tenant 'https://sts.windows.net/{HOME}/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/{HOME}' to get the token.",
                claims.tid
            ),
        ),
        None if request.header("authorization").is_some_and(|value| value.starts_with("Bearer ")) => {
            ("InvalidAuthenticationToken", "The access token is invalid.".to_owned())
        }
        None => (
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.".to_owned(),
        ),
    };
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.windows.net/{HOME}\", error=\"invalid_token\", error_description=\"{message}\""
    );
    let answer = Answer::from(ServiceError::new(StatusCode::UNAUTHORIZED, code, message));
    Some(answer.with("www-authenticate", &challenge))
}

/// The Resource Manager names who asked, for what, and over which scope.
fn forbidden(shared: &Shared, request: &Incoming, matched: &Matched, claims: &Claims) -> Option<Answer> {
    if shared.directory().role(claims).allows(&request.method, matched.operation) {
        return None;
    }
    let action = match (&request.method, matched.operation) {
        (_, Operation::KeysList) => "Microsoft.Quantum/Workspaces/listKeys/action",
        (_, Operation::KeysRegenerate) => "Microsoft.Quantum/Workspaces/regenerateKeys/action",
        (&Method::PUT | &Method::PATCH, _) => "Microsoft.Quantum/Workspaces/write",
        _ => "Microsoft.Quantum/Workspaces/read",
    };
    let message = format!(
        "The client '{}' with object id '{}' does not have authorization to perform action '{action}' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        claims.appid.as_deref().unwrap_or_default(),
        claims.oid.as_deref().unwrap_or_default(),
        request.path
    );
    Some(ServiceError::new(StatusCode::FORBIDDEN, "AuthorizationFailed", message).into())
}
