//! What comes of calls, as JSON that outcomes are compared with.

use qws::{Error, Histogram, JobDetails, Target};
use serde_json::{Value, json};

pub(super) fn session(session: &qws::SessionDetails) -> Value {
    json!({
        "id": session.id,
        "name": session.name,
        "status": session.status.as_ref().map(qws::SessionStatus::as_str),
        "isTerminal": session.status.as_ref().is_some_and(qws::SessionStatus::is_terminal),
        "policy": session.job_failure_policy.as_ref().map(qws::SessionJobFailurePolicy::as_str),
    })
}

pub(super) fn address(workspace: &qws::Workspace) -> Value {
    let address = workspace.address();
    json!({
        "resourceId": address.resource_id().to_string(),
        "endpoint": address.endpoint().to_string(),
        "location": address.location().map(ToString::to_string),
        "kind": address.kind().map(|kind| format!("{kind:?}")),
    })
}

pub(super) fn usage(usage: &qws::QuotaUsage) -> Value {
    json!({"provider": usage.provider_id, "target": usage.target_id, "usage": usage.usage,
           "scope": usage.scope.as_ref().map(qws::SuiteOfferScope::as_str)})
}

pub(super) fn target(target: &Target) -> Value {
    let status = target.status();
    json!({
        "provider": target.provider(),
        "id": target.id(),
        "availability": status.current_availability.as_ref().map(qws::TargetAvailability::as_str),
        "isAvailable": target.is_available(),
        "queueSeconds": status.average_queue_time,
        "queueSecondsHigh": status.average_queue_time_high_priority,
        "queueSecondsStandard": status.average_queue_time_standard_priority,
        "profile": status.target_profile,
        "qubits": status.num_qubits,
    })
}

pub(super) fn job(job: &JobDetails) -> Value {
    json!({
        "id": job.id.as_str(),
        "name": job.name,
        "status": job.status.as_ref().map(qws::JobStatus::as_str),
        "isTerminal": job.status.as_ref().is_some_and(qws::JobStatus::is_terminal),
        "provider": job.provider_id,
        "target": job.target,
        "jobType": job.job_type.as_ref().map(qws::JobType::as_str),
        "shots": job.shots(),
        "numQubits": job.num_qubits(),
        "creationNanosecond": job.creation_time.map(azure_core::time::OffsetDateTime::nanosecond),
        "priority": job.priority.as_ref().map(qws::Priority::as_str),
        "tags": job.tags,
        "sessionId": job.session_id,
        "outputDataUri": job.output_data_uri.as_ref().map(qws::BlobUri::expose),
        "error": job.error_data.as_ref().map(qws::ServiceError::summary),
    })
}

pub(super) fn results(results: &qws::Results, read: &str) -> Result<Value, Error> {
    match read {
        "" | "twice" => {
            let all = results.histograms()?;
            Ok(
                json!({"format": results.format(), "histograms": all.iter().map(histogram).collect::<Vec<_>>()}),
            )
        }
        "shots" => Ok(json!({"shots": results.all_shots()?.iter().map(shots).collect::<Vec<_>>()})),
        "raw" => {
            let bytes = results.raw();
            Ok(json!({"bytes": bytes.to_vec(), "text": String::from_utf8_lossy(bytes)}))
        }
        other => panic!("results are not read as `{other}`"),
    }
}

pub(super) fn shots(shots: &qws::Shots) -> Value {
    json!({
        "width": shots.width(),
        "labels": shots.iter().map(|shot| shot.to_string()).collect::<Vec<_>>(),
        "errors": shots.errors().iter().map(|error| json!([error.shot, error.to_string()])).collect::<Vec<_>>(),
    })
}

pub(super) fn histogram(histogram: &Histogram) -> Value {
    let bars = histogram.outcomes().iter().map(|bar| json!([bar.label(), bar.probability(), bar.count()]));
    json!({"measure": format!("{:?}", histogram.measure()), "shots": histogram.shots(), "bars": bars.collect::<Vec<_>>()})
}

pub(super) fn error(error: &Error) -> Value {
    json!({
        "kind": format!("{:?}", error.kind()),
        "status": error.status().map(|status| status.as_u16()),
        "code": error.code(),
        "requestId": error.request_id(),
        "text": error.to_string(),
        "hint": error.hint(),
        "attempts": error.attempts(),
        "continuation": error.continuation().map(qws::Continuation::as_str),
    })
}
