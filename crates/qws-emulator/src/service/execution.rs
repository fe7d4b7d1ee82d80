//! Carrying out jobs whose time has come.
//!
//! No task runs in the background. Whoever asks about jobs first carries out those that the clock says have ended,
//! so an answer never depends on how fast the machine is.

use bytes::Bytes;

use super::{jobs, quotas, sessions};
use crate::blob::conditions::Conditions;
use crate::blob::store::Properties;
use crate::formats::{self, GateCounts, JobError, Program};
use crate::incoming::MAX_BODY;
use crate::links::Content;
use crate::place::Place;
use crate::route::{BlobPath, Matched, Operation, Params};
use crate::state::{Job, Phase, Shared, Workspace};

type Run = Result<GateCounts, JobError>;

/// Carries out every job of the workspace that is due; for a single job's sake, only that one and its session's.
pub(crate) async fn settle(shared: &Shared, matched: &Matched) {
    if matches!(matched.operation, Operation::ProviderStatus | Operation::SasUri) {
        // Neither looks at jobs.
        return;
    }
    let params = &matched.params;
    let due = {
        let mut state = shared.state();
        let Ok(workspace) = state.workspace(params) else { return };
        due_jobs(shared, workspace, matched)
    };
    for job in due {
        // Whoever comes second waits for the first one's run.
        let run = job.run.get_or_init(|| carry_out(shared, params, &job)).await;
        finish(shared, params, &job, run);
    }
    if let Ok(workspace) = shared.state().workspace(params) {
        jobs::end_cancelled(workspace, shared.clock.now());
        sessions::time_out(workspace, shared.clock.now());
    }
}

fn due_jobs(shared: &Shared, workspace: &Workspace, matched: &Matched) -> Vec<Job> {
    let now = shared.clock.now();
    let open_session = workspace.sessions.values().any(|session| session.end.is_none());
    let one_job = match matched.operation {
        Operation::JobsGet | Operation::JobsUpdate | Operation::JobsCancel | Operation::JobsDelete => true,
        // Whether a session still takes jobs depends on when its others ended.
        Operation::JobsCreate => !open_session,
        _ => false,
    };
    let asked = workspace.jobs.get(&matched.params.id);
    let wanted = |job: &&Job| {
        // A failure of an earlier job may end the session and with it the job that was asked for.
        !one_job
            || job.id == matched.params.id
            || asked.is_some_and(|asked| asked.session_id.is_some() && asked.session_id == job.session_id)
    };
    let ended = workspace.due.iter().take_while(|(end, _)| *end <= now);
    ended
        .filter_map(|(_, id)| workspace.jobs.get(id))
        .filter(|job| job.phase == Phase::Scheduled)
        .filter(wanted)
        .cloned()
        .collect()
}

/// Reads the input, runs it, pays for it, and writes the output.
async fn carry_out(shared: &Shared, params: &Params, job: &Job) -> Run {
    let program = program(shared, job, read_input(shared, job).await?);
    // A simulation can take seconds, which no connection should wait behind.
    let computed = tokio::task::spawn_blocking(move || formats::execute(&program)).await;
    let output = computed.unwrap_or_else(|error| Err(JobError::new("InternalError", error.to_string())))?;
    if let Ok(workspace) = shared.state().workspace(params) {
        quotas::book(workspace, &job.id, &output.counts)?;
    }
    write_output(shared, job, output.body.into_boxed_slice().into()).await?;
    Ok(output.counts)
}

fn program(shared: &Shared, job: &Job, input: Vec<u8>) -> Program {
    Program {
        input,
        input_format: job.input_data_format.clone().unwrap_or_default(),
        output_format: job.output_data_format.clone(),
        params: job.input_params.clone(),
        target: job.target.clone(),
        seed: shared.settings.seed.wrapping_add(job.number.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        qubit_limit: shared.settings.qubit_limit,
    }
}

/// What a job is to be billed by, if its program is here and can be read.
pub(crate) fn counts(shared: &Shared, job: &Job) -> Option<GateCounts> {
    let Place::Own(path) = &job.input else { return None };
    let input = own_input(shared, path).ok()?;
    formats::count(&program(shared, job, input)).ok()
}

async fn read_input(shared: &Shared, job: &Job) -> Result<Vec<u8>, JobError> {
    match &job.input {
        Place::Own(path) => own_input(shared, path),
        Place::Elsewhere(link) => match shared.links.read(link).await {
            Ok(content) => unpacked(&content),
            Err(error) => Err(not_found(format!("The input data could not be read: {error}."))),
        },
    }
}

fn own_input(shared: &Shared, path: &BlobPath) -> Result<Vec<u8>, JobError> {
    let blob = shared.blobs.get(&path.container, &path.blob).map_err(|_| {
        not_found(format!("The input blob '{}' was not found in '{}'.", path.blob, path.container))
    })?;
    unpacked(&Content { body: blob.content, encoding: blob.properties.content_encoding })
}

fn not_found(message: String) -> JobError {
    JobError::new("InputDataNotFound", message)
}

/// The input as the client had it before it was packed for the upload.
fn unpacked(content: &Content) -> Result<Vec<u8>, JobError> {
    use std::io::Read as _;
    match content.encoding.as_deref() {
        Some("gzip") => {
            let mut input = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(&content.body[..]).take(MAX_BODY as u64 + 1);
            let read = reader.read_to_end(&mut input);
            read.map_err(|error| JobError::invalid_input(format!("The input is no gzip: {error}.")))?;
            if input.len() > MAX_BODY {
                let message = format!("The input is larger than {MAX_BODY} bytes when it is unpacked.");
                return Err(JobError::invalid_input(message));
            }
            Ok(input)
        }
        _ => Ok(content.body.to_vec()),
    }
}

async fn write_output(shared: &Shared, job: &Job, body: Bytes) -> Result<(), JobError> {
    let failed = |reason: &dyn std::fmt::Display| {
        JobError::new("InternalError", format!("The output could not be written: {reason}."))
    };
    match job.container.blob(&job.output_blob) {
        Place::Own(path) => {
            let made = shared.blobs.create_container(&path.container, Vec::new(), job.end);
            made.map_err(|error| failed(&error.message))?;
            let properties =
                Properties { content_type: Some("application/json".to_owned()), ..Properties::default() };
            let always = Conditions::default();
            let put = shared.blobs.put(&path.container, &path.blob, body, properties, &always, job.end);
            put.map(drop).map_err(|error| failed(&error.message))
        }
        Place::Elsewhere(link) => shared.links.write(&link, body).await.map_err(|error| failed(&error)),
    }
}

/// Ends the job, unless it ended meanwhile.
fn finish(shared: &Shared, params: &Params, job: &Job, run: &Run) {
    let mut state = shared.state();
    let Ok(workspace) = state.workspace(params) else { return };
    if workspace.jobs.get(&job.id).is_none_or(|job| job.phase != Phase::Scheduled) {
        return;
    }
    let phase = match run {
        Ok(_) => Phase::Succeeded,
        Err(error) => Phase::Failed(error.clone()),
    };
    tracing::info!(job = job.id, ?phase, "job ended");
    jobs::end(workspace, &job.id, phase, job.end);
}
