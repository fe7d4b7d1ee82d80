//! The state as JSON: what `--seed` loads and the control API exports.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::blob::StorageError;
use crate::blob::conditions::Conditions;
use crate::blob::store::Properties;
use crate::clock;
use crate::formats::JobError;
use crate::place::Place;
use crate::state::{
    FailurePolicy, Job, Phase, Session, SessionEnd, Shared, Workspace, WorkspaceKind, WorkspaceSpec,
};

/// Why a description of the state cannot be loaded.
#[derive(Debug, PartialEq, Eq)]
pub struct SeedError(String);

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the description of the state cannot be loaded: {}", self.0)
    }
}

impl std::error::Error for SeedError {}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Description {
    workspaces: Vec<WorkspaceSeed>,
    blobs: Vec<BlobSeed>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkspaceSeed {
    #[serde(flatten)]
    spec: WorkspaceSpec,
    #[serde(default)]
    jobs: Vec<JobSeed>,
    #[serde(default)]
    sessions: Vec<SessionSeed>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct JobSeed {
    id: String,
    name: String,
    provider_id: String,
    target: String,
    status: String,
    container: Option<String>,
    input_container: Option<String>,
    input_blob: Option<String>,
    output_blob: Option<String>,
    input_data_format: Option<String>,
    output_data_format: String,
    input_params: Value,
    metadata: Option<Map<String, Value>>,
    session_id: Option<String>,
    job_type: Option<String>,
    priority: Option<String>,
    tags: Vec<String>,
    creation_time: Option<String>,
    begin_execution_time: Option<String>,
    end_execution_time: Option<String>,
    error_data: Option<ErrorSeed>,
}

#[derive(Serialize, Deserialize)]
struct ErrorSeed {
    code: String,
    message: String,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SessionSeed {
    id: String,
    name: String,
    provider_id: String,
    target: String,
    /// `Succeeded`, `Failed` or `TimedOut`; anything else is open.
    status: Option<String>,
    job_failure_policy: Option<String>,
    priority: Option<String>,
    tags: Vec<String>,
    creation_time: Option<String>,
    end_execution_time: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BlobSeed {
    container: String,
    name: String,
    content_type: Option<String>,
    content_encoding: Option<String>,
    /// The content as text, or else in `base64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

pub(crate) fn load(shared: &Shared, description: &Value) -> Result<(), SeedError> {
    let description = Description::deserialize(description).map_err(|error| SeedError(error.to_string()))?;
    let now = shared.clock.now();
    // All of it is read before any of it is put in place.
    let mut workspaces = Vec::new();
    for seed in description.workspaces {
        let sessions =
            seed.sessions.into_iter().map(|session| session.read(now)).collect::<Result<Vec<_>, _>>()?;
        let jobs = seed.jobs.into_iter().map(|job| job.read(shared, now)).collect::<Result<Vec<_>, _>>()?;
        workspaces.push((seed.spec, sessions, jobs));
    }
    let blobs = description.blobs.into_iter().map(BlobSeed::read).collect::<Result<Vec<_>, _>>()?;
    let mut state = shared.state();
    for (spec, ..) in &workspaces {
        let other = |workspace: &&Workspace| is_same(workspace, spec) && workspace.kind != spec.kind;
        if let Some(workspace) = state.workspaces.iter().find(other) {
            let (name, is, not) = (&spec.name, workspace.kind, spec.kind);
            return Err(SeedError(format!("workspace '{name}' is there and is {is:?}, not {not:?}")));
        }
    }
    for (spec, sessions, jobs) in workspaces {
        let index =
            state.workspaces.iter().position(|workspace| is_same(workspace, &spec)).unwrap_or_else(|| {
                let workspace = Workspace::new(spec, &mut state.random, now);
                state.workspaces.push(workspace);
                state.workspaces.len() - 1
            });
        place(&mut state.workspaces[index], sessions, jobs);
    }
    drop(state);
    for (blob, content) in blobs {
        let full = |error: StorageError| SeedError(error.message.to_owned());
        shared.blobs.create_container(&blob.container, Vec::new(), now).map_err(full)?;
        let properties = Properties {
            content_type: blob.content_type,
            content_encoding: blob.content_encoding,
            ..Properties::default()
        };
        let (container, name) = (&blob.container, &blob.name);
        let always = Conditions::default();
        shared.blobs.put(container, name, content.into(), properties, &always, now).map_err(full)?;
    }
    Ok(())
}

fn is_same(workspace: &Workspace, spec: &WorkspaceSpec) -> bool {
    workspace.subscription == spec.subscription_id
        && workspace.group == spec.resource_group
        && workspace.name == spec.name
}

fn place(workspace: &mut Workspace, sessions: Vec<Session>, jobs: Vec<Job>) {
    for mut session in sessions {
        session.number = workspace.next_number();
        workspace.session_order.insert(session.number, session.id.clone());
        workspace.sessions.insert(session.id.clone(), session);
    }
    for mut job in jobs {
        job.number = workspace.next_number();
        if let Some(session) = job.session_id.as_ref().and_then(|id| workspace.sessions.get_mut(id)) {
            session.jobs.push(job.id.clone());
        }
        workspace.order.insert(job.number, job.id.clone());
        if !job.phase.is_final() {
            workspace.due.insert((job.end, job.id.clone()));
        }
        workspace.jobs.insert(job.id.clone(), job);
    }
}

fn time(text: Option<&String>, otherwise: OffsetDateTime) -> Result<OffsetDateTime, SeedError> {
    let Some(text) = text else { return Ok(otherwise) };
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| SeedError(format!("`{text}` is no time such as 2026-01-02T03:04:05Z")))
}

impl JobSeed {
    fn read(self, shared: &Shared, now: OffsetDateTime) -> Result<Job, SeedError> {
        let created = time(self.creation_time.as_ref(), now)?;
        let begin = time(self.begin_execution_time.as_ref(), created + shared.settings.waiting)?;
        let end = time(self.end_execution_time.as_ref(), begin + shared.settings.executing)?;
        let error = self.error_data.map(|error| JobError::new(error.code, error.message));
        let phase = match self.status.as_str() {
            "" | "Waiting" | "Queued" | "Executing" => Phase::Scheduled,
            "Succeeded" | "Completed" => Phase::Succeeded,
            "Failed" => {
                Phase::Failed(error.unwrap_or_else(|| JobError::new("RuntimeError", "The job failed.")))
            }
            "Cancelled" => Phase::Cancelled,
            other => return Err(SeedError(format!("job '{}' cannot begin as `{other}`", self.id))),
        };
        let place = |name: &str| {
            let what = || SeedError(format!("job '{}': '{name}' is no container", self.id));
            Place::named(shared, name).ok_or_else(what)
        };
        let container = match &self.container {
            Some(name) => place(name)?,
            None => Place::own(&format!("job-{}", self.id), ""),
        };
        let input = match (&self.input_container, &self.input_blob) {
            // A blob elsewhere is written as one link.
            (Some(link), None) if link.contains("://") => place(link)?,
            (Some(name), blob) => place(name)?.blob(blob.as_deref().unwrap_or("inputData")),
            (None, blob) => container.blob(blob.as_deref().unwrap_or("inputData")),
        };
        Ok(Job {
            number: 0,
            container,
            input,
            output_blob: self.output_blob.unwrap_or_else(|| "rawOutputData".to_owned()),
            id: self.id,
            name: self.name,
            provider_id: self.provider_id,
            target: self.target,
            input_data_format: self.input_data_format,
            output_data_format: self.output_data_format,
            input_params: if self.input_params.is_null() { json!({}) } else { self.input_params },
            metadata: self.metadata,
            session_id: self.session_id,
            kind: self.job_type.unwrap_or_else(|| "QuantumComputing".to_owned()),
            priority: self.priority.unwrap_or_else(|| "Standard".to_owned()),
            tags: self.tags,
            created,
            modified: created,
            begin,
            end,
            run: Arc::default(),
            bill: None,
            phase,
        })
    }

    fn write(job: &Job, kind: WorkspaceKind, now: OffsetDateTime) -> Self {
        Self {
            id: job.id.clone(),
            name: job.name.clone(),
            provider_id: job.provider_id.clone(),
            target: job.target.clone(),
            // A cancellation under way comes back as the end that it is about to have.
            status: if job.phase == Phase::Cancelling { "Cancelled" } else { job.status(kind, now) }
                .to_owned(),
            container: Some(job.container.name()),
            input_container: Some(job.input.name()),
            input_blob: match &job.input {
                Place::Own(path) => Some(path.blob.clone()),
                Place::Elsewhere(_) => None,
            },
            output_blob: Some(job.output_blob.clone()),
            input_data_format: job.input_data_format.clone(),
            output_data_format: job.output_data_format.clone(),
            input_params: job.input_params.clone(),
            metadata: job.metadata.clone(),
            session_id: job.session_id.clone(),
            job_type: Some(job.kind.clone()),
            priority: Some(job.priority.clone()),
            tags: job.tags.clone(),
            creation_time: Some(clock::precise(job.created)),
            begin_execution_time: Some(clock::precise(job.begin)),
            end_execution_time: Some(clock::precise(job.end)),
            error_data: match &job.phase {
                Phase::Failed(error) => {
                    Some(ErrorSeed { code: error.code.to_string(), message: error.message.clone() })
                }
                _ => None,
            },
        }
    }
}

impl SessionSeed {
    fn read(self, now: OffsetDateTime) -> Result<Session, SeedError> {
        let created = time(self.creation_time.as_ref(), now)?;
        let ended = time(self.end_execution_time.as_ref(), created)?;
        let end = match self.status.as_deref() {
            Some("Succeeded") => Some(SessionEnd::Succeeded),
            Some("Failed") => Some(SessionEnd::Failed),
            Some("TimedOut") => Some(SessionEnd::TimedOut),
            _ => None,
        };
        Ok(Session {
            id: self.id,
            number: 0,
            name: self.name,
            provider_id: self.provider_id,
            target: self.target,
            policy: match self.job_failure_policy.as_deref() {
                Some("Continue") => FailurePolicy::Continue,
                _ => FailurePolicy::Abort,
            },
            priority: self.priority.unwrap_or_else(|| "Standard".to_owned()),
            tags: self.tags,
            created,
            end: end.map(|end| (end, ended)),
            jobs: Vec::new(),
        })
    }

    fn write(session: &Session) -> Self {
        let end = session.end.map(|(end, at)| match end {
            SessionEnd::Succeeded => ("Succeeded", at),
            SessionEnd::Failed => ("Failed", at),
            SessionEnd::TimedOut => ("TimedOut", at),
        });
        Self {
            id: session.id.clone(),
            name: session.name.clone(),
            provider_id: session.provider_id.clone(),
            target: session.target.clone(),
            status: end.map(|(status, _)| status.to_owned()),
            job_failure_policy: Some(
                match session.policy {
                    FailurePolicy::Abort => "Abort",
                    FailurePolicy::Continue => "Continue",
                }
                .to_owned(),
            ),
            priority: Some(session.priority.clone()),
            tags: session.tags.clone(),
            creation_time: Some(clock::precise(session.created)),
            end_execution_time: end.map(|(_, at)| clock::precise(at)),
        }
    }
}

impl BlobSeed {
    fn read(self) -> Result<(Self, Vec<u8>), SeedError> {
        let content = match (&self.text, &self.base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD
                .decode(base64)
                .map_err(|error| SeedError(format!("blob '{}' is no base64: {error}", self.name)))?,
            (None, None) => Vec::new(),
        };
        Ok((self, content))
    }
}

pub(crate) fn export(shared: &Shared) -> Value {
    let now = shared.clock.now();
    let state = shared.state();
    let workspaces = state
        .workspaces
        .iter()
        .map(|workspace| WorkspaceSeed {
            spec: WorkspaceSpec {
                subscription_id: workspace.subscription.clone(),
                resource_group: workspace.group.clone(),
                name: workspace.name.clone(),
                location: workspace.location.clone(),
                kind: workspace.kind,
            },
            jobs: workspace
                .order
                .values()
                .filter_map(|id| workspace.jobs.get(id))
                .map(|job| JobSeed::write(job, workspace.kind, now))
                .collect(),
            sessions: workspace
                .session_order
                .values()
                .filter_map(|id| workspace.sessions.get(id))
                .map(SessionSeed::write)
                .collect(),
        })
        .collect();
    drop(state);
    let blobs = shared.blobs.all().into_iter().map(|(container, name, blob)| {
        let text = String::from_utf8(blob.content.to_vec());
        BlobSeed {
            container,
            name,
            content_type: blob.properties.content_type,
            content_encoding: blob.properties.content_encoding,
            base64: text.as_ref().err().map(|binary| STANDARD.encode(binary.as_bytes())),
            text: text.ok(),
        }
    });
    // Only texts, numbers and lists go in, which JSON can always hold.
    serde_json::to_value(Description { workspaces, blobs: blobs.collect() }).unwrap_or_default()
}
