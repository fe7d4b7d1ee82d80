//! Jobs: create, get, update, cancel, delete, list.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use url::form_urlencoded;

use super::{catalog, execution, listing, providers, quotas, read_body, sessions};
use crate::answer::{Answer, ServiceError};
use crate::clock;
use crate::filter::Row;
use crate::incoming::Incoming;
use crate::place::Place;
use crate::route::Params;
use crate::state::{Job, Phase, Shared, Workspace};
use crate::wire::{
    CostEstimate, ErrorData, JobDetails, JobRequest, JobUpdate, JobUpdateResponse, Patch,
    QuantumComputingData, UsageEvent,
};

const INVALID: &str = "InvalidJobDefinition";

/// How long an executing job takes to stop after it was cancelled.
const CANCELLING: Duration = Duration::from_millis(100);

/// Creates a job; a second request with the same id finds the first one's job.
pub(crate) fn create(shared: &Shared, params: &Params, body: &[u8]) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let now = shared.clock.now();
    if let Some(job) = workspace.jobs.get(&params.id) {
        return Ok(Answer::json(StatusCode::OK, &plain(shared, workspace, job, now)));
    }
    workspace.check_room(shared.settings.job_limit)?;
    let request: JobRequest = read_body(body, INVALID)?;
    let mut job = accept(shared, workspace, &params.id, request, now)?;
    quotas::hold(workspace, &mut job, |job| execution::counts(shared, job))?;
    job.number = workspace.next_number();
    let answer = Answer::json(StatusCode::CREATED, &plain(shared, workspace, &job, now));
    if let Some(session) = job.session_id.as_ref().and_then(|id| workspace.sessions.get_mut(id)) {
        session.jobs.push(job.id.clone());
    }
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
    let (provider, target) = catalog::find(Some(&provider), &target)?;
    if providers::availability(workspace, target) == "Unavailable" {
        let message = format!("The target '{}' is currently unavailable. Please try again later.", target.id);
        return Err(ServiceError::conflict("TargetUnavailable", message));
    }
    check_session(workspace, request.session_id.as_deref(), target.id)?;
    let place = |uri: &str, field: &str, what: &str| {
        Place::read(shared, uri).ok_or_else(|| {
            ServiceError::bad_request(INVALID, format!("The {field} field is not the URI of a {what}."))
        })
    };
    let container = place(&container_uri, "ContainerUri", "container")?;
    let input = match request.input_data_uri.filter(|uri| !uri.is_empty()) {
        Some(uri) => place(&uri, "InputDataUri", "blob")?.opened_by(&container),
        None => container.blob("inputData"),
    };
    let priority = priority(request.priority)?;
    let begin = now + waiting(shared, &priority);
    Ok(Job {
        id: id.to_owned(),
        number: 0,
        name,
        provider_id: provider.id.to_owned(),
        target: target.id.to_owned(),
        container,
        input,
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
        priority,
        tags: request.tags.unwrap_or_default(),
        created: now,
        modified: now,
        begin,
        end: begin + shared.settings.executing,
        run: Arc::default(),
        bill: None,
        phase: Phase::Scheduled,
    })
}

fn check_session(workspace: &Workspace, session: Option<&str>, target: &str) -> Result<(), ServiceError> {
    let Some(id) = session else { return Ok(()) };
    let refused = |message: &str| Err(ServiceError::bad_request(INVALID, message));
    match workspace.sessions.get(id) {
        None => refused("The session specified does not exist."),
        Some(session) if session.end.is_some() => {
            refused("Session is already in a terminal state and takes no more jobs.")
        }
        Some(session) if session.target != target => refused("The session is for another target."),
        Some(_) => Ok(()),
    }
}

/// How long a job waits for its turn; one of high priority goes before others that came a little earlier.
fn waiting(shared: &Shared, priority: &str) -> Duration {
    if priority == "High" { shared.settings.waiting / 2 } else { shared.settings.waiting }
}

pub(crate) fn priority(given: Option<String>) -> Result<String, ServiceError> {
    match given {
        None => Ok("Standard".to_owned()),
        Some(known) if known == "Standard" || known == "High" => Ok(known),
        Some(other) => {
            let message = format!("The Priority is 'Standard' or 'High', not '{other}'.");
            Err(ServiceError::bad_request(INVALID, message))
        }
    }
}

/// The service keeps metadata as text: `4` comes back as `"4"`.
fn as_texts(metadata: Map<String, Value>) -> Map<String, Value> {
    let text = |value: Value| match value {
        Value::String(_) | Value::Null => value,
        other => Value::String(other.to_string()),
    };
    metadata.into_iter().map(|(key, value)| (key, text(value))).collect()
}

/// Answers one job, with links that can be opened.
pub(crate) fn get(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let job = find(workspace, &params.id)?;
    Ok(Answer::json(StatusCode::OK, &linked(shared, workspace, job, shared.clock.now())))
}

/// Changes name, priority and tags by a merge patch; the tags are replaced as a whole.
pub(crate) fn update(shared: &Shared, request: &Incoming, params: &Params) -> Result<Answer, ServiceError> {
    let content_type = request.header("content-type").unwrap_or_default();
    if content_type.split(';').next() != Some("application/merge-patch+json") {
        let message = format!("The content type is application/merge-patch+json, not '{content_type}'.");
        return Err(ServiceError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message));
    }
    let update: JobUpdate = read_body(&request.body, "InvalidRequest")?;
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let name = match update.name {
        Patch::Absent => None,
        Patch::Value(name) if !name.is_empty() => Some(name),
        Patch::Null | Patch::Value(_) => {
            return Err(ServiceError::bad_request("InvalidRequest", "The Name field is required."));
        }
    };
    let priority = match update.priority {
        Patch::Absent => None,
        Patch::Null => Some(priority(None)?),
        Patch::Value(given) => Some(priority(Some(given))?),
    };
    let now = shared.clock.now();
    let Some(job) = workspace.jobs.get_mut(&params.id) else { return Err(not_found(&params.id)) };
    let mut requeue = false;
    if let Some(name) = name {
        job.name = name;
    }
    if let Some(priority) = priority {
        job.priority = priority;
        requeue = job.phase == Phase::Scheduled && now < job.begin;
    }
    match update.tags {
        Patch::Absent => {}
        Patch::Null => job.tags.clear(),
        Patch::Value(tags) => job.tags = tags,
    }
    job.modified = now;
    let answer =
        JobUpdateResponse { name: job.name.clone(), priority: job.priority.clone(), tags: job.tags.clone() };
    if requeue {
        workspace.due.remove(&(job.end, job.id.clone()));
        let executing = job.end - job.begin;
        job.begin = now.max(job.created + waiting(shared, &job.priority));
        job.end = job.begin + executing;
        workspace.due.insert((job.end, job.id.clone()));
    }
    Ok(Answer::json(StatusCode::OK, &answer))
}

/// Cancels a job: at once while it waits, in a moment while it executes, and not at all once it has ended.
pub(crate) fn cancel(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let now = shared.clock.now();
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let job = find(workspace, &params.id)?.clone();
    match job.phase {
        Phase::Scheduled if now < job.begin => end(workspace, &job.id, Phase::Cancelled, now),
        Phase::Scheduled => {
            workspace.due.remove(&(job.end, job.id.clone()));
            workspace.due.insert((now + CANCELLING, job.id.clone()));
            if let Some(job) = workspace.jobs.get_mut(&job.id) {
                (job.phase, job.end, job.modified) = (Phase::Cancelling, now + CANCELLING, now);
            }
        }
        Phase::Cancelling | Phase::Cancelled => {}
        Phase::Succeeded | Phase::Failed(_) => {
            let message = format!("The job '{}' has ended and cannot be cancelled.", job.id);
            return Err(ServiceError::conflict("JobFinished", message));
        }
    }
    let job = find(workspace, &params.id)?;
    Ok(Answer::json(StatusCode::OK, &linked(shared, workspace, job, now)))
}

/// Deletes a job that has ended, and with it the container that was made for it; a container of the caller's stays.
pub(crate) fn delete(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let job = find(workspace, &params.id)?;
    if !job.phase.is_final() {
        let message = format!("The job '{}' has not ended; cancel it before it is deleted.", job.id);
        return Err(ServiceError::conflict("JobNotFinished", message));
    }
    let (number, session) = (job.number, job.session_id.clone());
    if let Some(session) = session.and_then(|id| workspace.sessions.get_mut(&id)) {
        session.jobs.retain(|id| *id != params.id);
    }
    workspace.order.remove(&number);
    workspace.jobs.remove(&params.id);
    let own = format!("job-{}", params.id);
    let is_own = |place: &Place| matches!(place, Place::Own(path) if path.container == own);
    if !workspace.jobs.values().any(|other| is_own(&other.container) || is_own(&other.input)) {
        // It may never have been there, or have been deleted before.
        let _ = shared.blobs.delete_container(&own);
    }
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

pub(crate) fn list(shared: &Shared, request: &Incoming, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = &*state.workspace(params)?;
    page(shared, request, workspace, all(workspace))
}

pub(crate) fn list_of_session(
    shared: &Shared,
    request: &Incoming,
    params: &Params,
) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = &*state.workspace(params)?;
    sessions::find(workspace, &params.id)?;
    page(shared, request, workspace, of_session(workspace, &params.id))
}

fn page<'a>(
    shared: &Shared,
    request: &Incoming,
    workspace: &'a Workspace,
    jobs: impl Iterator<Item = &'a Job>,
) -> Result<Answer, ServiceError> {
    let now = shared.clock.now();
    let entries = jobs.map(|job| (row(workspace, job, now), job)).collect();
    listing::page(shared, request, entries, |job| linked(shared, workspace, job, now))
}

/// The jobs in the order of their creation.
pub(crate) fn all(workspace: &Workspace) -> impl Iterator<Item = &Job> {
    workspace.order.values().filter_map(|id| workspace.jobs.get(id))
}

/// The jobs of one session in the order of their creation.
pub(crate) fn of_session<'a>(workspace: &'a Workspace, id: &str) -> impl Iterator<Item = &'a Job> {
    let ids = workspace.sessions.get(id).map_or(&[][..], |session| &session.jobs);
    ids.iter().filter_map(|id| workspace.jobs.get(id))
}

pub(crate) fn row<'a>(workspace: &Workspace, job: &'a Job, now: OffsetDateTime) -> Row<'a> {
    Row {
        name: &job.name,
        item_type: "Job",
        job_type: &job.kind,
        provider_id: &job.provider_id,
        target: &job.target,
        state: job.status(workspace.kind, now),
        created: job.created,
    }
}

/// Ends a job, and its session if that is what its policy says.
pub(crate) fn end(workspace: &mut Workspace, id: &str, phase: Phase, at: OffsetDateTime) {
    let Some(job) = workspace.jobs.get_mut(id) else { return };
    workspace.due.remove(&(job.end, id.to_owned()));
    quotas::release(workspace, id);
    let Some(job) = workspace.jobs.get_mut(id) else { return };
    let failed = matches!(phase, Phase::Failed(_));
    (job.phase, job.end, job.modified) = (phase, at, at);
    if let Some(session) = job.session_id.clone().filter(|_| failed) {
        sessions::job_failed(workspace, &session, at);
    }
}

/// Ends the jobs whose cancellation has had its time.
pub(crate) fn end_cancelled(workspace: &mut Workspace, now: OffsetDateTime) {
    let due = workspace.due.iter().take_while(|(end, _)| *end <= now);
    let stopped: Vec<(OffsetDateTime, String)> = due
        .filter(|(_, id)| workspace.jobs.get(id).is_some_and(|job| job.phase == Phase::Cancelling))
        .cloned()
        .collect();
    for (at, id) in stopped {
        end(workspace, &id, Phase::Cancelled, at);
    }
}

pub(crate) fn find<'a>(workspace: &'a Workspace, id: &str) -> Result<&'a Job, ServiceError> {
    workspace.jobs.get(id).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> ServiceError {
    ServiceError::not_found("JobNotFound", format!("The job '{id}' was not found."))
}

/// The job as the answer to PUT shows it: URIs without signatures.
fn plain(shared: &Shared, workspace: &Workspace, job: &Job, now: OffsetDateTime) -> JobDetails {
    let ended = job.phase.is_final();
    let begun = now >= job.begin && job.end >= job.begin;
    JobDetails {
        container_uri: job.container.uri(shared),
        input_data_uri: job.input.uri(shared),
        input_data_format: job.input_data_format.clone(),
        input_params: job.input_params.clone(),
        metadata: job.metadata.clone(),
        session_id: job.session_id.clone(),
        // Older than `priority`, and still sent: the value in all recorded traffic.
        job_priority: "Basic",
        priority: job.priority.clone(),
        status: job.status(workspace.kind, now),
        job_type: job.kind.clone(),
        output_data_format: job.output_data_format.clone(),
        output_data_uri: job.container.blob("outputData").uri(shared),
        begin_execution_time: begun.then(|| clock::millis(job.begin)),
        cancellation_time: (job.phase == Phase::Cancelled).then(|| clock::millis(job.end)),
        last_modified_time: Some(clock::precise(job.modified)),
        quantum_computing_data: None,
        error_data: match &job.phase {
            Phase::Failed(error) => {
                Some(ErrorData { code: error.code.to_string(), message: error.message.clone() })
            }
            _ => None,
        },
        is_cancelling: job.phase == Phase::Cancelling,
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
pub(crate) fn linked(shared: &Shared, workspace: &Workspace, job: &Job, now: OffsetDateTime) -> JobDetails {
    // The name of the file that a browser saves the link under.
    let file = |kind: &str| {
        let name: String = form_urlencoded::byte_serialize(job.name.as_bytes()).collect();
        format!("attachment; filename={name}-{}.{kind}.json", job.id)
    };
    let output = if job.phase == Phase::Succeeded { job.output_blob.as_str() } else { "outputData" };
    JobDetails {
        container_uri: job.container.link(shared, "rl", ""),
        input_data_uri: job.input.link(shared, "r", &file("input")),
        output_data_uri: job.container.blob(output).link(shared, "r", &file("output")),
        quantum_computing_data: Some(QuantumComputingData { count: 1 }),
        ..plain(shared, workspace, job, now)
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
