//! Programs in, results out: the formats of the providers around the one circuit and the one simulator.

mod ionq;
mod qasm;
mod qir;
mod quil;
mod results;

use std::borrow::Cow;

use serde_json::Value;

use crate::circuit::{Circuit, Step};

/// A job as its target sees it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) input: Vec<u8>,
    pub(crate) input_format: String,
    pub(crate) output_format: String,
    pub(crate) params: Value,
    pub(crate) target: String,
    pub(crate) seed: u64,
    pub(crate) qubit_limit: usize,
}

/// Why a job failed; becomes its `errorData`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobError {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl JobError {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("InvalidInputData", message)
    }
}

/// What came out: the output blob, and what was run for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) body: Vec<u8>,
    pub(crate) counts: GateCounts,
}

/// What a run is billed by; real numbers because formulas are about to be applied to them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct GateCounts {
    pub(crate) one_qubit: f64,
    /// Gates on two qubits and more, controls included.
    pub(crate) more_qubits: f64,
    pub(crate) measurements: f64,
    pub(crate) shots: f64,
}

impl GateCounts {
    fn add(&mut self, step: &Step) {
        match step {
            Step::Apply { controls, targets, .. } if controls.len() + targets.len() == 1 => {
                self.one_qubit += 1.0;
            }
            Step::Apply { .. } => self.more_qubits += 1.0,
            Step::Measure { .. } | Step::Reset { .. } => self.measurements += 1.0,
            Step::If { then, .. } => self.add(then),
        }
    }
}

/// Shots when the job names none, as the service's clients assume.
const DEFAULT_SHOTS: usize = 500;
/// More shots than any provider takes, and what memory allows.
const MAX_SHOTS: usize = 1_000_000;
/// Classical bits; far above what fits on the qubits, and small enough to hold for every shot.
const MAX_BITS: usize = 4096;

/// Reads, simulates, and writes the results.
pub(crate) fn execute(program: &Program) -> Result<Output, JobError> {
    let (circuits, shots) = circuits(program)?;
    let body = results::write(program, &circuits, shots)?;
    Ok(Output { body, counts: counts_of(&circuits, shots) })
}

/// Reads only: what running it is to be billed by.
pub(crate) fn count(program: &Program) -> Result<GateCounts, JobError> {
    circuits(program).map(|(circuits, shots)| counts_of(&circuits, shots))
}

fn counts_of(circuits: &[Circuit], shots: usize) -> GateCounts {
    let mut counts = GateCounts { shots: results::as_f64(shots), ..GateCounts::default() };
    circuits.iter().flat_map(|circuit| &circuit.steps).for_each(|step| counts.add(step));
    counts
}

/// The programs of the job, more than one for a batch, and how often each is run.
fn circuits(program: &Program) -> Result<(Vec<Circuit>, usize), JobError> {
    let shots = shots(&program.params)?;
    let items = match program.params.get("items") {
        Some(Value::Array(items)) if !items.is_empty() => items.clone(),
        _ => vec![program.params.clone()],
    };
    let mut circuits = Vec::new();
    for item in &items {
        let circuit = read(program, item)?;
        check_size(&circuit, program.qubit_limit)?;
        circuits.push(circuit);
    }
    Ok((circuits, shots))
}

fn read(program: &Program, item: &Value) -> Result<Circuit, JobError> {
    let text = || {
        std::str::from_utf8(&program.input)
            .map_err(|error| JobError::invalid_input(format!("The input is not UTF-8 text: {error}.")))
    };
    let given = |name| item.get(name).or_else(|| program.params.get(name)).filter(|value| !value.is_null());
    match program.input_format.as_str() {
        "ionq.circuit.v1" | "ionq.circuit.v0" => ionq::read(&program.input),
        "qir.v1" | "honeywell.qir.v1" | "rigetti.qir.v1" => {
            if program.input.starts_with(b"BC\xC0\xDE") {
                let message = "The input is QIR bitcode, which this emulator does not simulate; send the program as text QIR (.ll).";
                return Err(JobError::new("BitcodeError", message));
            }
            if given("arguments").and_then(Value::as_array).is_some_and(|arguments| !arguments.is_empty()) {
                let message =
                    "Entry points with arguments are not supported: a base profile program has none.";
                return Err(JobError::new("QIRPreProcessingFailed", message));
            }
            qir::read(text()?, given("entryPoint").and_then(Value::as_str))
        }
        "honeywell.openqasm.v1" | "quantinuum.openqasm.v1" => qasm::read(text()?),
        "rigetti.quil.v1" => {
            if given("substitutions").is_some() {
                let message =
                    "Substitutions are not supported by this emulator: write the values into the program.";
                return Err(JobError::invalid_input(message));
            }
            quil::read(text()?)
        }
        "pasqal.pulser.v1" => {
            let message = "This emulator does not simulate Pulser sequences: they are no circuits.";
            Err(JobError::invalid_input(message))
        }
        other => Err(JobError::invalid_input(format!(
            "The input data format '{other}' is not supported by target '{}'.",
            program.target
        ))),
    }
}

fn check_size(circuit: &Circuit, limit: usize) -> Result<(), JobError> {
    if circuit.qubits > limit {
        return Err(JobError::invalid_input(format!(
            "The program needs {} qubits; this emulator simulates at most {limit}.",
            circuit.qubits
        )));
    }
    if circuit.bits > MAX_BITS {
        return Err(JobError::invalid_input(format!(
            "The program has {} classical bits; this emulator holds at most {MAX_BITS}.",
            circuit.bits
        )));
    }
    Ok(())
}

/// `shots`, or `count` which some providers call it.
fn shots(params: &Value) -> Result<usize, JobError> {
    let given =
        ["shots", "count"].into_iter().find_map(|name| params.get(name).filter(|value| !value.is_null()));
    let Some(given) = given else { return Ok(DEFAULT_SHOTS) };
    let number =
        given.as_u64().or_else(|| given.as_str()?.parse().ok()).and_then(|n| usize::try_from(n).ok());
    number.filter(|shots| (1..=MAX_SHOTS).contains(shots)).ok_or_else(|| {
        JobError::invalid_input(format!(
            "The number of shots must be between 1 and {MAX_SHOTS}, not {given}."
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn run(input: &str, formats: (&str, &str), params: Value) -> Result<Value, JobError> {
        let program = Program {
            input: input.as_bytes().to_vec(),
            input_format: formats.0.to_owned(),
            output_format: formats.1.to_owned(),
            params,
            target: "ionq.simulator".to_owned(),
            seed: 42,
            qubit_limit: 20,
        };
        execute(&program).map(|output| serde_json::from_slice(&output.body).unwrap())
    }

    const GHZ: &str = r#"{"qubits":3,"circuit":[{"gate":"h","target":0},{"gate":"cnot","control":0,"target":1},{"gate":"cnot","control":0,"target":2}]}"#;
    const X0: &str = r#"{"qubits":3,"circuit":[{"gate":"x","target":0}]}"#;

    #[test]
    fn ionq_answers_ideal_probabilities_with_qubit_0_lowest() {
        let formats = ("ionq.circuit.v1", "ionq.quantum-results.v1");
        let ghz = run(GHZ, formats, json!({ "shots": 3 })).unwrap();
        let histogram = &ghz["histogram"];
        assert_eq!(*histogram, json!({ "0": 0.5, "7": 0.5 }));
        assert_eq!(run(X0, formats, json!({})).unwrap(), json!({ "histogram": { "1": 1.0 } }));
    }

    #[test]
    fn microsoft_results_record_qubit_0_first() {
        let formats = ("ionq.circuit.v1", "microsoft.quantum-results.v2");
        let answer = run(X0, formats, json!({ "shots": 2 })).unwrap();
        let expected = json!({
            "DataFormat": "microsoft.quantum-results.v2",
            "Results": [{
                "Histogram": [{ "Outcome": [1, 0, 0], "Display": "[1, 0, 0]", "Count": 2 }],
                "Shots": [[1, 0, 0], [1, 0, 0]]
            }]
        });
        assert_eq!(answer, expected);
    }

    #[test]
    fn shots_are_counted_and_checked() {
        let v2 = ("ionq.circuit.v1", "microsoft.quantum-results.v2");
        let number = |params| {
            run(GHZ, v2, params).map(|answer| answer["Results"][0]["Shots"].as_array().unwrap().len())
        };
        assert_eq!(number(json!({})), Ok(500));
        assert_eq!(number(json!({ "count": 7 })), Ok(7));
        assert_eq!(number(json!({ "shots": 3, "count": 7 })), Ok(3));
        assert_eq!(number(json!({ "shots": 0 })).unwrap_err().code, "InvalidInputData");
    }

    #[test]
    fn too_many_qubits_are_refused_by_name_of_the_limit() {
        let wide = r#"{"qubits":21,"circuit":[{"gate":"h","target":20}]}"#;
        let error = run(wide, ("ionq.circuit.v1", "ionq.quantum-results.v1"), json!({})).unwrap_err();
        assert_eq!(error.message, "The program needs 21 qubits; this emulator simulates at most 20.");
    }

    #[test]
    fn formats_nobody_knows_fail_the_job() {
        let odd = run(GHZ, ("acme.v1", "ionq.quantum-results.v1"), json!({})).unwrap_err();
        assert_eq!(odd.code, "InvalidInputData");
        let odd = run(GHZ, ("ionq.circuit.v1", "acme.v1"), json!({})).unwrap_err();
        assert_eq!(odd.code, "CannotTranslateOutputData");
        let pulser = ("pasqal.pulser.v1", "pasqal.pulser-results.v1");
        assert!(run("{}", pulser, json!({})).unwrap_err().message.contains("Pulser"));
        let quil = ("rigetti.quil.v1", "rigetti.quil-results.v1");
        let substitutions = json!({ "substitutions": { "theta": [[0.5]] } });
        assert!(run("", quil, substitutions).unwrap_err().message.contains("Substitutions"));
        let bitcode = run("BC\u{0}", ("qir.v1", "microsoft.quantum-results.v1"), json!({})).unwrap_err();
        assert_eq!(bitcode.code, "QIRPreProcessingFailed", "text that is no QIR");
    }
}
