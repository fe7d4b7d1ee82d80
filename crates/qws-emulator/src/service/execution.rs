//! Carrying out jobs whose time has come.
//!
//! No task runs in the background. Whoever asks about jobs first carries out those that the clock says have ended,
//! so an answer never depends on how fast the machine is.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::blob::store::{Conditions, Properties};
use crate::formats::{self, JobError, Output, Program};
use crate::route::{Matched, Operation};
use crate::state::{Phase, Shared, Workspace};

type Run = Result<Output, JobError>;

struct Due {
    id: String,
    program: Program,
    container: String,
    input_blob: String,
    run: Arc<OnceCell<Run>>,
}

/// Carries out every job of the workspace that is due; for a single job's sake, only that one.
pub(crate) async fn settle(shared: &Shared, matched: &Matched) {
    let only = match matched.operation {
        Operation::JobsCreate | Operation::JobsGet => Some(matched.params.id.as_str()),
        _ => None,
    };
    let due = {
        let mut state = shared.state();
        let Ok(workspace) = state.workspace(&matched.params) else { return };
        due_jobs(shared, workspace, only)
    };
    for job in due {
        let Due { id, mut program, container, input_blob, run } = job;
        let input = shared.blobs.get(&container, &input_blob);
        let outcome = run
            .get_or_init(|| async move {
                let Ok(input) = input else {
                    let message = format!("The input blob '{input_blob}' was not found in '{container}'.");
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
}

fn due_jobs(shared: &Shared, workspace: &Workspace, only: Option<&str>) -> Vec<Due> {
    let now = shared.clock.now();
    let ended = workspace.due.iter().take_while(|(end, _)| *end <= now);
    ended
        .filter(|(_, id)| only.is_none_or(|only| only == id))
        .filter_map(|(_, id)| workspace.jobs.get(id))
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
            container: job.container.clone(),
            input_blob: job.input_blob.clone(),
            run: Arc::clone(&job.run),
        })
        .collect()
}

/// Writes the output and ends the job, unless another request did so already.
fn finish(shared: &Shared, matched: &Matched, id: &str, outcome: &Run) {
    let mut state = shared.state();
    let Ok(workspace) = state.workspace(&matched.params) else { return };
    let Some(job) = workspace.jobs.get_mut(id).filter(|job| job.phase == Phase::Scheduled) else { return };
    workspace.due.remove(&(job.end, id.to_owned()));
    job.modified = job.end;
    job.phase = match outcome {
        Ok(output) => {
            shared.blobs.create_container(&job.container, job.end);
            let properties =
                Properties { content_type: Some("application/json".to_owned()), ..Properties::default() };
            let body = output.body.clone().into();
            let (container, blob) = (&job.container, &job.output_blob);
            match shared.blobs.put(container, blob, body, properties, &Conditions::default(), job.end) {
                Ok(_) => Phase::Succeeded,
                Err(error) => Phase::Failed(JobError::new("InternalError", error.message)),
            }
        }
        Err(error) => Phase::Failed(error.clone()),
    };
    tracing::info!(job = id, status = job.status(job.end), "job ended");
}
