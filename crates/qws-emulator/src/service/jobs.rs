//! Jobs: create and get.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use url::form_urlencoded;

use super::{catalog, providers, read_body, storage_sas};
use crate::answer::{Answer, ServiceError};
use crate::clock;
use crate::route::{BlobPath, Params};
use crate::state::{Job, Phase, Shared, Workspace};
use crate::wire::{CostEstimate, ErrorData, JobDetails, JobRequest, QuantumComputingData, UsageEvent};

const INVALID: &str = "InvalidJobDefinition";

/// Creates a job; a second request with the same id finds the first one's job.
pub(crate) fn create(shared: &Shared, params: &Params, body: &[u8]) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let now = shared.clock.now();
    if let Some(job) = workspace.jobs.get(&params.id) {
        return Ok(Answer::json(StatusCode::OK, &plain(shared, job, now)));
    }
    let request: JobRequest = read_body(body, INVALID)?;
    let job = accept(shared, workspace, &params.id, request, now)?;
    let answer = Answer::json(StatusCode::CREATED, &plain(shared, &job, now));
    workspace.created_jobs += 1;
    workspace.order.insert(job.number, job.id.clone());
    workspace.due.insert((job.end, job.id.clone()));
    workspace.jobs.insert(job.id.clone(), job);
    Ok(answer)
}

fn accept(
    shared: &Shared,
    workspace: &Workspace,
    id: &str,
    request: JobRequest,
    now: OffsetDateTime,
) -> Result<Job, ServiceError> {
    let required = |value: Option<String>, field: &str| {
        value
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ServiceError::bad_request(INVALID, format!("The {field} field is required.")))
    };
    let name = required(request.name, "Name")?;
    let provider = required(request.provider_id, "ProviderId")?;
    let target = required(request.target, "Target")?;
    let container_uri = required(request.container_uri, "ContainerUri")?;
    let output_data_format = required(request.output_data_format, "OutputDataFormat")?;
    let refused = |what: &str| {
        let message = format!("The {what} specified does not exist or is not enabled for the workspace.");
        ServiceError::new(StatusCode::FORBIDDEN, INVALID, message)
    };
    let provider = catalog::provider(&provider).ok_or_else(|| refused("provider"))?;
    let target = provider
        .targets
        .iter()
        .find(|known| known.id.eq_ignore_ascii_case(&target))
        .ok_or_else(|| refused("target"))?;
    if providers::availability(workspace, target) == "Unavailable" {
        let message = format!("The target '{}' is currently unavailable. Please try again later.", target.id);
        return Err(ServiceError::conflict("TargetUnavailable", message));
    }
    let container = blob_of(&container_uri).map(|path| path.container).ok_or_else(|| {
        ServiceError::bad_request(INVALID, "The ContainerUri field is not the URI of a container.")
    })?;
    let input_blob = match &request.input_data_uri {
        Some(uri) => blob_of(uri).map(|path| path.blob).unwrap_or_default(),
        None => "inputData".to_owned(),
    };
    let begin = now + shared.settings.waiting;
    Ok(Job {
        id: id.to_owned(),
        number: workspace.created_jobs,
        name,
        provider_id: provider.id.to_owned(),
        target: target.id.to_owned(),
        container,
        input_blob,
        // The service translates into Microsoft's formats; a provider's own output is passed on raw.
        output_blob: if output_data_format.starts_with("microsoft.") {
            "outputData"
        } else {
            "rawOutputData"
        }
        .to_owned(),
        input_data_format: request.input_data_format,
        output_data_format,
        input_params: request.input_params.unwrap_or_else(|| Value::Object(Map::new())),
        metadata: request.metadata.map(as_texts),
        session_id: request.session_id,
        kind: request.job_type.unwrap_or_else(|| "QuantumComputing".to_owned()),
        priority: request.priority.unwrap_or_else(|| "Standard".to_owned()),
        tags: request.tags.unwrap_or_default(),
        created: now,
        modified: now,
        begin,
        end: begin + shared.settings.executing,
        run: Arc::default(),
        phase: Phase::Scheduled,
    })
}

/// The service keeps metadata as text: `4` comes back as `"4"`.
fn as_texts(metadata: Map<String, Value>) -> Map<String, Value> {
    let text = |value: Value| match value {
        Value::String(_) | Value::Null => value,
        other => Value::String(other.to_string()),
    };
    metadata.into_iter().map(|(key, value)| (key, text(value))).collect()
}

fn blob_of(uri: &str) -> Option<BlobPath> {
    BlobPath::parse(url::Url::parse(uri).ok()?.path())
}

/// Answers one job, with links that can be opened.
pub(crate) fn get(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let job = find(workspace, &params.id)?;
    Ok(Answer::json(StatusCode::OK, &linked(shared, job, shared.clock.now())))
}

pub(crate) fn find<'a>(workspace: &'a Workspace, id: &str) -> Result<&'a Job, ServiceError> {
    workspace
        .jobs
        .get(id)
        .ok_or_else(|| ServiceError::not_found("JobNotFound", format!("The job '{id}' was not found.")))
}

/// The job as the answer to PUT shows it: URIs without signatures.
fn plain(shared: &Shared, job: &Job, now: OffsetDateTime) -> JobDetails {
    let ended = job.phase != Phase::Scheduled;
    let begun = ended || now >= job.begin;
    JobDetails {
        container_uri: storage_sas::uri(shared, &job.container, ""),
        input_data_uri: storage_sas::uri(shared, &job.container, &job.input_blob),
        input_data_format: job.input_data_format.clone(),
        input_params: job.input_params.clone(),
        metadata: job.metadata.clone(),
        session_id: job.session_id.clone(),
        // Older than `priority`, and still sent: the value in all recorded traffic.
        job_priority: "Basic",
        priority: job.priority.clone(),
        status: job.status(now),
        job_type: job.kind.clone(),
        output_data_format: job.output_data_format.clone(),
        output_data_uri: storage_sas::uri(shared, &job.container, "outputData"),
        begin_execution_time: begun.then(|| clock::millis(job.begin)),
        cancellation_time: None,
        last_modified_time: Some(clock::precise(job.modified)),
        quantum_computing_data: None,
        error_data: match &job.phase {
            Phase::Failed(error) => Some(ErrorData { code: error.code, message: error.message.clone() }),
            _ => None,
        },
        is_cancelling: false,
        tags: job.tags.clone(),
        name: job.name.clone(),
        id: job.id.clone(),
        provider_id: job.provider_id.clone(),
        target: job.target.clone(),
        creation_time: clock::precise(job.created),
        end_execution_time: ended.then(|| clock::millis(job.end)),
        cost_estimate: (job.phase == Phase::Succeeded).then(|| cost(&job.provider_id)),
        item_type: "Job",
    }
}

/// The job as GET and lists show it: URIs with signatures that allow reading.
fn linked(shared: &Shared, job: &Job, now: OffsetDateTime) -> JobDetails {
    // The name of the file that a browser saves the link under.
    let file = |kind: &str| {
        let name: String = form_urlencoded::byte_serialize(job.name.as_bytes()).collect();
        format!("attachment; filename={name}-{}.{kind}.json", job.id)
    };
    let output = if job.phase == Phase::Succeeded { job.output_blob.as_str() } else { "outputData" };
    let link = |blob: &str, kind: &str| storage_sas::link(shared, &job.container, blob, "r", &file(kind));
    JobDetails {
        container_uri: storage_sas::link(shared, &job.container, "", "rl", ""),
        input_data_uri: link(&job.input_blob, "input"),
        output_data_uri: link(output, "output"),
        quantum_computing_data: Some(QuantumComputingData { count: 1 }),
        ..plain(shared, job, now)
    }
}

/// Simulated work costs nothing; the shape is that of a real bill.
fn cost(provider: &str) -> CostEstimate {
    let event = |dimension_id, dimension_name, measure_unit| UsageEvent {
        dimension_id,
        dimension_name,
        measure_unit,
        amount_billed: 0.0,
        amount_consumed: 0.0,
        unit_price: 0.0,
    };
    let events = match provider {
        "ionq" => {
            vec![event("gs1q", "1Q Gate Shot", "1q gate shot"), event("gs2q", "2Q Gate Shot", "2q gate shot")]
        }
        _ => Vec::new(),
    };
    CostEstimate { currency_code: "USD", events, estimated_total: 0.0 }
}
