//! What people do with jobs: many at once, in sessions, with files, large inputs, and work that is picked up again.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::TryStreamExt;
use qws::{
    Check, Circuit, ErrorKind, Job, JobId, JobSet, JobSetEvent, JobStatus, JobUpdate, Priority, Program,
    SessionJobFailurePolicy, SessionStatus, Severity,
};
use qws_contract::Local;
use qws_emulator::{Action, Fault, Operation as Route};

use crate::main_job::GHZ;

fn count(local: &Local, route: Route) -> usize {
    local.emulator.requests().iter().filter(|request| request.operation == Some(route)).count()
}

async fn submitted(local: &Local) -> Job {
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    target.submit(Program::ionq_json(GHZ).unwrap()).shots(100).send().await.unwrap()
}

#[tokio::test]
async fn a_circuit_that_was_built_runs() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let circuit = Circuit::new(3).x(0).toffoli([0, 0], 1);
    assert!(circuit.program().is_err());
    let program = Circuit::new(3).x(0).cnot(0, 1).toffoli([0, 1], 2).swap(0, 2).program().unwrap();
    let mut job = target.submit(program).send().await.unwrap();
    job.wait().await.unwrap();
    let histogram = job.results().await.unwrap().histogram().unwrap();
    assert_eq!(histogram.outcomes()[0].label(), "111");
}

#[tokio::test]
async fn cancel_update_and_delete_are_three_things() {
    let local = Local::start().await;
    let mut job = submitted(&local).await;
    job.update(&JobUpdate::new().name("second name").tags(["x"])).await.unwrap();
    assert_eq!(
        (job.details().name.as_deref(), job.details().tags.as_slice()),
        (Some("second name"), &["x".into()][..])
    );
    job.cancel().await.unwrap();
    job.wait().await.unwrap();
    assert_eq!(job.status(), Some(&JobStatus::Cancelled));
    assert_eq!(job.results().await.unwrap_err().kind(), ErrorKind::JobCancelled);
    let id = job.id().clone();
    job.delete().await.unwrap();
    assert!(local.workspace().job(&id).await.unwrap_err().is_not_found());
    assert_eq!((count(&local, Route::JobsCancel), count(&local, Route::JobsDelete)), (1, 1));
    let sent = local.emulator.requests();
    let cancel = sent.iter().find(|request| request.operation == Some(Route::JobsCancel)).unwrap();
    assert_eq!(cancel.header("content-length"), Some("0"), "a POST without a body says so");
}

#[tokio::test]
async fn a_session_takes_jobs_until_it_is_closed() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let builder = target.session().name("sweep").on_failure(SessionJobFailurePolicy::Continue);
    let id = builder.id().to_owned();
    let mut session = builder.open().await.unwrap();
    assert_eq!((session.id(), session.details().name.as_deref()), (id.as_str(), Some("sweep")));
    let program = || Program::ionq_json(GHZ).unwrap();
    let first = session.submit(program()).send().await.unwrap();
    assert_eq!(first.details().session_id.as_deref(), Some(id.as_str()));
    let late = session.submit(program());
    let jobs = session.jobs().collect().await.unwrap();
    assert_eq!(jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), [first.id()]);

    session.close().await.unwrap();
    assert!(session.is_over());
    session.close().await.expect("closing a session that is closed is no error");
    local.emulator.clear_requests();
    for submission in [late, session.submit(program())] {
        let error = submission.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SessionClosed);
    }
    assert!(local.emulator.requests().is_empty(), "nothing is sent with a closed session's id");
}

#[tokio::test]
async fn two_sessions_on_one_target_are_two() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let mut first = target.session().open().await.unwrap();
    let second = target.session().open().await.unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(count(&local, Route::SessionsClose), 0, "opening one closes no other");
    let job = second.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    assert_eq!(job.details().session_id.as_deref(), Some(second.id()));
    first.close().await.unwrap();
    assert!(first.is_over() && !second.is_over());
    let outside = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    assert_eq!(outside.details().session_id, None, "the target keeps no session");
}

#[tokio::test]
async fn an_idle_session_times_out_and_says_so() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let mut session = target.session().open().await.unwrap();
    let mut job = session.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    job.wait().await.unwrap();
    local.clock.advance(Duration::from_mins(qws::SESSION_IDLE_MINUTES + 1));
    let error = session.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionClosed, "{error}");
    assert!(error.hint().unwrap().contains("new session"));
    assert!(session.is_over(), "the service said so");
    local.emulator.clear_requests();
    let again = session.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap_err();
    assert_eq!((again.kind(), local.emulator.requests().len()), (ErrorKind::SessionClosed, 0));
    session.refresh().await.unwrap();
    assert_eq!(session.details().status, Some(SessionStatus::TimedOut));
    session.close().await.expect("closing one that timed out is no error");
}

#[tokio::test]
async fn files_are_put_beside_a_job_and_read_back() {
    let local = Local::start().await;
    let job = submitted(&local).await;
    let files = job.attachments();
    files.upload("notes.txt", "first", "text/plain", false).await.unwrap();
    files.upload("notes.txt", "first", "text/plain", false).await.expect("the same again is no conflict");
    let error = files.upload("notes.txt", "second", "text/plain", false).await.unwrap_err();
    assert_eq!((error.kind(), error.job_id()), (ErrorKind::Conflict, Some(job.id())));
    files.upload("notes.txt", "second", "text/plain", true).await.unwrap();
    assert_eq!(files.download("notes.txt").await.unwrap(), "second");
    let mut names: Vec<String> = files.list().await.unwrap().into_iter().map(|file| file.name).collect();
    names.sort();
    assert_eq!(names, ["inputData", "notes.txt"]);
    assert!(files.download("other.txt").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_large_input_goes_up_in_pieces_with_progress() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    // A circuit with much white space: 9 MiB and a bit.
    let text = format!("{}{}", " ".repeat((9 << 20) + 17), GHZ);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap()).shots(10);
    let submission = submission.on_progress(move |bytes| log.lock().unwrap().push(bytes));
    let mut job = submission.send_from(text.as_bytes()).await.unwrap();
    let progress = seen.lock().unwrap().clone();
    assert_eq!(progress.last(), Some(&(text.len() as u64)));
    assert!(progress.len() == 3 && progress.is_sorted(), "{progress:?}");
    assert_eq!((count(&local, Route::BlockPut), count(&local, Route::BlockListPut)), (3, 1));
    assert_eq!(job.attachments().download("inputData").await.unwrap(), text);
    job.wait().await.unwrap();
    assert!(job.results().await.unwrap().histogram().is_ok());
}

#[tokio::test]
async fn a_file_is_sent_as_it_is_and_a_missing_one_is_named() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let path = std::env::temp_dir().join(format!("qws-contract-{}.json", JobId::random()));
    std::fs::write(&path, GHZ).unwrap();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    let mut job = submission.send_file(&path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    job.wait().await.unwrap();
    assert!(job.results().await.is_ok());
    let error = target.submit(Program::ionq_json(GHZ).unwrap()).send_file(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("cannot open"), "{error}");
}

#[tokio::test]
async fn an_input_that_is_in_storage_already_is_not_sent_again() {
    let local = Local::start().await;
    let first = submitted(&local).await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    local.emulator.clear_requests();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    let input = first.details().input_data_uri.clone().unwrap();
    let mut job = submission.send_from_uri(&input).await.unwrap();
    assert_eq!(count(&local, Route::BlobPut), 0);
    job.wait().await.unwrap();
    assert_eq!(job.results().await.unwrap().histogram().unwrap().outcomes().len(), 2);
}

#[tokio::test]
async fn preflight_finds_what_will_go_wrong_before_anything_is_sent() {
    let local = Local::start().await;
    let workspace = local.workspace();
    let good = workspace.target("ionq.simulator").await.unwrap();
    let findings = good.submit(Program::ionq_json(GHZ).unwrap()).preflight().run().await.unwrap();
    assert_eq!(findings, []);

    let down = workspace.target("ionq.qpu.aria-1").await.unwrap();
    let submission = down.submit(Program::quil("DECLARE ro BIT[1]").unwrap()).shots(5_000_000);
    let findings = submission.preflight().run().await.unwrap();
    let found: Vec<(Check, Severity)> =
        findings.iter().map(|finding| (finding.check, finding.severity)).collect();
    let wanted = [
        (Check::Availability, Severity::Error),
        (Check::Format, Severity::Warning),
        (Check::Shots, Severity::Warning),
    ];
    assert_eq!(found, wanted, "{findings:?}");
    assert_eq!(submission.preflight().check().await.unwrap_err().kind(), ErrorKind::TargetUnavailable);
    submission.preflight().without(Check::Availability).check().await.expect("a check can be switched off");
    assert_eq!((count(&local, Route::SasUri), count(&local, Route::JobsCreate)), (0, 0));
}

#[tokio::test]
async fn the_least_busy_target_is_one_that_takes_jobs() {
    let local = Local::start().await;
    let target = local.workspace().least_busy(|target| target.provider() == "ionq").await.unwrap();
    assert_eq!(target.id(), "ionq.simulator");
    let error = local.workspace().least_busy(|target| target.provider() == "acme").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TargetUnavailable);
}

#[tokio::test]
async fn many_jobs_are_watched_by_pages() {
    let local = Local::start().await;
    let workspace = local.workspace();
    let target = workspace.target("ionq.simulator").await.unwrap();
    let mut jobs = Vec::new();
    for _ in 0..250 {
        jobs.push(
            target.submit(Program::ionq_json(r#"{"qubits":1,"circuit":[]}"#).unwrap()).send().await.unwrap(),
        );
    }
    let ids: BTreeSet<String> = jobs.iter().map(|job| job.id().to_string()).collect();
    let deleted = jobs[7].id().clone();
    workspace.jobs().cancel(&deleted).await.unwrap();
    local.clock.advance(Duration::from_secs(5));
    workspace.jobs().delete(&deleted).await.unwrap();
    local.emulator.clear_requests();
    let set = JobSet::new(&workspace, jobs);
    assert_eq!(set.open(), 250);
    let mut events = set.events();
    let (mut ended, mut gone, mut changed) = (BTreeSet::new(), Vec::new(), 0);
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            JobSetEvent::Ended(job) => assert!(ended.insert(job.id().to_string()), "told once"),
            JobSetEvent::Gone(id) => gone.push(id),
            JobSetEvent::Changed(..) => changed += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((ended.len(), gone.as_slice()), (249, &[deleted][..]));
    assert!(ended.is_subset(&ids) && changed > 0);
    // About 30 s at 1, 1.5, 2.25 … s: ten rounds of three pages, and one question about the deleted job.
    let (lists, gets) = (count(&local, Route::JobsList), count(&local, Route::JobsGet));
    assert!(lists <= 45 && gets <= 2, "{lists} pages and {gets} single questions");
}

#[tokio::test]
async fn a_watch_survives_trouble() {
    let local = Local::start().await;
    let job = submitted(&local).await;
    local.emulator.inject(Fault::new(Route::JobsList, Action::status(503)).times(9));
    let mut events = JobSet::new(&local.workspace(), [job]).events();
    let mut interrupted = 0;
    while let Some(event) = events.try_next().await.unwrap() {
        interrupted += usize::from(matches!(event, JobSetEvent::Interrupted(_)));
    }
    assert_eq!(
        interrupted, 2,
        "eight failures are two calls of four attempts, the ninth is repeated with success"
    );
}

#[tokio::test]
async fn preflight_tells_a_quota_that_is_used_up_and_a_program_that_is_none() {
    let local = Local::start().await;
    local.emulator.set_target_availability("ionq.qpu.aria-1", "Available");
    let target = local.workspace().target("ionq.qpu.aria-1").await.unwrap();
    let mut job = target.submit(Program::ionq_json(GHZ).unwrap()).shots(100).send().await.unwrap();
    job.wait().await.unwrap();
    local.emulator.set_quota_limit("qgs", 1e-6);
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    let findings = submission.preflight().run().await.unwrap();
    let found: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(found, [Check::Quota], "{findings:?}");
    assert_eq!(submission.preflight().check().await.unwrap_err().kind(), ErrorKind::QuotaExceeded);

    for (bytes, format, text) in [
        (&b"define void @main()"[..], "qir.v1", "bitcode"),
        (b"BC\xC0\xDE", "qir.v1", "entry point"),
        (b"[1]", "ionq.circuit.v1", "line 1 column 0"),
        (b"{\"sequence", "pasqal.pulser.v1", "JSON object"),
        (b"", "rigetti.quil.v1", "empty"),
    ] {
        let program = Program::raw(bytes, "text/plain", format, "x");
        let findings = target.submit(program).preflight().without(Check::Quota).run().await.unwrap();
        let found = findings.iter().find(|finding| finding.check == Check::Program);
        assert!(found.is_some_and(|finding| finding.message.contains(text)), "{format}: {findings:?}");
    }
}

#[tokio::test]
async fn cost_and_timing_are_told_once_the_job_has_ended() {
    let local = Local::start().await;
    let mut job = submitted(&local).await;
    assert_eq!((job.waited(), job.ran()), (None, None));
    job.wait().await.unwrap();
    let seconds = [job.waited(), job.ran()].map(|time| time.map(|time| time.as_secs_f64().round()));
    assert_eq!(seconds, [Some(10.0); 2]);
    assert!(job.details().cost_estimate.is_some(), "{:?}", job.details());
}

#[tokio::test]
async fn a_packed_program_runs_and_what_was_said_about_the_job_comes_back() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let program = Program::ionq_json(GHZ).unwrap().gzipped().with_metadata("team", "blue");
    let submission =
        target.submit(program).shots(100).name("packed").priority(Priority::High).tags(["a", "b"]);
    let mut job = submission.send().await.unwrap();
    let stored = job.attachments().download("inputData").await.unwrap();
    assert!(stored.starts_with(&[0x1f, 0x8b]), "what is stored is packed");
    job.wait().await.unwrap();
    assert_eq!(job.results().await.unwrap().histogram().unwrap().outcomes().len(), 2);
    let details = job.details();
    assert_eq!((details.name.as_deref(), details.priority.as_ref()), (Some("packed"), Some(&Priority::High)));
    assert_eq!((details.tags.as_slice(), details.shots()), (&["a".into(), "b".into()][..], Some(100)));
    assert_eq!(details.metadata.as_ref().and_then(|notes| notes.get("team")), Some(&"blue".into()));
}

#[tokio::test]
async fn a_degraded_target_is_a_warning_and_no_obstacle() {
    let local = Local::start().await;
    local.emulator.set_target_availability("ionq.simulator", "Degraded");
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    let findings = submission.preflight().run().await.unwrap();
    let found: Vec<_> = findings.iter().map(|finding| (finding.check, finding.severity)).collect();
    assert_eq!(found, [(Check::Availability, Severity::Warning)], "{findings:?}");
    submission.preflight().check().await.expect("a warning stops nothing");
    submission.send().await.expect("nor does the service");
}

#[tokio::test]
async fn a_failed_job_ends_a_session_or_not_as_its_policy_says() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let broken = r#"{"qubits":1,"circuit":[{"gate":"nope","target":0}]}"#;
    for (policy, status, goes_on) in [
        (SessionJobFailurePolicy::Abort, SessionStatus::Failed, false),
        (SessionJobFailurePolicy::Continue, SessionStatus::Failures, true),
    ] {
        let mut session = target.session().on_failure(policy.clone()).open().await.unwrap();
        let mut job = session.submit(Program::ionq_json(broken).unwrap()).send().await.unwrap();
        job.wait().await.unwrap();
        session.refresh().await.unwrap();
        assert_eq!((session.details().status.as_ref(), session.is_over()), (Some(&status), !goes_on));
        let next = session.submit(Program::ionq_json(GHZ).unwrap()).send().await;
        assert_eq!(next.is_ok(), goes_on, "{policy:?}");
        session.close().await.unwrap();
    }
}
