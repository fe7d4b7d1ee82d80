//! Each failure that users meet ends with one line that names the operation, the status and the code, and a hint.

use std::time::Duration;

use futures::StreamExt;
use qws::{Error, ErrorKind, JobEvent, NewJob, Operation, Program};
use qws_contract::{Local, new_job};
use qws_emulator::{Action, Fault, Operation as Route};

use crate::main_job::GHZ;

fn check(error: &Error, kind: ErrorKind, text: &str, hint: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    let line = error.to_string();
    assert!(line.contains(text), "{line}");
    assert!(!line.contains('\n'), "{line}");
    assert!(error.hint().is_some_and(|given| given.contains(hint)), "{:?}", error.hint());
}

fn ghz() -> Program {
    Program::ionq_json(GHZ).unwrap()
}

#[tokio::test]
async fn a_wrong_key() {
    let local = Local::start().await;
    let wrong = local.emulator.connection_string().replace(&local.emulator.api_key(), "d3Jvbmc=");
    let error = local.workspace_at(&wrong).unwrap().targets().await.unwrap_err();
    let text = "providers.list: 401 invalid_token: the service did not accept the API key";
    check(&error, ErrorKind::Unauthenticated, text, "az quantum workspace keys list");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn disabled_keys() {
    let local = Local::start().await;
    local.emulator.disable_access_keys();
    let error = local.workspace().targets().await.unwrap_err();
    check(&error, ErrorKind::Unauthenticated, "providers.list: 401", "--enable-api-key True");
    local.emulator.enable_access_keys();
    assert!(local.workspace().targets().await.is_ok());
}

#[tokio::test]
async fn a_target_that_the_workspace_does_not_list() {
    let local = Local::start().await;
    let error = local.workspace().target("ionq.simulatr").await.unwrap_err();
    check(&error, ErrorKind::TargetMissing, "no target `ionq.simulatr`", "`ionq.simulator`");
}

#[tokio::test]
async fn a_target_that_the_service_does_not_know() {
    let local = Local::start().await;
    let workspace = local.workspace();
    let target = workspace.target("ionq.simulator").await.unwrap();
    let submission = target.submit(ghz());
    submission.send().await.unwrap();
    let id = qws::JobId::random();
    let container = workspace.client().storage().sas_uri(&format!("job-{id}"), None).await.unwrap();
    let job = NewJob { target: "ionq.nonesuch".into(), ..new_job(&container) };
    let error = workspace.client().jobs().create(&id, &job).await.unwrap_err();
    check(
        &error,
        ErrorKind::TargetMissing,
        "jobs.create: 403 InvalidJobDefinition: The target specified",
        "targets()",
    );
    assert_eq!(error.job_id(), Some(&id));
}

#[tokio::test]
async fn a_target_that_is_down() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.qpu.aria-1").await.unwrap();
    assert!(!target.is_available());
    let error = target.submit(ghz()).send().await.unwrap_err();
    check(&error, ErrorKind::TargetUnavailable, "jobs.create: 409 TargetUnavailable", "try again later");
}

#[tokio::test]
async fn an_unreachable_host() {
    let local = Local::start().await;
    let connection_string = local.emulator.connection_string();
    let workspace = local.workspace();
    drop(local);
    let error = workspace.targets().await.unwrap_err();
    check(&error, ErrorKind::Network, "providers.list: cannot connect to http://127.0.0.1:", "HTTPS_PROXY");
    assert_eq!(error.attempts(), 4);
    assert!(error.to_string().ends_with("(after 4 attempts)"), "{error}");
    assert!(!qws_contract::everything(&error).contains(key_of(&connection_string)));
}

fn key_of(connection_string: &str) -> &str {
    connection_string.split("ApiKey=").nth(1).and_then(|rest| rest.split(';').next()).unwrap()
}

#[tokio::test]
async fn a_truncated_answer() {
    let local = Local::start().await;
    local.emulator.inject(Fault::new(Route::ProviderStatus, Action::Truncate(40)).always());
    let error = local.workspace().targets().await.unwrap_err();
    check(&error, ErrorKind::Network, "providers.list: the answer of http://127.0.0.1:", "network");
    assert_eq!(error.attempts(), 4);

    local.emulator.clear_faults();
    local.emulator.inject(Fault::new(Route::ProviderStatus, Action::Truncate(40)));
    assert!(!local.workspace().targets().await.unwrap().is_empty(), "one cut-off answer is asked for again");
}

#[tokio::test]
async fn a_malformed_answer_names_the_place_and_is_not_asked_for_again() {
    let local = Local::start().await;
    local.emulator.inject(Fault::new(Route::ProviderStatus, Action::Malformed).always());
    let error = local.workspace().targets().await.unwrap_err();
    check(&error, ErrorKind::MalformedAnswer, "providers.list: 200 the answer", "endpoint");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_huge_error_page_does_not_hide_the_status() {
    let local = Local::start().await;
    let page = Action::Status { status: 400, headers: vec![], body: "x".repeat(10 << 20).into() };
    local.emulator.inject(Fault::new(Route::ProviderStatus, page));
    let error = local.workspace().targets().await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::InvalidRequest, 400));
}

#[tokio::test]
async fn a_job_that_fails() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let circuit = r#"{"qubits":2,"circuit":[{"gate":"no-such-gate","target":0}]}"#;
    let mut job = target.submit(Program::ionq_json(circuit).unwrap()).send().await.unwrap();
    job.wait().await.unwrap();
    let error = job.results().await.unwrap_err();
    check(&error, ErrorKind::JobFailed, "results: the job failed: ", "program");
    assert!(error.code().is_some_and(|code| code.starts_with("InvalidInput")), "{error:?}");
    assert!(error.to_string().contains("no-such-gate"), "{error}");
    assert_eq!(error.job_id(), Some(job.id()));
}

#[tokio::test]
async fn results_before_the_end() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let job = target.submit(ghz()).send().await.unwrap();
    let error = job.results().await.unwrap_err();
    check(&error, ErrorKind::JobNotFinished, "it was `Waiting` when last asked", "wait()");
}

#[tokio::test]
async fn an_emulator_that_stops_while_the_client_waits() {
    let local = Local::start().await;
    let workspace = local.workspace();
    let target = workspace.target("ionq.simulator").await.unwrap();
    let mut job = target.submit(ghz()).send().await.unwrap();
    let id = job.id().clone();

    let Local { emulator, clock } = local;
    let mut wait = job.wait().events();
    assert!(matches!(wait.next().await.unwrap().unwrap(), JobEvent::Status(_)));
    emulator.stop().await;
    let mut interruptions = 0;
    let error = loop {
        match wait.next().await.unwrap() {
            Ok(JobEvent::Interrupted(_)) => interruptions += 1,
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(wait.next().await.is_none(), "an error ends the stream");
    drop(wait);
    check(&error, ErrorKind::Network, &format!("[job {id}]"), "found again by its id");
    assert_eq!((error.job_id(), error.operation()), (Some(&id), Some(Operation::JobsGet)));
    assert!(interruptions > 3, "the wait went on for a while");
    assert!(clock.sleeps().iter().sum::<Duration>() >= Duration::from_mins(10));
    assert_eq!(job.id(), &id, "the handle is still there");
}

#[tokio::test]
async fn a_service_that_comes_back_does_not_end_the_wait() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let mut job = target.submit(ghz()).send().await.unwrap();
    local.emulator.inject(Fault::new(Route::JobsGet, Action::ResetBefore).after(1).times(9));
    job.wait().await.unwrap();
    assert!(job.is_finished());
}

#[tokio::test]
async fn a_deadline_ends_the_wait_and_leaves_the_job() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let mut job = target.submit(ghz()).send().await.unwrap();
    let error = job.wait().deadline(Duration::from_secs(5)).await.unwrap_err();
    check(&error, ErrorKind::Deadline, "wait: the job did not end within 5 s", "wait again");
    assert_eq!(error.job_id(), Some(job.id()));
    job.wait().await.unwrap();
    assert!(job.results().await.is_ok());
}

#[tokio::test]
async fn an_unknown_job() {
    let local = Local::start().await;
    let id = qws::JobId::random();
    let error = local.workspace().job(&id).await.unwrap_err();
    check(&error, ErrorKind::NotFound, "jobs.get: 404", "check the id");
    assert!(error.is_not_found());
}
