//! Our storage code against a real Azurite: `cargo xtask interop` starts one and then this, with the connection string in
//! `QWS_AZURITE`. The workspace is an emulator in this process; the jobs live in Azurite. It fails where a check fails, and
//! where there is no Azurite.
#![allow(clippy::print_stdout, reason = "each check is told when it has passed")]
#![allow(clippy::unwrap_used, reason = "a check that cannot go on fails, and says where")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use azure_core::time::{OffsetDateTime, parse_rfc3339};
use bytes::Bytes;
use futures::{StreamExt, stream};
use qws::{
    ClientOptions, Error, ErrorKind, Job, Program, Workspace,
    http::{HyperTransport, ManualClock, ResponseBody, Transport, TransportError, TransportErrorKind},
};
use qws_emulator::{Emulator, Operation};

const BELL: &str =
    r#"{"qubits": 2, "circuit": [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]}"#;

/// Three blocks: two full, one not.
const LARGE: usize = (9 << 20) + 17;

/// Where the jobs live, and who runs them.
struct Place {
    azurite: String,
    emulator: Emulator,
}

#[tokio::main]
async fn main() {
    let azurite = std::env::vars().find(|(name, _)| name == "QWS_AZURITE");
    let (_, azurite) = azurite.expect("QWS_AZURITE holds the connection string of a running Azurite");
    let place = Place { azurite, emulator: Emulator::start().await.unwrap() };
    let workspace = place.workspace(&place.azurite, ClientOptions::default());
    let job = submitted(&workspace).await;

    small_files(&job).await;
    large_files(&job).await;
    special_names(&job).await;
    streams(&place, &job).await;
    refusals(&place, &job).await;
    whole_jobs(&place, &workspace).await;
    println!("all checks against Azurite passed");
}

impl Place {
    fn workspace(&self, storage: &str, options: ClientOptions) -> Workspace {
        let builder = Workspace::builder().connection_string(&self.emulator.connection_string()).unwrap();
        builder.storage(storage).unwrap().options(options).build().unwrap()
    }
}

async fn submitted(workspace: &Workspace) -> Job {
    let target = workspace.target("ionq.simulator").await.unwrap();
    target.submit(Program::ionq_json(BELL).unwrap()).shots(100).send().await.unwrap()
}

/// Bytes of which no two stretches are alike.
fn content(length: usize) -> Bytes {
    (0_u64..).flat_map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()).take(length).collect()
}

fn assert_kind<T>(outcome: Result<T, Error>, kind: ErrorKind) -> Error {
    let error = outcome.err().expect("an error");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

async fn small_files(job: &Job) {
    let files = job.attachments();
    files.upload("notes.txt", "first", "text/plain", false).await.unwrap();
    files.upload("notes.txt", "first", "text/plain", false).await.expect("the same again is no conflict");
    for other in ["second", "firs", "first!", ""] {
        assert_kind(files.upload("notes.txt", other, "text/plain", false).await, ErrorKind::Conflict);
    }
    files.upload("notes.txt", "second", "text/plain", true).await.unwrap();
    assert_eq!(files.download("notes.txt").await.unwrap(), "second");
    files.upload("empty", "", "text/plain", false).await.unwrap();
    files.upload("empty", "", "text/plain", false).await.unwrap();
    assert_eq!(files.download("empty").await.unwrap(), "");
    let listed = files.list().await.unwrap();
    let file = listed.iter().find(|file| file.name == "notes.txt").unwrap();
    assert_eq!((file.bytes, file.content_type.as_deref()), (Some(6), Some("text/plain")));
    assert!(files.download("missing").await.unwrap_err().is_not_found());
    println!("ok: small files");
}

async fn large_files(job: &Job) {
    let (files, large) = (job.attachments(), content(LARGE));
    files.upload("large", large.clone(), "application/octet-stream", false).await.unwrap();
    files.upload("large", large.clone(), "application/octet-stream", false).await.expect("the same again");
    assert!(files.download("large").await.unwrap() == large);
    let other = large.slice(1..);
    assert_kind(files.upload("large", other.clone(), "text/plain", false).await, ErrorKind::Conflict);
    files.upload_from("read", &*large, "application/octet-stream", false).await.unwrap();
    let again = files.upload_from("read", &*large, "application/octet-stream", false).await;
    assert!(assert_kind(again, ErrorKind::Conflict).hint().unwrap().contains("stream"));
    files.upload_from("read", &*other, "application/octet-stream", true).await.unwrap();
    assert!(files.download("read").await.unwrap() == other);
    println!("ok: large files, in blocks");
}

async fn special_names(job: &Job) {
    let files = job.attachments();
    let names = [
        "a b.txt",
        "50%.txt",
        "%41.txt",
        "ü 日本 ⟨ψ|.txt",
        "folder/in side/x",
        "a+b&c=d?e#f.txt",
        "'q'; \"x\"",
    ];
    for name in names {
        files.upload(name, name, "text/plain", false).await.unwrap();
        assert_eq!(files.download(name).await.unwrap(), name);
    }
    let listed = files.list().await.unwrap();
    for name in names {
        assert!(listed.iter().any(|file| file.name == name), "`{name}` is missing in {listed:?}");
    }
    println!("ok: special names");
}

/// Loses the connection once, in the middle of a long answer.
#[derive(Debug)]
struct Lossy(HyperTransport, AtomicBool);

#[async_trait]
impl Transport for Lossy {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        let uri = request.uri().clone();
        let (head, body) = self.0.send(request).await?.into_parts();
        let length = head.headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_none_or(|length: usize| length < LARGE) || self.1.swap(true, Ordering::Relaxed) {
            return Ok(http::Response::from_parts(head, body));
        }
        let lost = TransportError::new(TransportErrorKind::Lost, &uri);
        let body = ResponseBody::from_stream(body.take(20).chain(stream::iter([Err(lost)])));
        Ok(http::Response::from_parts(head, body))
    }
}

async fn streams(place: &Place, job: &Job) {
    let large = content(LARGE);
    let mut written = Vec::new();
    assert_eq!(job.attachments().download_to("large", &mut written).await.unwrap(), LARGE as u64);
    assert!(written == large);

    let transport = Arc::new(Lossy(HyperTransport::builder().build().unwrap(), AtomicBool::new(false)));
    let clock = Arc::new(ManualClock::skipping(OffsetDateTime::now_utc()));
    let options = ClientOptions::default().transport(transport.clone()).clock(clock);
    let workspace = place.workspace(&place.azurite, options);
    let job = workspace.job(job.id()).await.unwrap();
    let mut written = Vec::new();
    job.attachments().download_to("large", &mut written).await.unwrap();
    assert!(
        written == large && transport.1.load(Ordering::Relaxed),
        "it was cut off, and nothing is missing"
    );
    println!("ok: streams, also cut off ones");
}

async fn refusals(place: &Place, job: &Job) {
    // Three bytes more make another key.
    let wrong = place.azurite.replace("AccountKey=", "AccountKey=AAAA");
    let workspace = place.workspace(&wrong, ClientOptions::default());
    let target = workspace.target("ionq.simulator").await.unwrap();
    let submission = target.submit(Program::ionq_json(BELL).unwrap());
    let error = assert_kind(submission.send().await, ErrorKind::StorageRefused);
    assert!(
        error.hint().unwrap().contains("connection string of the storage account anew"),
        "{:?}",
        error.hint()
    );
    let foreign = workspace.job(job.id()).await.unwrap();
    assert_kind(foreign.attachments().download("notes.txt").await, ErrorKind::StorageRefused);

    // By this clock, links that are signed now have long run out.
    let clock = ManualClock::skipping(parse_rfc3339("2020-02-03T04:05:06Z").unwrap());
    let late = place.workspace(&place.azurite, ClientOptions::default().clock(Arc::new(clock)));
    let files = late.job(job.id()).await.unwrap();
    assert_kind(files.attachments().download("notes.txt").await, ErrorKind::StorageRefused);
    assert_kind(
        files.attachments().upload("late", "x", "text/plain", false).await,
        ErrorKind::StorageRefused,
    );
    println!("ok: wrong keys and expired links");
}

/// The emulator reads the inputs from Azurite and writes the outputs there, by the links in the jobs.
async fn whole_jobs(place: &Place, workspace: &Workspace) {
    let target = workspace.target("ionq.simulator").await.unwrap();
    let padded = format!("{}{BELL}", " ".repeat(LARGE));
    let program = || Program::ionq_json(BELL).unwrap();
    let short = target.submit(program()).shots(100).send().await.unwrap();
    let long = target.submit(program()).shots(100).send_from(padded.as_bytes()).await.unwrap();
    for mut job in [short, long] {
        job.wait().deadline(Duration::from_mins(1)).await.unwrap();
        assert_eq!(job.results().await.unwrap().histogram().unwrap().outcomes().len(), 2);
        let mut output = Vec::new();
        job.output_to(&mut output).await.unwrap();
        assert_eq!(output, **job.results().await.unwrap().raw());
        let container = job.details().container_uri.as_ref().unwrap().to_string();
        let output = job.details().output_data_uri.as_ref().unwrap().to_string();
        assert!(output.starts_with(&container), "the output is beside the input");
    }
    let asked = place.emulator.requests();
    let links = asked.iter().filter(|request| request.operation == Some(Operation::SasUri)).count();
    assert_eq!(links, 0, "the service is asked for no links");
    println!("ok: jobs from beginning to end");
}
