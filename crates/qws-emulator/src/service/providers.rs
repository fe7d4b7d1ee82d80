//! What can be run on, and how long the queue is.

use http::StatusCode;

use super::catalog::{PROVIDERS, Provider, Target};
use crate::answer::{Answer, ServiceError};
use crate::route::Params;
use crate::state::{Shared, Workspace};
use crate::wire::{Page, ProviderStatus, TargetStatus};

pub(crate) fn list(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let value = PROVIDERS.iter().map(|provider| status(provider, workspace)).collect();
    Ok(Answer::json(StatusCode::OK, &Page { value, next_link: None }))
}

pub(crate) fn status(provider: &Provider, workspace: &Workspace) -> ProviderStatus {
    let targets: Vec<TargetStatus> = provider
        .targets
        .iter()
        .map(|target| TargetStatus {
            id: target.id.to_owned(),
            current_availability: availability(workspace, target),
            average_queue_time: target.queue_time,
            average_queue_time_high_priority: None,
            average_queue_time_standard_priority: Some(target.queue_time),
            status_page: Some(provider.status_page.to_owned()),
            num_qubits: Some(target.qubits),
            target_profile: Some(provider.target_profile.to_owned()),
            metadata: None,
        })
        .collect();
    let up = targets.iter().any(|target| target.current_availability != "Unavailable");
    ProviderStatus {
        id: provider.id.to_owned(),
        current_availability: if up { "Available" } else { "Unavailable" }.to_owned(),
        targets,
    }
}

/// What was set for the target, or what the catalogue says.
pub(crate) fn availability(workspace: &Workspace, target: &Target) -> String {
    workspace.availability.get(target.id).map_or(target.availability, String::as_str).to_owned()
}
