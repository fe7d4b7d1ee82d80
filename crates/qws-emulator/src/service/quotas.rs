//! Quotas that count what jobs consume, and fail the jobs that would go beyond.

use http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use url::form_urlencoded;

use super::{catalog, providers};
use crate::answer::{Answer, ServiceError};
use crate::clock;
use crate::formats::{GateCounts, JobError};
use crate::route::Params;
use crate::server::Incoming;
use crate::state::{Job, Shared, Workspace, WorkspaceKind};
use crate::wire::{Page, QuotaDetails, QuotaUsageDetails};

/// A quota of a V1 workspace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quota {
    pub(crate) provider_id: &'static str,
    pub(crate) dimension: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) period: &'static str,
    pub(crate) limit: f64,
    pub(crate) utilization: f64,
}

/// The minutes that the jobs of a V2 workspace have executed on one target.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TargetUsage {
    pub(crate) provider_id: String,
    pub(crate) target: String,
    pub(crate) standard_minutes: f64,
    pub(crate) high_minutes: f64,
    pub(crate) modified: OffsetDateTime,
}

/// What a new workspace has.
pub(crate) fn granted() -> Vec<Quota> {
    let quota = |provider_id, dimension, period, limit| Quota {
        provider_id,
        dimension,
        scope: "Subscription",
        period,
        limit,
        utilization: 0.0,
    };
    vec![
        quota("ionq", "qgs", "Monthly", 800_000.0),
        quota("quantinuum", "hqc", "None", 800.0),
        quota("quantinuum", "ehqc", "None", 8_000.0),
    ]
}

/// What a run costs on its target, if the target is counted at all: simulators of circuits are free.
fn price(target: &str, counts: &GateCounts) -> Option<(&'static str, f64)> {
    let shots = counts.shots;
    if target.starts_with("ionq.qpu.") {
        // Qubit-gate shots: a gate on two qubits counts for ten (Microsoft Learn, "Azure Quantum quotas").
        return Some(("qgs", shots * (counts.one_qubit + 10.0 * counts.more_qubits)));
    }
    // HQC = 5 + C (N1q + 10 N2q + 5 Nm) / 5000, as Quantinuum publishes it.
    let hqc =
        || 5.0 + shots * (counts.one_qubit + 10.0 * counts.more_qubits + 5.0 * counts.measurements) / 5000.0;
    if target.starts_with("quantinuum.qpu.") {
        return Some(("hqc", hqc()));
    }
    // The emulators end in `e`; the syntax checkers, in `sc`, are free.
    (target.starts_with("quantinuum.sim.") && target.ends_with('e')).then(|| ("ehqc", hqc()))
}

/// Books a run once, or says why the job must fail.
pub(crate) fn book(workspace: &mut Workspace, id: &str, counts: &GateCounts) -> Result<(), JobError> {
    let Some(job) = workspace.jobs.get_mut(id).filter(|job| !job.booked) else { return Ok(()) };
    match workspace.kind {
        WorkspaceKind::V1 => book_units(&mut workspace.quotas, job, counts)?,
        WorkspaceKind::V2 => book_minutes(&mut workspace.usages, job),
    }
    job.booked = true;
    Ok(())
}

fn book_units(quotas: &mut [Quota], job: &Job, counts: &GateCounts) -> Result<(), JobError> {
    let Some((dimension, units)) = price(&job.target, counts) else { return Ok(()) };
    let quota =
        quotas.iter_mut().find(|quota| quota.provider_id == job.provider_id && quota.dimension == dimension);
    let Some(quota) = quota else { return Ok(()) };
    let left = quota.limit - quota.utilization;
    if units > left {
        let message = format!(
            "Insufficient quota: the job needs {units} {dimension} of provider '{}', of which {left} are left.",
            job.provider_id
        );
        return Err(JobError::new("InsufficientQuota", message));
    }
    quota.utilization += units;
    Ok(())
}

fn book_minutes(usages: &mut Vec<TargetUsage>, job: &Job) {
    let position = usages.iter().position(|usage| usage.target == job.target).unwrap_or_else(|| {
        usages.push(TargetUsage {
            provider_id: job.provider_id.clone(),
            target: job.target.clone(),
            standard_minutes: 0.0,
            high_minutes: 0.0,
            modified: job.end,
        });
        usages.len() - 1
    });
    let usage = &mut usages[position];
    let minutes = (job.end - job.begin).as_seconds_f64() / 60.0;
    let booked = if job.priority == "High" { &mut usage.high_minutes } else { &mut usage.standard_minutes };
    *booked += minutes;
    usage.modified = job.end;
}

pub(crate) fn list(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let details = |quota: &Quota| QuotaDetails {
        dimension: quota.dimension,
        scope: quota.scope,
        provider_id: quota.provider_id,
        utilization: quota.utilization,
        holds: 0.0,
        limit: quota.limit,
        period: quota.period,
    };
    let value: Vec<QuotaDetails> = match workspace.kind {
        WorkspaceKind::V1 => workspace.quotas.iter().map(details).collect(),
        // Their quotas are minutes, at `quotaUsages`.
        WorkspaceKind::V2 => Vec::new(),
    };
    Ok(Answer::json(StatusCode::OK, &Page { value, next_link: None }))
}

pub(crate) fn usages(shared: &Shared, request: &Incoming, params: &Params) -> Result<Answer, ServiceError> {
    let provider = form_urlencoded::parse(request.query.as_bytes())
        .find(|(key, value)| key == "providerId" && !value.is_empty())
        .map(|(_, value)| value.into_owned());
    let Some(provider) = provider else {
        return Err(ServiceError::bad_request(
            "InvalidQueryParameter",
            "The providerId parameter is required.",
        ));
    };
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    if workspace.kind == WorkspaceKind::V1 {
        let message = "Quota usages exist in V2 workspaces only; this one is V1, see quotas.";
        return Err(ServiceError::bad_request("OperationNotSupported", message));
    }
    let value = rows(workspace, &provider, "WorkspaceTarget");
    Ok(Answer::json(StatusCode::OK, &Page { value, next_link: None }))
}

fn rows(workspace: &Workspace, provider: &str, scope: &'static str) -> Vec<QuotaUsageDetails> {
    let of_provider =
        workspace.usages.iter().filter(|usage| usage.provider_id.eq_ignore_ascii_case(provider));
    of_provider
        .map(|usage| QuotaUsageDetails {
            provider_id: usage.provider_id.clone(),
            scope,
            target_id: Some(usage.target.clone()),
            usage: Map::from_iter([
                ("StandardMinutesLifetime".to_owned(), json!(usage.standard_minutes)),
                ("HighMinutesLifetime".to_owned(), json!(usage.high_minutes)),
            ]),
            last_modified_time: clock::precise_z(usage.modified),
            metadata: None::<Map<String, Value>>,
        })
        .collect()
}

/// What all V2 workspaces of a subscription have used of a provider's suite offer.
pub(crate) fn suite_offer_usages(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    known_offer(params)?;
    let state = shared.state();
    let value: Vec<QuotaUsageDetails> = state
        .workspaces
        .iter()
        .filter(|workspace| workspace.subscription.eq_ignore_ascii_case(&params.subscription))
        .flat_map(|workspace| rows(workspace, &params.id, "SubscriptionTarget"))
        .collect();
    Ok(Answer::json(StatusCode::OK, &Page { value, next_link: None }))
}

pub(crate) fn suite_offer_status(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let provider = known_offer(params)?;
    let state = shared.state();
    let workspace = state
        .workspaces
        .iter()
        .find(|workspace| workspace.subscription.eq_ignore_ascii_case(&params.subscription))
        .ok_or_else(|| {
            let message = format!("The subscription '{}' could not be found.", params.subscription);
            ServiceError::not_found("SubscriptionNotFound", message)
        })?;
    Ok(Answer::json(StatusCode::OK, &providers::status(provider, workspace)))
}

fn known_offer(params: &Params) -> Result<&'static catalog::Provider, ServiceError> {
    catalog::provider(&params.id).ok_or_else(|| {
        ServiceError::not_found(
            "SuiteOfferNotFound",
            format!("There is no suite offer of provider '{}'.", params.id),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_priced_as_their_providers_publish() {
        let counts = GateCounts { one_qubit: 2.0, more_qubits: 3.0, measurements: 4.0, shots: 100.0 };
        assert_eq!(price("ionq.qpu.forte-1", &counts), Some(("qgs", 3200.0)));
        assert_eq!(price("quantinuum.qpu.h2-1", &counts), Some(("hqc", 5.0 + 100.0 * 52.0 / 5000.0)));
        assert_eq!(price("quantinuum.sim.h2-1e", &counts).map(|(dimension, _)| dimension), Some("ehqc"));
        for free in ["ionq.simulator", "quantinuum.sim.h2-1sc", "rigetti.sim.qvm"] {
            assert_eq!(price(free, &counts), None, "{free}");
        }
    }
}
