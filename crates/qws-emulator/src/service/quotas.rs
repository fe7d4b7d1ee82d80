//! Quotas that count what jobs consume, and refuse the jobs that would go beyond.
//!
//! A job's price is held from its submission on and booked when it has run. V1 workspaces count what the providers
//! charge for; V2 workspaces count minutes by target and priority.

use http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use url::form_urlencoded;

use super::{catalog, providers};
use crate::answer::{Answer, ServiceError};
use crate::clock;
use crate::formats::{GateCounts, JobError};
use crate::incoming::Incoming;
use crate::route::Params;
use crate::state::{Job, Shared, Workspace, WorkspaceKind};
use crate::wire::{Page, QuotaDetails, QuotaUsageDetails};

const STANDARD: &str = "StandardMinutesLifetime";
const HIGH: &str = "HighMinutesLifetime";

/// Minutes on each target of a V2 workspace: two months without a pause.
const MINUTES: f64 = 100_000.0;

/// One counted dimension of a workspace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quota {
    pub(crate) provider_id: &'static str,
    /// In V2 workspaces each target has its own; in V1 the provider's targets share one.
    pub(crate) target: Option<&'static str>,
    pub(crate) dimension: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) period: &'static str,
    pub(crate) limit: f64,
    pub(crate) utilization: f64,
    /// What the jobs that have not ended will cost.
    pub(crate) holds: f64,
    /// When something was last booked.
    pub(crate) modified: Option<OffsetDateTime>,
}

/// What a job costs, and on which quota.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bill {
    dimension: &'static str,
    units: f64,
    /// Booked, and not just held.
    booked: bool,
}

/// What a new workspace has.
pub(crate) fn granted(kind: WorkspaceKind) -> Vec<Quota> {
    let quota = |provider_id, dimension, period, limit| Quota {
        provider_id,
        target: None,
        dimension,
        scope: "Subscription",
        period,
        limit,
        utilization: 0.0,
        holds: 0.0,
        modified: None,
    };
    if kind == WorkspaceKind::V1 {
        return vec![
            quota("ionq", "qgs", "Monthly", 800_000.0),
            quota("quantinuum", "hqc", "None", 800.0),
            quota("quantinuum", "ehqc", "None", 8_000.0),
        ];
    }
    let targets = catalog::PROVIDERS
        .iter()
        .flat_map(|provider| provider.targets.iter().map(|target| (provider.id, target.id)));
    targets
        .flat_map(|(provider, target)| {
            [STANDARD, HIGH].map(|dimension| Quota {
                target: Some(target),
                scope: "Workspace",
                ..quota(provider, dimension, "None", MINUTES)
            })
        })
        .collect()
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

/// Whether runs on this target are counted in a V1 workspace.
fn is_metered(target: &str) -> bool {
    price(target, &GateCounts::default()).is_some()
}

/// What the job is to cost; `None` if it is free, or if its program has to be run to know.
fn bill(
    kind: WorkspaceKind,
    job: &Job,
    counts: impl FnOnce(&Job) -> Option<GateCounts>,
) -> Option<(&'static str, f64)> {
    match kind {
        WorkspaceKind::V1 if !is_metered(&job.target) => None,
        WorkspaceKind::V1 => price(&job.target, &counts(job)?),
        WorkspaceKind::V2 => {
            let dimension = if job.priority == "High" { HIGH } else { STANDARD };
            Some((dimension, (job.end - job.begin).as_seconds_f64() / 60.0))
        }
    }
}

fn find<'a>(quotas: &'a mut [Quota], job: &Job, dimension: &str) -> Option<&'a mut Quota> {
    quotas.iter_mut().find(|quota| {
        quota.dimension == dimension
            && quota.provider_id == job.provider_id
            && quota.target.is_none_or(|target| target == job.target)
    })
}

/// Holds the price of a new job until it ends, or says what is missing.
///
/// `counts` reads the program; a price that only running it can tell is asked for then.
pub(crate) fn hold(
    workspace: &mut Workspace,
    job: &mut Job,
    counts: impl FnOnce(&Job) -> Option<GateCounts>,
) -> Result<(), ServiceError> {
    let Some((dimension, units)) = bill(workspace.kind, job, counts) else { return Ok(()) };
    let Some(quota) = find(&mut workspace.quotas, job, dimension) else { return Ok(()) };
    quota.begin_period(job.created);
    quota
        .afford(units)
        .map_err(|message| ServiceError::new(StatusCode::FORBIDDEN, "InsufficientQuota", message))?;
    quota.holds += units;
    job.bill = Some(Bill { dimension, units, booked: false });
    Ok(())
}

/// Books a run once, or says why the job must fail.
pub(crate) fn book(workspace: &mut Workspace, id: &str, counts: &GateCounts) -> Result<(), JobError> {
    let Some(job) = workspace.jobs.get_mut(id) else { return Ok(()) };
    let (dimension, units, held) = match &job.bill {
        Some(bill) if bill.booked => return Ok(()),
        Some(bill) => (bill.dimension, bill.units, true),
        None => match bill(workspace.kind, job, |_| Some(*counts)) {
            Some((dimension, units)) => (dimension, units, false),
            None => return Ok(()),
        },
    };
    let Some(quota) = find(&mut workspace.quotas, job, dimension) else { return Ok(()) };
    quota.begin_period(job.end);
    if held {
        quota.holds -= units;
    } else {
        quota.afford(units).map_err(|message| JobError::new("InsufficientQuota", message))?;
    }
    quota.utilization += units;
    quota.modified = Some(job.end);
    job.bill = Some(Bill { dimension, units, booked: true });
    Ok(())
}

/// Gives back what is held for a job that has ended without running.
pub(crate) fn release(workspace: &mut Workspace, id: &str) {
    let Some(job) = workspace.jobs.get_mut(id) else { return };
    let Some(bill) = job.bill.take_if(|bill| !bill.booked) else { return };
    if let Some(quota) = find(&mut workspace.quotas, job, bill.dimension) {
        quota.holds -= bill.units;
    }
}

pub(crate) fn set_limit(workspace: &mut Workspace, dimension: &str, limit: f64) {
    for quota in workspace.quotas.iter_mut().filter(|quota| quota.dimension == dimension) {
        quota.limit = limit;
    }
}

impl Quota {
    fn afford(&self, units: f64) -> Result<(), String> {
        let left = tidy(self.limit - self.utilization - self.holds);
        if tidy(units) <= left {
            return Ok(());
        }
        let whose = match self.target {
            Some(target) => format!("target '{target}'"),
            None => format!("provider '{}'", self.provider_id),
        };
        let (units, dimension) = (tidy(units), self.dimension);
        Err(format!(
            "Insufficient quota: the job needs {units} {dimension} of {whose}, of which {left} are left."
        ))
    }

    /// A monthly quota is whole again in a new month.
    fn begin_period(&mut self, now: OffsetDateTime) {
        let month = |at: OffsetDateTime| (at.year(), at.month());
        if self.period == "Monthly" && self.modified.is_some_and(|last| month(last) != month(now)) {
            (self.utilization, self.modified) = (0.0, None);
        }
    }
}

/// Without the traces of adding and taking away in binary.
fn tidy(units: f64) -> f64 {
    // Adding zero turns a negative zero into the usual one.
    (units * 1e9).round() / 1e9 + 0.0
}

pub(crate) fn list(shared: &Shared, params: &Params) -> Result<Answer, ServiceError> {
    let mut state = shared.state();
    let workspace = state.workspace(params)?;
    let mut value: Vec<QuotaDetails> = Vec::new();
    for quota in &mut workspace.quotas {
        quota.begin_period(shared.clock.now());
        // A quota has no field for its target, so those of a provider's targets are one here.
        let same = value
            .iter_mut()
            .find(|other| other.provider_id == quota.provider_id && other.dimension == quota.dimension);
        let Some(sum) = same else {
            value.push(QuotaDetails {
                dimension: quota.dimension,
                scope: quota.scope,
                provider_id: quota.provider_id,
                utilization: tidy(quota.utilization),
                holds: tidy(quota.holds),
                limit: quota.limit,
                period: quota.period,
            });
            continue;
        };
        sum.utilization = tidy(sum.utilization + quota.utilization);
        sum.holds = tidy(sum.holds + quota.holds);
        sum.limit += quota.limit;
    }
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

/// The minutes used on each target, from its first job on.
fn rows(workspace: &Workspace, provider: &str, scope: &'static str) -> Vec<QuotaUsageDetails> {
    let minutes = workspace.quotas.iter().filter(|quota| quota.provider_id.eq_ignore_ascii_case(provider));
    let mut rows: Vec<QuotaUsageDetails> = Vec::new();
    for quota in minutes {
        let Some(target) = quota.target else { continue };
        if rows.last().is_none_or(|row| row.target_id.as_deref() != Some(target)) {
            rows.push(QuotaUsageDetails {
                provider_id: quota.provider_id.to_owned(),
                scope,
                target_id: Some(target.to_owned()),
                usage: Map::new(),
                last_modified_time: String::new(),
                metadata: None::<Map<String, Value>>,
            });
        }
        if let Some(row) = rows.last_mut() {
            row.usage.insert(quota.dimension.to_owned(), json!(tidy(quota.utilization)));
            // These texts sort as the times do.
            let modified = quota.modified.map(clock::precise_z).unwrap_or_default();
            row.last_modified_time = modified.max(std::mem::take(&mut row.last_modified_time));
        }
    }
    rows.retain(|row| !row.last_modified_time.is_empty());
    rows
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
