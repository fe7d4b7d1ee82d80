//! Carrying out jobs whose time has come.
//!
//! No task runs in the background. Whoever asks about jobs first carries out those that the clock says have ended,
//! so an answer never depends on how fast the machine is.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::{jobs, quotas, sessions};
use crate::blob::store::{Conditions, Properties};
use crate::formats::{self, JobError, Output, Program};
use crate::route::{Matched, Operation};
use crate::state::{Job, Phase, Shared, Workspace};

type Run = Result<Output, JobError>;

struct Due {
    id: String,
    program: Program,
    input_container: String,
    input_blob: String,
    run: Arc<OnceCell<Run>>,
}

/// Carries out every job of the workspace that is due; for a single job's sake, only that one and its session's.
pub(crate) async fn settle(shared: &Shared, matched: &Matched) {
    if matches!(matched.operation, Operation::ProviderStatus | Operation::SasUri) {
        // Neither looks at jobs.
        return;
    }
    let due = {
        let mut state = shared.state();
        let Ok(workspace) = state.workspace(&matched.params) else { return };
        due_jobs(shared, workspace, matched)
    };
    for job in due {
        let Due { id, mut program, input_container, input_blob, run } = job;
        let input = shared.blobs.get(&input_container, &input_blob);
        let outcome = run
            .get_or_init(|| async move {
                let Ok(input) = input else {
                    let message =
                        format!("The input blob '{input_blob}' was not found in '{input_container}'.");
                    return Err(JobError::new("InputDataNotFound", message));
                };
                program.input = input.content.to_vec();
                // A simulation can take seconds, which no connection should wait behind.
                let computed = tokio::task::spawn_blocking(move || formats::execute(&program)).await;
                computed.unwrap_or_else(|error| Err(JobError::new("InternalError", error.to_string())))
            })
            .await;
        finish(shared, matched, &id, outcome);
    }
    if let Ok(workspace) = shared.state().workspace(&matched.params) {
        jobs::end_cancelled(workspace, shared.clock.now());
        sessions::time_out(workspace, shared.clock.now());
    }
}

fn due_jobs(shared: &Shared, workspace: &Workspace, matched: &Matched) -> Vec<Due> {
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
        .map(|job| Due {
            id: job.id.clone(),
            program: Program {
                input: Vec::new(),
                input_format: job.input_data_format.clone().unwrap_or_default(),
                output_format: job.output_data_format.clone(),
                params: job.input_params.clone(),
                target: job.target.clone(),
                seed: shared.settings.seed.wrapping_add(job.number.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
                qubit_limit: shared.settings.qubit_limit,
            },
            input_container: job.input_container.clone(),
            input_blob: job.input_blob.clone(),
            run: Arc::clone(&job.run),
        })
        .collect()
}

/// Writes the output and ends the job, unless it ended meanwhile.
fn finish(shared: &Shared, matched: &Matched, id: &str, outcome: &Run) {
    let mut state = shared.state();
    let Ok(workspace) = state.workspace(&matched.params) else { return };
    let Some(job) = workspace.jobs.get(id).filter(|job| job.phase == Phase::Scheduled).cloned() else {
        return;
    };
    let phase = match outcome {
        Ok(output) => quotas::book(workspace, &job, &output.counts)
            .and_then(|()| write_output(shared, &job, output))
            .map_or_else(Phase::Failed, |()| Phase::Succeeded),
        Err(error) => Phase::Failed(error.clone()),
    };
    tracing::info!(job = id, ?phase, "job ended");
    jobs::end(workspace, id, phase, job.end);
}

fn write_output(shared: &Shared, job: &Job, output: &Output) -> Result<(), JobError> {
    shared.blobs.create_container(&job.container, job.end);
    let properties =
        Properties { content_type: Some("application/json".to_owned()), ..Properties::default() };
    let body = output.body.clone().into();
    let (container, blob) = (&job.container, &job.output_blob);
    shared
        .blobs
        .put(container, blob, body, properties, &Conditions::default(), job.end)
        .map(drop)
        .map_err(|error| JobError::new("InternalError", error.message))
}
