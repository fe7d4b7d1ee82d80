//! From an answer to its cause, and from the cause to advice: the one place that knows the service's codes and texts.

use http::{HeaderMap, StatusCode};
use qws_auth::Challenge;

use crate::{Error, ErrorKind, Operation, models::ServiceError};

const ROLES: &str = "give the identity the role `Quantum Workspace Data Contributor` (or Contributor) on the workspace; \
                     a new role can take up to an hour to work";

const KEYS: &str = "the key may be mistyped, regenerated or of another workspace, or access keys are switched off: \
                    compare with `az quantum workspace keys list`, and switch keys on with \
                    `az quantum workspace update --enable-api-key True`; or sign in with Entra ID";

const TOKEN: &str = "sign in again; if that does not help, the token is of another tenant than the workspace's \
                     subscription, or the identity has no role on the workspace";

/// The error for an answer with an error status.
pub(crate) fn for_answer(
    operation: Operation,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    with_api_key: bool,
) -> Error {
    let parsed = ServiceError::from_body(body);
    let text_of = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let challenge = Challenge::from_headers(headers);
    let code = parsed
        .as_ref()
        .map(|error| error.code.clone())
        .filter(|code| !code.is_empty())
        .or_else(|| text_of("x-ms-error-code"))
        .or_else(|| challenge.error().map(str::to_owned));
    let message = match &parsed {
        Some(error) if !error.message.is_empty() => crate::models::one_line(&error.message),
        _ => plain(status, with_api_key),
    };
    let kind = kind(status, code.as_deref().unwrap_or_default(), &message);
    let closer = for_code(code.as_deref().unwrap_or_default(), &message);
    let error = Error::new(kind, message)
        .with_operation(operation)
        .with_status(status)
        .with_code(code)
        .with_request_id(text_of("x-ms-request-id"));
    match closer.or_else(|| advice(kind, with_api_key)) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The text for an answer that brought none.
fn plain(status: StatusCode, with_api_key: bool) -> String {
    match status {
        StatusCode::UNAUTHORIZED if with_api_key => "the service did not accept the API key".into(),
        StatusCode::UNAUTHORIZED => "the service did not accept the token".into(),
        status if status.is_redirection() => {
            "the service answered with a redirect, which is never followed".into()
        }
        status => status.canonical_reason().unwrap_or("the service gave no reason").to_lowercase(),
    }
}

/// The cause. Codes and texts as recorded from the service; those of the storage account are told by its own codes.
fn kind(status: StatusCode, code: &str, message: &str) -> ErrorKind {
    let says = |part: &str| message.contains(part);
    match (status.as_u16(), code) {
        (_, "IncorrectDataplaneEndpoint") => ErrorKind::WrongEndpoint,
        (_, "TargetUnavailable") => ErrorKind::TargetUnavailable,
        (_, "InsufficientPermissions") => ErrorKind::Forbidden,
        (_, "AuthorizationFailure" | "KeyBasedAuthenticationNotPermitted") => ErrorKind::StorageRefused,
        (_, "InvalidJobDefinition") if says("provider specified does not exist") => {
            ErrorKind::ProviderMissing
        }
        (_, "InvalidJobDefinition") if says("target specified does not exist") => ErrorKind::TargetMissing,
        (_, "InvalidJobDefinition") if says("terminal state") => ErrorKind::SessionClosed,
        (_, code) if code.contains("Quota") => ErrorKind::QuotaExceeded,
        (300..=399, _) => ErrorKind::Redirect,
        (401, _) => ErrorKind::Unauthenticated,
        (403, "AuthenticationFailed") => ErrorKind::StorageRefused,
        (403, _) => ErrorKind::Forbidden,
        (404 | 410, _) => ErrorKind::NotFound,
        (409 | 412, _) => ErrorKind::Conflict,
        (429, _) => ErrorKind::Throttled,
        (408 | 500.., _) => ErrorKind::ServiceFault,
        (400..=499, _) => ErrorKind::InvalidRequest,
        _ => ErrorKind::Other,
    }
}

/// What to do about one code, where that is more than its kind has to say.
fn for_code(code: &str, message: &str) -> Option<&'static str> {
    match code {
        "SubscriptionNotFound" => Some(
            "check the subscription's id, and that you are signed in to the tenant that it belongs to: `az account show`",
        ),
        "ResourceGroupNotFound" | "ResourceNotFound" => Some(
            "check subscription, resource group and name: `az quantum workspace list` shows the workspaces that you see",
        ),
        "InvalidJobDefinition" if message.contains("OutputDataFormat") => {
            Some("name the format wanted for the results: `Program::with_output_format`")
        }
        _ => None,
    }
}

/// What to do, by cause.
pub(crate) fn advice(kind: ErrorKind, with_api_key: bool) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Unauthenticated if with_api_key => KEYS,
        ErrorKind::Unauthenticated => TOKEN,
        ErrorKind::Forbidden => ROLES,
        ErrorKind::WrongEndpoint => {
            "the endpoint is of another region or kind of workspace: take it from the workspace's overview in the \
             portal, or name the workspace by its resource id and let it be looked up"
        }
        ErrorKind::ProviderMissing => {
            "add the provider to the workspace in the portal, or pick one of `targets()`"
        }
        ErrorKind::TargetMissing => "pick one of `targets()`: targets are added and retired often",
        ErrorKind::TargetUnavailable => {
            "try again later, or pick a target that `targets()` shows as available"
        }
        ErrorKind::SessionClosed => "open a new session: one ends 10 minutes after its last job",
        ErrorKind::QuotaExceeded => {
            "look at the workspace's quotas; a provider's quota is raised in the portal"
        }
        ErrorKind::NotFound => "check the id, and that the endpoint and workspace are those it was made in",
        ErrorKind::StorageRefused => {
            "the workspace's storage account refused: allow access from this network, allow its account keys, or, if \
             the link had expired, try again"
        }
        ErrorKind::Throttled => "wait and send less at once; the job id stays good",
        ErrorKind::ServiceFault => "try again; nothing is lost, and a job can be found again by its id",
        ErrorKind::Network => {
            "check the name in the endpoint, the network, and HTTPS_PROXY; a job can be found again by its id"
        }
        ErrorKind::Redirect => {
            "the endpoint is not that of a workspace, or something between here and there redirects"
        }
        _ => return None,
    })
}

/// What to do about a job that failed, by the service's code (`errorData.code`).
pub(crate) fn for_failed_job(reason: Option<&ServiceError>) -> &'static str {
    let code = reason.map_or("", |reason| reason.code.as_str());
    match code {
        "InvalidInputData" | "InvalidInputError" | "CannotTranslateInputData" => {
            "the target could not read the program: check it, and that its format is one the target takes"
        }
        "InputDataNotFound" | "InputFileMissing" => "the input was not in storage: submit the program again",
        "BitcodeError" => "this target wants QIR as bitcode, and got text (or broken bitcode)",
        "QIRPreProcessingFailed" | "QIRLinkingFailed" | "CompilationError" | "QATTransformationFailed" => {
            "check the QIR: an entry point, its output recording, and only operations of the target's profile"
        }
        "ProviderTimeout" | "PartnerCallFailed" | "TransientFailure" | "InternalError"
        | "TargetUnavailable" => {
            "the trouble was on the other side; a new job may succeed, and may cost again"
        }
        _ if reason.is_some_and(|reason| reason.message.to_lowercase().contains("quota")) => {
            "a quota is used up: look at the workspace's quotas for this provider"
        }
        _ => "see the code and message; `Job::details` has everything the service told",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, code: Option<&'static str>, body: &str) -> Error {
        let mut headers = HeaderMap::new();
        if let Some(code) = code {
            headers.insert("x-ms-error-code", code.parse().unwrap());
        }
        for_answer(Operation::JobsCreate, status.try_into().unwrap(), &headers, body.as_bytes(), true)
    }

    #[test]
    fn recorded_answers_are_told_apart() {
        let job = |text: &str| format!(r#"{{"error":{{"code":"InvalidJobDefinition","message":"{text}"}}}}"#);
        let missing = "does not exist or is not enabled for the workspace.";
        for (status, body, kind) in [
            (403, job(&format!("The provider specified {missing}")), ErrorKind::ProviderMissing),
            (403, job(&format!("The target specified {missing}")), ErrorKind::TargetMissing),
            (400, job("Session is already in a terminal state"), ErrorKind::SessionClosed),
            (400, job("The OutputDataFormat field is required."), ErrorKind::InvalidRequest),
            (
                409,
                r#"{"error":{"code":"TargetUnavailable","message":"x"}}"#.into(),
                ErrorKind::TargetUnavailable,
            ),
            (400, r#"{"code":"IncorrectDataplaneEndpoint","message":""}"#.into(), ErrorKind::WrongEndpoint),
            (403, r#"{"error":{"code":"InsufficientPermissions"}}"#.into(), ErrorKind::Forbidden),
            (401, String::new(), ErrorKind::Unauthenticated),
            (404, "<html>".into(), ErrorKind::NotFound),
            (503, "{".into(), ErrorKind::ServiceFault),
            (302, String::new(), ErrorKind::Redirect),
        ] {
            let error = error(status, None, &body);
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert!(error.hint().is_some() || kind == ErrorKind::InvalidRequest, "{status} {body}");
        }
    }

    #[test]
    fn the_code_is_taken_from_body_header_or_challenge() {
        let body = r#"{"error":{"code":"InBody","message":"text"}}"#;
        assert_eq!(error(400, Some("InHeader"), body).to_string(), "jobs.create: 400 InBody: text");
        assert_eq!(error(400, Some("InHeader"), "").to_string(), "jobs.create: 400 InHeader: bad request");
        let mut headers = HeaderMap::new();
        headers.insert("www-authenticate", r#"Bearer error="invalid_token""#.parse().unwrap());
        let error = for_answer(Operation::ProvidersList, StatusCode::UNAUTHORIZED, &headers, b"", true);
        let text = "providers.list: 401 invalid_token: the service did not accept the API key";
        assert_eq!(error.to_string(), text);
        assert_eq!(error.hint(), Some(KEYS));
    }
}
