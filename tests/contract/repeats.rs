//! Answers that are lost: the work is done once, whatever is sent again.

use qws::{JobId, Program};
use qws_contract::Local;
use qws_emulator::{Action, Fault, Operation as Route};

use crate::main_job::GHZ;

fn count(local: &Local, route: Route) -> usize {
    local.emulator.requests().iter().filter(|request| request.operation == Some(route)).count()
}

async fn finish(local: &Local, id: &JobId) {
    let mut job = local.workspace().job(id).await.unwrap();
    job.wait().await.unwrap();
    assert!(job.results().await.unwrap().histogram().is_ok());
}

#[tokio::test]
async fn a_lost_answer_to_the_job_is_settled_by_sending_it_again() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    local.emulator.inject(Fault::new(Route::JobsCreate, Action::ResetAfter));
    let job = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    assert_eq!(count(&local, Route::JobsCreate), 2);
    let paths: Vec<String> = local
        .emulator
        .requests()
        .into_iter()
        .filter(|request| request.operation == Some(Route::JobsCreate))
        .map(|request| request.path)
        .collect();
    assert_eq!(paths[0], paths[1], "one id, so one job");
    finish(&local, job.id()).await;
}

#[tokio::test]
async fn a_blob_whose_answer_was_lost_is_compared_and_counts_as_written() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    local.emulator.inject(Fault::new(Route::BlobPut, Action::ResetAfter));
    let job = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    assert_eq!(count(&local, Route::BlobPut), 2, "the second is told that the blob exists");
    assert_eq!(count(&local, Route::BlobGet), 1, "and what is there is looked at");
    finish(&local, job.id()).await;
}

#[tokio::test]
async fn a_submission_can_be_sent_again_and_is_the_same_job() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    let first = submission.send().await.unwrap();
    let second = submission.send().await.unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(first.details().creation_time, second.details().creation_time);
}

#[tokio::test]
async fn other_data_under_the_same_id_is_a_conflict() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let first = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    let other = Program::ionq_json(r#"{"qubits":1,"circuit":[]}"#).unwrap();
    let error = target.submit(other).with_id(first.id().clone()).send().await.unwrap_err();
    assert_eq!(error.kind(), qws::ErrorKind::Conflict);
    assert!(error.to_string().starts_with("blob.upload: 409 BlobAlreadyExists"), "{error}");
    assert!(error.hint().unwrap().contains("another id or name"), "{:?}", error.hint());
    assert_eq!(count(&local, Route::JobsCreate), 1);
}

#[tokio::test]
async fn an_expired_link_is_replaced_by_a_fresh_one() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let mut job = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    job.wait().await.unwrap();
    local.emulator.clear_requests();
    local.clock.advance(std::time::Duration::from_hours(30 * 24));
    assert!(job.results().await.is_ok());
    assert_eq!(
        (count(&local, Route::SasUri), count(&local, Route::BlobGet)),
        (1, 1),
        "the old link is not tried"
    );

    local.emulator.clear_requests();
    job.refresh().await.unwrap();
    local.emulator.expire_sas();
    assert!(job.results().await.is_ok(), "a link that is refused with 403 is replaced too");
    assert_eq!((count(&local, Route::SasUri), count(&local, Route::BlobGet)), (1, 2));
}

#[tokio::test]
async fn throttling_is_obeyed() {
    let local = Local::start().await;
    local.emulator.inject(Fault::new(Route::ProviderStatus, Action::throttle(7)).times(2));
    assert!(!local.workspace().targets().await.unwrap().is_empty());
    assert_eq!(local.clock.sleeps().iter().map(std::time::Duration::as_secs).collect::<Vec<_>>(), [7, 7]);
    assert_eq!(count(&local, Route::ProviderStatus), 3);
}
