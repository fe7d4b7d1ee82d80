//! Jobs as the service answers them: every field, about 2 KB each, in four kinds that take turns.

use crate::measure::{WITH_OUTPUT, listed_id};
use std::fmt::Write as _;
use std::ops::Range;

/// The numbers of jobs that have succeeded, or are still waiting, are of this kind.
pub(super) const SUCCEEDED_KIND: u32 = 0;
pub(super) const WAITING_KIND: u32 = 1;

/// A page with the jobs of these numbers, each of the kind that its number gives it.
pub(super) fn page(numbers: Range<u32>, kind: impl Fn(u32) -> u32, next_link: Option<&str>) -> String {
    let mut text = String::with_capacity(numbers.len() * 2300 + 400);
    text.push_str(r#"{"value":["#);
    for number in numbers.clone() {
        if number > numbers.start {
            text.push(',');
        }
        text.push_str(&job(kind(number), &listed_id(number)));
    }
    let next = next_link.map_or("null".to_owned(), |link| format!("\"{link}\""));
    // Writing to a String cannot fail.
    let _ = write!(text, r#"],"nextLink":{next}}}"#);
    text
}

/// The one target that jobs are for.
pub(super) const PROVIDERS: &str = r#"{"value":[{"id":"ionq","currentAvailability":"Available","targets":[{"id":"ionq.simulator","currentAvailability":"Available","averageQueueTime":3,"statusPage":null}]}],"nextLink":null}"#;

/// One job. Numbers and ids differ, so that nothing is the same text twice.
pub(super) fn job(number: u32, id: &str) -> String {
    let links = format!(
        r#""containerUri":"https://contosostore.blob.core.windows.net/job-{id}?{SAS_OF_CONTAINER}","inputDataUri":"https://contosostore.blob.core.windows.net/job-{id}/inputData?{SAS_OF_BLOB}","outputDataUri":"https://contosostore.blob.core.windows.net/job-{id}/rawOutputData?{SAS_OF_BLOB}","#
    );
    let own = match number % 4 {
        0 => SUCCEEDED,
        1 => WAITING,
        2 => FAILED,
        _ => IN_SESSION,
    };
    format!(r#"{{{links}{own},{COMMON},"name":"sweep {number}","id":"{id}","itemType":"Job"}}"#)
}

/// A job that has succeeded and has this output; the link to it is good for long.
pub(super) fn job_with_output(uri: &str) -> String {
    format!(
        r#"{{"outputDataUri":"{uri}?sv=2025-05-05&se=2099-01-01T00%3A00%3A00Z&sr=b&sp=r&sig=bm90IGEga2V5",{SUCCEEDED},{COMMON},"id":"{WITH_OUTPUT}","itemType":"Job"}}"#
    )
}

const SAS_OF_CONTAINER: &str = "sv=2025-05-05&st=2026-01-20T09%3A00%3A00Z&se=2026-01-24T09%3A00%3A00Z&sr=c&sp=rl&sig=bm90IGEgc2lnbmF0dXJlLCBqdXN0IGFzIGxvbmcgYXMgb25l%3D";
const SAS_OF_BLOB: &str = "sv=2025-05-05&st=2026-01-20T09%3A00%3A00Z&se=2026-01-24T09%3A00%3A00Z&sr=b&sp=r&rscd=attachment%3B+filename%3Dsweep.output.json&sig=bm90IGEgc2lnbmF0dXJlLCBqdXN0IGFzIGxvbmcgYXMgb25l%3D";

/// What all jobs have alike.
const COMMON: &str = r#""providerId":"ionq","target":"ionq.simulator","jobType":"QuantumComputing","inputDataFormat":"qir.v1","outputDataFormat":"microsoft.quantum-results.v2","creationTime":"2026-01-20T09:11:40.2630852+00:00","lastModifiedTime":"2026-01-20T09:12:38.0953838+00:00","lastUpdatedTime":"2026-01-20T09:12:38.0953838+00:00","createdBy":"6f1b5f0e-2c7b-4a3f-9d55-000000000001","createdByType":"User","lastModifiedBy":"6f1b5f0e-2c7b-4a3f-9d55-000000000001","lastModifiedByType":"User","priority":"Standard","jobPriority":"Basic","isCancelling":false,"quantumComputingData":{"count":1}"#;

const SUCCEEDED: &str = r#""status":"Succeeded","sessionId":null,"inputParams":{"shots":100,"count":100,"items":[{"entryPoint":"ENTRYPOINT__main","arguments":[]}]},"metadata":{"qiskit":"True","name":"bell","num_qubits":"2","metadata":"{}"},"tags":["sweep","bell"],"errorData":null,"cancellationTime":null,"beginExecutionTime":"2026-01-20T09:12:33.175Z","endExecutionTime":"2026-01-20T09:12:34.175Z","costEstimate":{"currencyCode":"USD","events":[{"dimensionId":"gs1q","dimensionName":"1Q Gate Shot","measureUnit":"1q gate shot","amountBilled":200.0,"amountConsumed":200.0,"unitPrice":0.00003},{"dimensionId":"gs2q","dimensionName":"2Q Gate Shot","measureUnit":"2q gate shot","amountBilled":100.0,"amountConsumed":100.0,"unitPrice":0.0003}],"estimatedTotal":0.036},"usage":null"#;

const WAITING: &str = r#""status":"Waiting","sessionId":null,"inputParams":{"shots":1000,"entryPoint":"ENTRYPOINT__main","arguments":[],"targetProfile":"Base"},"metadata":{"qiskit":"True","name":"ladder","num_qubits":"11","meas_map":"[0,1,2,3,4,5,6,7,8,9,10]","metadata":"{\"depth\": 24, \"layout\": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], \"note\": \"second of three\"}"},"tags":["sweep","ladder","second"],"errorData":null,"cancellationTime":null,"beginExecutionTime":null,"endExecutionTime":null,"costEstimate":null,"usage":null"#;

const FAILED: &str = r#""status":"Failed","sessionId":null,"inputParams":{"shots":500},"metadata":null,"tags":[],"errorData":{"code":"InvalidInputData","message":"The program uses the gate \"rzz\" at line 14, which the target does not have; compile it for the target's profile and submit it again.","target":"inputData","details":[{"code":"UnsupportedGate","message":"rzz","target":"line 14","details":[]}],"innererror":{"code":"CompilationFailed","innererror":{"code":"GateSet"}}},"cancellationTime":null,"beginExecutionTime":"2026-01-20T09:12:33.175Z","endExecutionTime":"2026-01-20T09:12:33.275Z","costEstimate":{"currencyCode":"USD","events":[],"estimatedTotal":0.0},"usage":null"#;

const IN_SESSION: &str = r#""status":"Completed","sessionId":"00000000-0000-4000-9000-000000000001","inputParams":{"shots":100,"count":100,"items":[{"entryPoint":"ENTRYPOINT__main","arguments":["0.7853981633974483","0.39269908169872414"]}]},"metadata":{"name":"vqe step","num_qubits":"4","iteration":"17","optimizer":"spsa"},"tags":["vqe"],"errorData":null,"cancellationTime":null,"beginExecutionTime":"2026-01-20T09:12:33.175Z","endExecutionTime":"2026-01-20T09:12:34.175Z","costEstimate":{"currencyCode":"USD","events":[{"dimensionId":"qpu","dimensionName":"QPU time","measureUnit":"minute","amountBilled":0.25,"amountConsumed":0.25,"unitPrice":1.6}],"estimatedTotal":0.4},"usage":{"jobDurationInMinutes":0.25}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_page_is_json_with_jobs_of_about_2_kb() {
        let text = page(300..400, |number| number, Some("https://127.0.0.1:1/x?page=4"));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["value"].as_array().unwrap().len(), 100);
        assert_eq!(value["value"][7]["id"], "00000000-0000-4000-8000-000000000307");
        assert_eq!(value["nextLink"], "https://127.0.0.1:1/x?page=4");
        let each = text.len() / 100;
        assert!((1900..2150).contains(&each), "{each} bytes a job");
    }

    #[test]
    fn every_kind_of_job_has_every_field() {
        let names = |number| {
            let job: Value = serde_json::from_str(&job(number, "x")).unwrap();
            job.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(0).len(), 33);
        for number in 1..4 {
            assert_eq!(names(number), names(0));
        }
    }
}
