//! Every cause that the service is known to give, provoked on the emulator: its kind, and advice that helps.

use qws::{Error, ErrorKind, Program};
use qws_contract::Local;
use qws_emulator::{Action, Fault, Operation as Route};

use crate::{log::Log, main_job::GHZ};

/// Submits, waits and reads: whatever fails on the way.
async fn main_job(local: &Local) -> Result<(), Error> {
    let target = local.workspace().target("ionq.simulator").await?;
    let mut job = target.submit(Program::ionq_json(GHZ)?).send().await?;
    job.wait().patience(std::time::Duration::from_secs(30)).await?;
    job.results().await?.histogram()?;
    Ok(())
}

#[tokio::test]
async fn the_services_codes_get_their_kind_and_advice() {
    let missing = "does not exist or is not enabled for the workspace.";
    for (route, status, code, message, kind, advice) in [
        (Route::ProviderStatus, 401, "Unauthorized", "x", ErrorKind::Unauthenticated, "keys list"),
        (
            Route::ProviderStatus,
            401,
            "AuthenticationFailed",
            "The 'Authorization' header is missing.",
            ErrorKind::Unauthenticated,
            "keys",
        ),
        (
            Route::ProviderStatus,
            403,
            "Forbidden",
            "x",
            ErrorKind::Forbidden,
            "Quantum Workspace Data Contributor",
        ),
        (
            Route::ProviderStatus,
            403,
            "InsufficientPermissions",
            "not enough permissions",
            ErrorKind::Forbidden,
            "up to an hour",
        ),
        (Route::ProviderStatus, 429, "TooManyRequests", "x", ErrorKind::Throttled, "less at once"),
        (Route::ProviderStatus, 503, "ServerBusy", "x", ErrorKind::ServiceFault, "try again"),
        (
            Route::ProviderStatus,
            400,
            "IncorrectDataplaneEndpoint",
            "x",
            ErrorKind::WrongEndpoint,
            "resource id",
        ),
        (Route::SasUri, 403, "Forbidden", "x", ErrorKind::Forbidden, "role"),
        (
            Route::JobsCreate,
            403,
            "InvalidJobDefinition",
            &format!("The provider specified {missing}"),
            ErrorKind::ProviderMissing,
            "add the provider",
        ),
        (
            Route::JobsCreate,
            403,
            "InvalidJobDefinition",
            &format!("The target specified {missing}"),
            ErrorKind::TargetMissing,
            "targets()",
        ),
        (
            Route::JobsCreate,
            400,
            "InvalidJobDefinition",
            "Session is already in a terminal state.",
            ErrorKind::SessionClosed,
            "new session",
        ),
        (
            Route::JobsCreate,
            409,
            "TargetUnavailable",
            "try later",
            ErrorKind::TargetUnavailable,
            "try again later",
        ),
        (
            Route::JobsCreate,
            400,
            "InvalidJobDefinition",
            "The OutputDataFormat field is required.",
            ErrorKind::InvalidRequest,
            "with_output_format",
        ),
        (Route::JobsCreate, 403, "InsufficientQuota", "x", ErrorKind::QuotaExceeded, "quotas"),
        (Route::JobsGet, 404, "JobNotFound", "x", ErrorKind::NotFound, "check the id"),
    ] {
        let local = Local::start().await;
        local.emulator.inject(Fault::new(route, Action::service_error(status, code, message)).always());
        let error = main_job(&local).await.expect_err(code);
        assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(advice)), "{code}: {:?}", error.hint());
    }
}

/// Storage answers in XML.
#[tokio::test]
async fn storages_codes_get_their_kind_and_advice() {
    for (route, status, code) in [
        (Route::BlobPut, 403, "AuthorizationFailure"),
        (Route::BlobPut, 403, "KeyBasedAuthenticationNotPermitted"),
        (Route::BlobPut, 403, "AuthenticationFailed"),
        (Route::BlobGet, 403, "AuthorizationFailure"),
    ] {
        let local = Local::start().await;
        let body = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>This request is not \
                            authorized.\nRequestId:1\nTime:2</Message></Error>"
        );
        let headers = vec![
            ("content-type".to_owned(), "application/xml".to_owned()),
            ("x-ms-error-code".to_owned(), code.to_owned()),
        ];
        local
            .emulator
            .inject(Fault::new(route, Action::Status { status, headers, body: body.into() }).always());
        let error = main_job(&local).await.expect_err(code);
        assert_eq!((error.kind(), error.code()), (ErrorKind::StorageRefused, Some(code)), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("network")), "{:?}", error.hint());
    }
}

/// Codes of failed jobs, as recorded from the service.
#[tokio::test]
async fn a_job_that_failed_tells_whose_fault_it_was() {
    let program = "check it, and that its format";
    let qir = "check the QIR";
    let other_side = "a new job may succeed, and may cost again";
    let known = [
        ("InvalidInputData", "bad", program),
        ("InvalidInputError", "bad", program),
        ("CannotTranslateInputData", "bad", program),
        ("InputDataNotFound", "gone", "submit the program again"),
        ("InputFileMissing", "gone", "submit the program again"),
        ("BitcodeError", "text", "bitcode"),
        ("QIRPreProcessingFailed", "no entry point", qir),
        ("QIRLinkingFailed", "undefined", qir),
        ("CompilationError", "undefined", qir),
        ("QATTransformationFailed", "profile", qir),
        ("ProviderTimeout", "late", other_side),
        ("PartnerCallFailed", "x", other_side),
        ("TransientFailure", "x", other_side),
        ("InternalError", "x", other_side),
        ("TargetUnavailable", "x", other_side),
        ("InsufficientResources", "The Quota of HQC is used up.", "quotas for this provider"),
        ("PropertyNotSpecified", "x", "Job::details"),
    ];
    let local = Local::start().await;
    let ids: Vec<qws::JobId> = known.iter().map(|_| qws::JobId::random()).collect();
    let job = |(id, (code, message, _)): (&qws::JobId, &(&str, &str, &str))| {
        serde_json::json!({
            "id": id.as_str(), "name": code, "providerId": "ionq", "target": "ionq.simulator", "status": "Failed",
            "outputDataFormat": "ionq.quantum-results.v1", "errorData": {"code": code, "message": message},
        })
    };
    let jobs: Vec<_> = ids.iter().zip(&known).map(job).collect();
    let workspace = serde_json::json!({
        "subscriptionId": local.emulator.subscription_id(), "resourceGroup": local.emulator.resource_group(),
        "name": local.emulator.workspace_name(), "location": local.emulator.location(), "jobs": jobs,
    });
    local.emulator.load(&serde_json::json!({ "workspaces": [workspace] })).unwrap();
    for (id, (code, message, advice)) in ids.iter().zip(known) {
        let error = local.workspace().job(id).await.unwrap().results().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::JobFailed, Some(code)), "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(advice)), "{code}: {:?}", error.hint());
    }
}

#[tokio::test]
async fn spans_are_named_as_opentelemetry_does_and_hold_no_path() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let local = Local::start().await;
    local.emulator.inject(Fault::new(Route::ProviderStatus, Action::status(503)));
    local.workspace().targets().await.unwrap();
    let text = log.text();
    let closed = |span: &str| -> Vec<String> {
        let ours =
            text.lines().filter(|line| line.contains(" close ") && line.contains(&format!(" {span}{{")));
        ours.map(str::to_owned).collect()
    };
    let operations: Vec<String> =
        closed("azure_quantum").into_iter().filter(|line| !line.contains("http_attempt")).collect();
    assert_eq!(operations.len(), 1, "{text}");
    for field in [
        "providers.list",
        "http.request.method=\"GET\"",
        "server.address=\"127.0.0.1\"",
        "http.response.status_code=200",
        "http.request.resend_count=1",
    ] {
        assert!(operations[0].contains(field), "{field}: {}", operations[0]);
    }
    let attempts: Vec<&str> =
        text.lines().filter(|line| line.contains("http_attempt{") && line.contains(" close ")).collect();
    assert_eq!(attempts.len(), 2, "{text}");
    assert!(
        attempts[0].contains("http.response.status_code=503")
            && attempts[1].contains("http.response.status_code=200")
    );
    let ours = operations.iter().map(String::as_str).chain(attempts);
    assert!(
        ours.into_iter()
            .all(|line| !line.contains("/subscriptions/") && !line.contains(&local.emulator.api_key()))
    );
}
