//! Results as the providers write them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{JobError, Program};
use crate::circuit::{Circuit, Record, Step};
use crate::simulator::{self, Shots};

/// Outcomes rarer than this are rounding, not physics.
const NEGLIGIBLE: f64 = 1e-12;

/// Runs the circuits (more than one for a batch) and writes the output blob.
pub(crate) fn write(program: &Program, circuits: &[Circuit], shots: usize) -> Result<Vec<u8>, JobError> {
    let seeded = |index: usize| program.seed.wrapping_add(index as u64);
    let sample = |index: usize| simulator::sample(&circuits[index], shots, seeded(index));
    let [first, rest @ ..] = circuits else {
        return Err(JobError::invalid_input("The job has no program."));
    };
    let value = match program.output_format.as_str() {
        "microsoft.quantum-results.v2" => {
            let results: Vec<Value> = (0..circuits.len()).map(|i| v2(&circuits[i], &sample(i))).collect();
            json!({ "DataFormat": "microsoft.quantum-results.v2", "Results": results })
        }
        other if !rest.is_empty() => {
            return Err(cannot_translate(&format!("a batch of programs has no results in '{other}'")));
        }
        "microsoft.quantum-results.v1" => v1(first, &sample(0)),
        // The simulator of IonQ computes probabilities; a QPU can only count.
        "ionq.quantum-results.v1" if program.target == "ionq.simulator" => match exact(first) {
            Some(probabilities) => ionq(probabilities),
            None => ionq(frequencies(first, &sample(0))),
        },
        "ionq.quantum-results.v1" => ionq(frequencies(first, &sample(0))),
        "honeywell.quantum-results.v1" | "quantinuum.quantum-results.v1" => quantinuum(first, &sample(0)),
        "rigetti.quil-results.v1" => rigetti(first, &sample(0)),
        other => return Err(cannot_translate(&format!("the output data format '{other}' is not known"))),
    };
    serde_json::to_vec(&value).map_err(|error| cannot_translate(&error.to_string()))
}

fn cannot_translate(reason: &str) -> JobError {
    JobError::new("CannotTranslateOutputData", format!("The results could not be translated: {reason}."))
}

/// What one shot recorded, as JSON and as the label that `Display` and version 1 use.
fn outcome(record: &Record, bits: &[bool]) -> (Value, String) {
    let all = |items: &[Record]| -> (Vec<Value>, String) {
        let (values, labels): (Vec<_>, Vec<_>) = items.iter().map(|item| outcome(item, bits)).unzip();
        (values, labels.join(", "))
    };
    match record {
        Record::Bit(bit) => (json!(u8::from(bits[*bit])), u8::from(bits[*bit]).to_string()),
        Record::Array(items) => {
            let (values, label) = all(items);
            (Value::Array(values), format!("[{label}]"))
        }
        Record::Tuple(items) => {
            let (values, label) = all(items);
            let fields: Map<String, Value> =
                values.into_iter().enumerate().map(|(i, value)| (format!("Item{}", i + 1), value)).collect();
            (Value::Object(fields), format!("({label})"))
        }
    }
}

fn counts(shots: &Shots) -> BTreeMap<&[bool], usize> {
    let mut counts = BTreeMap::new();
    for bits in shots.iter() {
        *counts.entry(bits).or_insert(0) += 1;
    }
    counts
}

/// Counts by what was recorded: bits outside the record do not split an outcome.
fn recorded(circuit: &Circuit, shots: &Shots) -> Vec<(Value, String, usize)> {
    let mut by_label: BTreeMap<String, (Value, usize)> = BTreeMap::new();
    for (bits, count) in counts(shots) {
        let (value, label) = outcome(&circuit.record, bits);
        by_label.entry(label).or_insert((value, 0)).1 += count;
    }
    by_label.into_iter().map(|(label, (value, count))| (value, label, count)).collect()
}

fn v1(circuit: &Circuit, shots: &Shots) -> Value {
    let total = as_f64(shots.iter().len());
    let flat: Vec<Value> = recorded(circuit, shots)
        .into_iter()
        .flat_map(|(_, label, count)| [json!(label), json!(as_f64(count) / total)])
        .collect();
    json!({ "Histogram": flat })
}

fn v2(circuit: &Circuit, shots: &Shots) -> Value {
    let histogram: Vec<Value> = recorded(circuit, shots)
        .into_iter()
        .map(|(value, label, count)| json!({ "Outcome": value, "Display": label, "Count": count }))
        .collect();
    let shots: Vec<Value> = shots.iter().map(|bits| outcome(&circuit.record, bits).0).collect();
    json!({ "Histogram": histogram, "Shots": shots })
}

/// The recorded bits, first one first.
fn flat(record: &Record) -> Vec<usize> {
    match record {
        Record::Bit(bit) => vec![*bit],
        Record::Array(items) | Record::Tuple(items) => items.iter().flat_map(flat).collect(),
    }
}

fn ionq(histogram: BTreeMap<u128, f64>) -> Value {
    let histogram: Map<String, Value> = histogram
        .into_iter()
        .map(|(outcome, probability)| (outcome.to_string(), json!(rounded(probability))))
        .collect();
    json!({ "histogram": histogram })
}

/// Twelve digits after the point: the sum of many roundings is no longer seen, and a half is a half.
fn rounded(probability: f64) -> f64 {
    (probability * 1e12).round() / 1e12
}

/// The probability of every outcome as an integer whose lowest bit was recorded first; `None` if it takes sampling.
fn exact(circuit: &Circuit) -> Option<BTreeMap<u128, f64>> {
    if !circuit.measures_last() {
        return None;
    }
    // The qubit behind each recorded bit: the last one measured into it.
    let source = |bit: usize| {
        circuit.steps.iter().rev().find_map(|step| match step {
            Step::Measure { qubit, bit: into } if *into == bit => Some(*qubit),
            _ => None,
        })
    };
    let qubits: Vec<usize> = flat(&circuit.record).into_iter().map(source).collect::<Option<_>>()?;
    let mut outcomes = BTreeMap::new();
    for (index, probability) in simulator::final_state(circuit).probabilities().into_iter().enumerate() {
        let outcome = qubits.iter().rev().fold(0, |sum: u128, qubit| sum << 1 | (index >> qubit & 1) as u128);
        *outcomes.entry(outcome).or_insert(0.0) += probability;
    }
    outcomes.retain(|_, probability| *probability > NEGLIGIBLE);
    Some(outcomes)
}

fn frequencies(circuit: &Circuit, shots: &Shots) -> BTreeMap<u128, f64> {
    let order = flat(&circuit.record);
    let total = as_f64(shots.iter().len());
    let mut outcomes = BTreeMap::new();
    for (bits, count) in counts(shots) {
        let outcome = order.iter().rev().fold(0, |sum: u128, bit| sum << 1 | u128::from(bits[*bit]));
        *outcomes.entry(outcome).or_insert(0.0) += as_f64(count) / total;
    }
    outcomes
}

/// One string a shot and register, its highest bit first.
fn quantinuum(circuit: &Circuit, shots: &Shots) -> Value {
    let text = |bits: &[bool], register: &[usize]| -> String {
        register.iter().rev().map(|bit| if bits[*bit] { '1' } else { '0' }).collect()
    };
    let registers: Map<String, Value> = circuit
        .registers
        .iter()
        .map(|register| {
            let column: Vec<String> = shots.iter().map(|bits| text(bits, &register.bits)).collect();
            (register.name.clone(), json!(column))
        })
        .collect();
    Value::Object(registers)
}

/// The readout register `ro`, a list of bits for every shot.
fn rigetti(circuit: &Circuit, shots: &Shots) -> Value {
    let order = flat(&circuit.record);
    let rows: Vec<Vec<u8>> =
        shots.iter().map(|bits| order.iter().map(|bit| u8::from(bits[*bit])).collect()).collect();
    json!({ "ro": rows })
}

/// Counts are at most a million.
#[expect(clippy::cast_precision_loss, reason = "an f64 holds every integer up to 2^53")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::run;
    use super::*;

    /// X on qubit 0 of 3: asymmetric, so that every order shows.
    const X0: &str = r#"{"qubits":3,"circuit":[{"gate":"x","target":0}]}"#;

    #[test]
    fn every_format_orders_its_bits_in_its_own_way() {
        let answer = |format| run(X0, ("ionq.circuit.v1", format), json!({ "shots": 2 })).unwrap();
        assert_eq!(answer("microsoft.quantum-results.v1"), json!({ "Histogram": ["[1, 0, 0]", 1.0] }));
        assert_eq!(answer("honeywell.quantum-results.v1"), json!({ "c": ["001", "001"] }));
        assert_eq!(answer("rigetti.quil-results.v1"), json!({ "ro": [[1, 0, 0], [1, 0, 0]] }));
    }

    #[test]
    fn tuples_and_nesting_are_kept() {
        let record = Record::Tuple(vec![Record::Bit(1), Record::Array(vec![Record::Bit(0), Record::Bit(2)])]);
        let (value, label) = outcome(&record, &[false, true, true]);
        assert_eq!(value, json!({ "Item1": 1, "Item2": [0, 1] }));
        assert_eq!(label, "(1, [0, 1])");
        assert_eq!(flat(&record), [1, 0, 2]);
    }

    #[test]
    fn bits_outside_the_record_do_not_split_an_outcome() {
        let coin = r#"{"qubits":2,"circuit":[{"gate":"h","target":1}]}"#;
        let mut circuit = super::super::ionq::read(coin.as_bytes()).unwrap();
        circuit.record = Record::Array(vec![Record::Bit(0)]);
        let shots = simulator::sample(&circuit, 50, 1);
        let all = recorded(&circuit, &shots);
        assert_eq!(all, [(json!([0]), "[0]".to_owned(), 50)]);
        assert_eq!(exact(&circuit).map(|outcomes| outcomes.len()), Some(1));
    }

    #[test]
    fn a_qpu_counts_where_the_simulator_knows() {
        let coin = br#"{"qubits":1,"circuit":[{"gate":"ry","rotation":1.0,"target":0}]}"#;
        let program = |target: &str| Program {
            input: coin.to_vec(),
            input_format: "ionq.circuit.v1".to_owned(),
            output_format: "ionq.quantum-results.v1".to_owned(),
            params: json!({ "shots": 10 }),
            target: target.to_owned(),
            seed: 1,
            qubit_limit: 20,
        };
        let up = |target| {
            let output = super::super::execute(&program(target)).unwrap();
            serde_json::from_slice::<Value>(&output.body).unwrap()["histogram"]["1"].as_f64().unwrap()
        };
        assert!((up("ionq.simulator") - 0.5_f64.sin().powi(2)).abs() < 1e-12);
        let counted = up("ionq.qpu.forte-1") * 10.0;
        assert!((counted - counted.round()).abs() < 1e-9, "{counted} of 10 shots");
    }
}
