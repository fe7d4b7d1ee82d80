//! Sessions: open, get, close, list, and what their jobs do to them.

use std::time::Duration;

use http::StatusCode;
use time::OffsetDateTime;

use super::{catalog, jobs, listing, read_body};
use crate::answer::{Answer, ServiceError};
use crate::clock;
use crate::filter::Row;
use crate::incoming::Incoming;
use crate::route::Params;
use crate::state::{FailurePolicy, Phase, Session, SessionEnd, Shared, Workspace};
use crate::wire::{SessionDetails, SessionRequest};

/// A session without work for this long ends (Microsoft Learn, "Work with sessions", "Session timeouts").
const IDLE: Duration = Duration::from_mins(10);

const INVALID: &str = "InvalidSessionDefinition";

/// Opens a session; a second request with the same id finds the first one's session.
pub(crate) fn open(shared: &Shared, params: &Params, body: &[u8]) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    if let Some(session) = workspace.sessions.get(&params.id) {
        return Ok(Answer::json(StatusCode::OK, &details(workspace, session)));
    }
    workspace.check_room(shared.settings.job_limit)?;
    let request: SessionRequest = read_body(body, INVALID)?;
    let required = |value: Option<String>, field: &str| {
        value
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ServiceError::bad_request(INVALID, format!("The {field} field is required.")))
    };
    let name = required(request.name, "Name")?;
    let target = required(request.target, "Target")?;
    let (provider, target) = catalog::find(request.provider_id.as_deref(), &target)
        .map_err(|refused| ServiceError { code: INVALID, ..refused })?;
    let policy = match request.job_failure_policy.as_deref() {
        // The Python client leaves it out although it is required; the service then aborts.
        None | Some("Abort") => FailurePolicy::Abort,
        Some("Continue") => FailurePolicy::Continue,
        Some(other) => {
            let message = format!("The JobFailurePolicy is 'Abort' or 'Continue', not '{other}'.");
            return Err(ServiceError::bad_request(INVALID, message));
        }
    };
    let session = Session {
        id: params.id.clone(),
        number: workspace.next_number(),
        name,
        provider_id: provider.id.to_owned(),
        target: target.id.to_owned(),
        policy,
        priority: jobs::priority(request.priority)?,
        tags: request.tags.unwrap_or_default(),
        created: shared.clock.now(),
        end: None,
        jobs: Vec::new(),
    };
    let answer = Answer::json(StatusCode::CREATED, &details(workspace, &session));
    workspace.session_order.insert(session.number, session.id.clone());
    workspace.sessions.insert(session.id.clone(), session);
    Ok(answer)
}

pub(crate) fn get(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let session = find(workspace, &params.id)?;
    Ok(Answer::json(StatusCode::OK, &details(workspace, session)))
}

/// Ends a session; one that has ended already stays as it is.
pub(crate) fn close(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    find(workspace, &params.id)?;
    let end = if failures(workspace, &params.id) { SessionEnd::Failed } else { SessionEnd::Succeeded };
    end_session(workspace, &params.id, end, shared.clock.now());
    let session = find(workspace, &params.id)?;
    Ok(Answer::json(StatusCode::OK, &details(workspace, session)))
}

pub(crate) fn list(shared: &Shared, request: &Incoming, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = &*state.workspace(params)?;
    let entries = all(workspace).map(|session| (row(workspace, session), session)).collect();
    listing::page(shared, request, entries, |session| details(workspace, session))
}

/// The sessions in the order of their creation.
pub(crate) fn all(workspace: &Workspace) -> impl Iterator<Item = &Session> {
    workspace.session_order.values().filter_map(|id| workspace.sessions.get(id))
}

pub(crate) fn find<'a>(workspace: &'a Workspace, id: &str) -> Result<&'a Session, ServiceError> {
    workspace.sessions.get(id).ok_or_else(|| {
        ServiceError::not_found("SessionNotFound", format!("The session '{id}' was not found."))
    })
}

/// Ends sessions that have idled too long.
pub(crate) fn time_out(workspace: &mut Workspace, now: OffsetDateTime) {
    let idle: Vec<(String, OffsetDateTime)> = workspace
        .sessions
        .values()
        .filter(|session| session.end.is_none())
        .filter_map(|session| {
            let mut last = session.created;
            for job in jobs::of_session(workspace, &session.id) {
                if !job.phase.is_final() {
                    return None;
                }
                last = last.max(job.end);
            }
            Some((session.id.clone(), last + IDLE))
        })
        .filter(|(_, at)| *at <= now)
        .collect();
    for (id, at) in idle {
        end_session(workspace, &id, SessionEnd::TimedOut, at);
    }
}

/// A job of the session has failed: with the policy `Abort`, the session and its other jobs end.
pub(crate) fn job_failed(workspace: &mut Workspace, id: &str, at: OffsetDateTime) {
    let aborts = workspace.sessions.get(id).is_some_and(|session| session.policy == FailurePolicy::Abort);
    if !aborts {
        return;
    }
    end_session(workspace, id, SessionEnd::Failed, at);
    let unfinished: Vec<String> = jobs::of_session(workspace, id)
        .filter(|job| !job.phase.is_final())
        .map(|job| job.id.clone())
        .collect();
    for job in unfinished {
        jobs::end(workspace, &job, Phase::Cancelled, at);
    }
}

fn end_session(workspace: &mut Workspace, id: &str, end: SessionEnd, at: OffsetDateTime) {
    if let Some(session) = workspace.sessions.get_mut(id) {
        session.end.get_or_insert((end, at));
    }
}

fn failures(workspace: &Workspace, id: &str) -> bool {
    jobs::of_session(workspace, id).any(|job| matches!(job.phase, Phase::Failed(_)))
}

fn status(workspace: &Workspace, session: &Session) -> &'static str {
    match session.end {
        Some((SessionEnd::Succeeded, _)) => "Succeeded",
        Some((SessionEnd::Failed, _)) => "Failed",
        Some((SessionEnd::TimedOut, _)) => "TimedOut",
        None if failures(workspace, &session.id) => "Failure(s)",
        None if jobs::of_session(workspace, &session.id).next().is_some() => "Executing",
        None => "Waiting",
    }
}

pub(crate) fn row<'a>(workspace: &Workspace, session: &'a Session) -> Row<'a> {
    Row {
        name: &session.name,
        item_type: "Session",
        job_type: "",
        provider_id: &session.provider_id,
        target: &session.target,
        state: status(workspace, session),
        created: session.created,
    }
}

pub(crate) fn details(workspace: &Workspace, session: &Session) -> SessionDetails {
    SessionDetails {
        status: status(workspace, session),
        job_failure_policy: match session.policy {
            FailurePolicy::Abort => "Abort",
            FailurePolicy::Continue => "Continue",
        },
        job_priority: "Basic",
        priority: session.priority.clone(),
        tags: session.tags.clone(),
        name: session.name.clone(),
        id: session.id.clone(),
        provider_id: session.provider_id.clone(),
        target: session.target.clone(),
        creation_time: clock::precise_z(session.created),
        end_execution_time: session.end.map(|(_, at)| clock::precise_z(at)),
        cost_estimate: None,
        item_type: "Session",
    }
}
