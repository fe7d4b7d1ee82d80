//! Storage: an account of the caller's own, and outputs that are read as they come.

use std::time::Duration;

use futures::future::join;
use qws::{ErrorKind, Job, JobStatus, Program, Workspace};
use qws_contract::{Local, everything};
use qws_emulator::{Action, Emulator, Fault, Gate, Operation as Route, RecordedRequest};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

use crate::{canary::logged, main_job::GHZ};

/// More than two pieces of an upload, and of the pace at which a download must get on.
const LARGE: usize = (9 << 20) + 17;

/// A workspace of one emulator with the storage account of one.
fn with_storage(local: &Local, connection_string: &str) -> Workspace {
    let builder = Workspace::builder().connection_string(&local.emulator.connection_string()).unwrap();
    builder.storage(connection_string).unwrap().options(local.options()).build().unwrap()
}

fn with_own_storage(local: &Local) -> Workspace {
    with_storage(local, &local.emulator.storage_connection_string())
}

fn sent(local: &Local, route: Route) -> Vec<RecordedRequest> {
    local.emulator.requests().into_iter().filter(|request| request.operation == Some(route)).collect()
}

async fn submitted(workspace: &Workspace) -> Job {
    let target = workspace.target("ionq.simulator").await.unwrap();
    target.submit(Program::ionq_json(GHZ).unwrap()).shots(100).send().await.unwrap()
}

/// Bytes of which no two stretches are alike.
fn content(length: usize) -> Vec<u8> {
    (0_u64..).flat_map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes()).take(length).collect()
}

/// What is sent is what the Python client sends with `storage=`, as recorded in `own_storage_*`, but for what the README
/// of the vectors lists.
#[tokio::test]
async fn a_job_lives_in_the_callers_own_account() {
    let local = Local::start().await;
    let workspace = with_own_storage(&local);
    let mut job = submitted(&workspace).await;
    job.wait().await.unwrap();
    assert_eq!(job.results().await.unwrap().histogram().unwrap().outcomes().len(), 2);

    assert_eq!(sent(&local, Route::SasUri).len(), 0, "the service is not asked for links");
    let [made] = &sent(&local, Route::ContainerCreate)[..] else { panic!("one container is made") };
    assert_eq!(
        (made.path.as_str(), made.query.as_str()),
        (&*format!("/job-{}", job.id()), "restype=container")
    );
    assert!(made.header("authorization").unwrap().starts_with("SharedKey "));
    assert_eq!((made.header("content-length"), made.status), (Some("0"), Some(201)));

    let [created] = &sent(&local, Route::JobsCreate)[..] else { panic!("one job is made") };
    let body: serde_json::Value = serde_json::from_slice(&created.body).unwrap();
    let container = body["containerUri"].as_str().unwrap();
    let (address, query) = container.split_once('?').unwrap();
    assert_eq!(address, format!("{}job-{}", local.emulator.storage_endpoint(), job.id()));
    // 14 days from the emulator's start; `spr` is left out because this account is reached over http.
    let expiry = local.emulator.clock().now() + Duration::from_hours(14 * 24);
    let day = expiry.date().to_string();
    let start = format!("se={day}T");
    assert!(query.starts_with(&start) && query.contains("&sp=racw&sv=2020-12-06&sr=c&sig="), "{query}");
    assert_eq!(body["inputDataUri"].as_str().unwrap(), format!("{address}/inputData"));
    let [input] = &sent(&local, Route::BlobPut)[..] else { panic!("one input is written") };
    assert_eq!(
        (input.query_value("sp").as_deref(), input.header("if-none-match")),
        (Some("racw"), Some("*"))
    );
}

#[tokio::test]
async fn files_beside_a_job_need_no_more_than_each_call_does() {
    let local = Local::start().await;
    let job = submitted(&with_own_storage(&local)).await;
    let files = job.attachments();
    files.upload("notes/1 & 2.txt", "first", "text/plain", false).await.unwrap();
    files
        .upload("notes/1 & 2.txt", "first", "text/plain", false)
        .await
        .expect("the same again is no conflict");
    assert_eq!(files.download("notes/1 & 2.txt").await.unwrap(), "first");
    let names: Vec<String> = files.list().await.unwrap().into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["inputData", "notes/1 & 2.txt"]);
    let allowed = |route| sent(&local, route).last().unwrap().query_value("sp");
    assert_eq!(allowed(Route::BlobPut).as_deref(), Some("rcw"));
    assert_eq!(allowed(Route::BlobGet).as_deref(), Some("r"));
    assert_eq!(allowed(Route::BlobsList).as_deref(), Some("l"));
    assert!(sent(&local, Route::SasUri).is_empty());
}

#[tokio::test]
async fn a_submission_sent_again_and_an_expired_link_change_nothing() {
    let local = Local::start().await;
    let workspace = with_own_storage(&local);
    let target = workspace.target("ionq.simulator").await.unwrap();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    submission.send().await.unwrap();
    let mut job = submission.send().await.expect("container and input are there already, and equal");
    assert_eq!(workspace.jobs().list().collect().await.unwrap().len(), 1);
    job.wait().await.unwrap();
    // Every link that the job names is old by then; a fresh one is signed here.
    local.clock.advance(Duration::from_hours(24 * 30));
    assert!(job.results().await.unwrap().histogram().is_ok());
    assert!(sent(&local, Route::SasUri).is_empty());
    assert_eq!(sent(&local, Route::BlobGet).last().unwrap().query_value("sr").as_deref(), Some("b"));
}

#[tokio::test]
async fn a_job_that_lives_elsewhere_is_read_where_it_lives() {
    let (local, elsewhere) = (Local::start().await, Emulator::start().await.unwrap());
    let id = submitted(&local.workspace()).await.id().clone();
    let workspace = with_storage(&local, &elsewhere.storage_connection_string());
    let mut job = workspace.job(&id).await.unwrap();
    job.wait().await.unwrap();
    assert!(job.results().await.unwrap().histogram().is_ok());
    local.emulator.clear_requests();
    assert_eq!(job.attachments().download("inputData").await.unwrap(), GHZ);
    assert_eq!(sent(&local, Route::SasUri).len(), 1, "the service makes the link to its own account");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_key_that_was_rotated_is_told_with_what_to_do_and_never_shown() {
    let (log, _guard) = logged();
    let local = Local::start().await;
    let text = local.emulator.storage_connection_string();
    let key = text.split(';').find_map(|part| part.strip_prefix("AccountKey=")).unwrap().to_owned();
    let workspace = with_own_storage(&local);
    let mut job = submitted(&workspace).await;
    job.wait().await.unwrap();
    job.results().await.unwrap();
    local.emulator.clear_requests();
    local.emulator.expire_sas();
    let target = workspace.target("ionq.simulator").await.unwrap();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    let error = submission.send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::StorageRefused, Some("AuthenticationFailed")));
    assert!(error.to_string().starts_with("container.create: 403 AuthenticationFailed: "), "{error}");
    assert!(error.hint().unwrap().contains("connection string of the storage account anew"));
    assert!(sent(&local, Route::JobsCreate).is_empty(), "nothing is made that cannot run");
    let builder = Workspace::builder().storage(&text).unwrap();
    let shown = format!("{}{workspace:?}{workspace:#?}{builder:?}{submission:?}{job:?}", everything(&error));
    let signed = sent(&local, Route::ContainerCreate)[0].header("authorization").unwrap().to_owned();
    let (_, signature) = signed.split_once(':').unwrap();
    assert!(!log.text().is_empty(), "something was logged, so the capture works");
    for text in [shown, log.text()] {
        assert!(!text.contains(&key) && !text.contains(signature), "{text}");
    }
}

#[tokio::test]
async fn an_output_is_written_as_it_comes() {
    let local = Local::start().await;
    let mut job = submitted(&local.workspace()).await;
    let error = job.output_to(Vec::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.job_id()), (ErrorKind::JobNotFinished, Some(job.id())));
    job.wait().await.unwrap();
    let mut written = Vec::new();
    let length = job.output_to(&mut written).await.unwrap();
    assert_eq!(written, **job.results().await.unwrap().raw());
    assert_eq!(length, written.len() as u64);

    let file = content(LARGE);
    job.attachments().upload_from("large", &*file, "application/octet-stream", false).await.unwrap();
    local.emulator.clear_requests();
    let mut written = Vec::new();
    assert_eq!(job.attachments().download_to("large", &mut written).await.unwrap(), LARGE as u64);
    assert!(written == file);
    assert_eq!(sent(&local, Route::BlobGet).len(), 1, "one request, however large");
    assert!(job.attachments().download_to("small", &mut written).await.unwrap_err().is_not_found());

    let (writer, reader) = duplex(16);
    drop(reader);
    let error = job.attachments().download_to("large", writer).await.unwrap_err();
    assert_eq!((error.kind(), error.job_id()), (ErrorKind::Other, Some(job.id())));
    assert!(error.to_string().contains("could not be written"), "{error}");
}

/// A job with a large file, whose first reading will break off in its middle.
async fn interrupted() -> (Local, Job, Vec<u8>) {
    let local = Local::start().await;
    let job = submitted(&local.workspace()).await;
    let file = content(LARGE);
    job.attachments().upload("large", file.clone(), "application/octet-stream", false).await.unwrap();
    local.emulator.clear_requests();
    local.emulator.inject(Fault::new(Route::BlobGet, Action::Truncate(5 << 20)));
    (local, job, file)
}

#[tokio::test]
async fn a_download_that_is_cut_off_goes_on_where_it_was() {
    let (local, job, file) = interrupted().await;
    local.emulator.inject(Fault::new(Route::BlobGet, Action::ResetBefore));
    local.emulator.inject(Fault::new(Route::BlobGet, Action::status(503)));
    let mut written = Vec::new();
    job.attachments().download_to("large", &mut written).await.unwrap();
    assert!(written == file);
    let asked = sent(&local, Route::BlobGet);
    let rest = asked.last().unwrap();
    assert!(asked.len() == 4 && rest.header("if-match").is_some(), "{asked:?}");
    let begins = rest.header("range").or(rest.header("x-ms-range")).unwrap();
    let begins: usize = begins.strip_prefix("bytes=").unwrap().split('-').next().unwrap().parse().unwrap();
    assert!(begins > 0 && begins <= 5 << 20, "{begins}");
    assert_eq!(local.clock.sleeps().len(), 3, "each time after a pause");
    // Into memory it goes the same way.
    local.emulator.inject(Fault::new(Route::BlobGet, Action::Truncate(5 << 20)));
    assert!(job.attachments().download("large").await.unwrap() == file);
}

#[tokio::test]
async fn a_download_that_does_not_get_on_is_given_up() {
    let (local, job, file) = interrupted().await;
    local.emulator.inject(Fault::new(Route::BlobGet, Action::Truncate(1)).always());
    let mut written = Vec::new();
    let error = job.attachments().download_to("large", &mut written).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 4), "{error}");
    assert!(error.is_transient());
    assert!(!written.is_empty() && file.starts_with(&written), "what came is right");
}

/// Waits until the beginning of the file is here; then the connection has been made, and is about to be cut.
async fn begun(reader: &mut DuplexStream) -> Vec<u8> {
    let mut start = vec![0; 1000];
    reader.read_exact(&mut start).await.unwrap();
    start
}

#[tokio::test]
async fn a_link_that_runs_out_on_the_way_is_replaced() {
    let (local, job, file) = interrupted().await;
    let (writer, mut reader) = duplex(1 << 16);
    let files = job.attachments();
    let reading = async {
        let mut written = begun(&mut reader).await;
        local.emulator.expire_sas();
        reader.read_to_end(&mut written).await.unwrap();
        written
    };
    let (length, written) = join(files.download_to("large", writer), reading).await;
    assert_eq!(length.unwrap(), LARGE as u64);
    assert!(written == file);
    let answers: Vec<_> = sent(&local, Route::BlobGet).iter().map(|request| request.status).collect();
    assert_eq!((answers.len(), answers[1], answers[2]), (3, Some(403), Some(206)));
    assert_eq!(sent(&local, Route::SasUri).len(), 2);
}

#[tokio::test]
async fn a_file_that_changes_on_the_way_is_told() {
    let (local, job, file) = interrupted().await;
    let gate = Gate::new();
    local.emulator.inject(Fault::new(Route::BlobGet, Action::Hold(gate.clone())));
    let (writer, mut reader) = duplex(1 << 16);
    let files = job.attachments();
    let changing = async {
        let mut written = begun(&mut reader).await;
        files.upload("large", "something else", "text/plain", true).await.unwrap();
        gate.release();
        reader.read_to_end(&mut written).await.unwrap();
        written
    };
    let (error, written) = join(files.download_to("large", writer), changing).await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Conflict, 412), "{error}");
    assert!(error.hint().unwrap().contains("written anew"));
    assert!(file.starts_with(&written), "nothing of the other content got in");
}

#[tokio::test]
async fn a_name_that_is_no_name_is_refused_before_anything_is_written() {
    let local = Local::start().await;
    let mut job = submitted(&local.workspace()).await;
    for name in ["", ".", ".."] {
        let error = job.attachments().upload(name, "x", "text/plain", true).await.unwrap_err();
        assert_eq!((error.kind(), error.job_id()), (ErrorKind::InvalidInput, Some(job.id())), "{name}");
    }
    assert_eq!(sent(&local, Route::BlobPut).len(), 1, "the input alone");
    job.wait().await.unwrap();
    assert_eq!(job.status(), Some(&JobStatus::Succeeded));
}
