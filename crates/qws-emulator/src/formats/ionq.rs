//! `ionq.circuit.v1`: IonQ's JSON circuits, `qis` and `native` gates.

use serde::Deserialize;

use super::JobError;
use crate::circuit::{Circuit, Gate, Record, Register, Step};

#[derive(Deserialize)]
struct Input {
    qubits: Option<usize>,
    gateset: Option<String>,
    circuit: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    gate: String,
    target: Option<usize>,
    #[serde(default)]
    targets: Vec<usize>,
    control: Option<usize>,
    #[serde(default)]
    controls: Vec<usize>,
    /// Radians.
    rotation: Option<f64>,
    /// Turns, as all angles of native gates.
    phase: Option<f64>,
    phases: Option<[f64; 2]>,
    angle: Option<f64>,
}

/// Reads a circuit; IonQ measures every qubit at the end.
pub(crate) fn read(input: &[u8]) -> Result<Circuit, JobError> {
    let input: Input = serde_json::from_slice(input)
        .map_err(|error| JobError::invalid_input(format!("The input is no IonQ circuit: {error}.")))?;
    let native = input.gateset.as_deref() == Some("native");
    let mut steps = Vec::with_capacity(input.circuit.len());
    let mut used = 0;
    for (number, operation) in input.circuit.into_iter().enumerate() {
        let step = operation
            .step(native)
            .map_err(|reason| JobError::invalid_input(format!("Gate {number} of the circuit: {reason}.")))?;
        if let Step::Apply { controls, targets, .. } = &step {
            for qubit in controls.iter().chain(targets) {
                if input.qubits.is_some_and(|qubits| *qubit >= qubits) {
                    let message = format!("Gate {number} of the circuit: there is no qubit {qubit}.");
                    return Err(JobError::invalid_input(message));
                }
                used = used.max(qubit.saturating_add(1));
            }
        }
        steps.push(step);
    }
    let qubits = input.qubits.unwrap_or(used);
    if qubits == 0 {
        return Err(JobError::invalid_input("The circuit has no qubits."));
    }
    // The limit on qubits is checked by the caller; a list of a million measurements need not be made first.
    let listed = qubits.min(super::MAX_BITS);
    steps.extend((0..listed).map(|qubit| Step::Measure { qubit, bit: qubit }));
    let bits: Vec<usize> = (0..listed).collect();
    Ok(Circuit {
        qubits,
        bits: qubits,
        steps,
        record: Record::Array(bits.iter().copied().map(Record::Bit).collect()),
        registers: vec![Register { name: "c".to_owned(), bits }],
    })
}

impl Operation {
    fn step(mut self, native: bool) -> Result<Step, String> {
        self.targets.extend(self.target);
        self.controls.extend(self.control);
        let gate = if native { self.native_gate()? } else { self.gate()? };
        let name = &self.gate;
        if self.targets.len() != gate.targets() {
            return Err(format!("`{name}` takes {} target(s), not {}", gate.targets(), self.targets.len()));
        }
        if name == "cnot" && self.controls.is_empty() {
            return Err("`cnot` needs a control".to_owned());
        }
        let mut qubits: Vec<usize> = self.controls.iter().chain(&self.targets).copied().collect();
        qubits.sort_unstable();
        if let Some([twice, _]) = qubits.array_windows().find(|[one, next]| one == next) {
            return Err(format!("`{name}` uses qubit {twice} twice"));
        }
        Ok(Step::Apply { gate, controls: self.controls, targets: self.targets })
    }

    fn gate(&self) -> Result<Gate, String> {
        let rotation = || self.rotation.ok_or_else(|| format!("`{}` needs a `rotation`", self.gate));
        Ok(match self.gate.as_str() {
            "x" | "not" | "cnot" => Gate::X,
            "y" => Gate::Y,
            "z" => Gate::Z,
            "h" => Gate::H,
            "s" => Gate::S,
            "si" => Gate::Sdg,
            "t" => Gate::T,
            "ti" => Gate::Tdg,
            "v" => Gate::V,
            "vi" => Gate::Vdg,
            "rx" => Gate::Rx(rotation()?),
            "ry" => Gate::Ry(rotation()?),
            "rz" => Gate::Rz(rotation()?),
            "xx" => Gate::Rxx(rotation()?),
            "yy" => Gate::Ryy(rotation()?),
            "zz" => Gate::Rzz(rotation()?),
            "swap" => Gate::Swap,
            other => return Err(format!("unknown gate `{other}`")),
        })
    }

    fn native_gate(&self) -> Result<Gate, String> {
        let missing = |field: &str| format!("`{}` needs `{field}`", self.gate);
        let phase = || self.phase.ok_or_else(|| missing("phase"));
        Ok(match self.gate.as_str() {
            "gpi" => Gate::Gpi(phase()?),
            "gpi2" => Gate::Gpi2(phase()?),
            // A quarter turn unless asked for less: the fully entangling gate.
            "ms" => {
                let [first, second] = self.phases.ok_or_else(|| missing("phases"))?;
                Gate::Ms(first, second, self.angle.unwrap_or(0.25))
            }
            "zz" => Gate::Rzz(self.angle.ok_or_else(|| missing("angle"))? * std::f64::consts::TAU),
            other => return Err(format!("unknown native gate `{other}`")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(circuit: &str) -> Result<Vec<Step>, String> {
        let text = format!(r#"{{"qubits":3,"circuit":[{circuit}]}}"#);
        let circuit = read(text.as_bytes()).map_err(|error| error.message)?;
        Ok(circuit.steps[..circuit.steps.len() - 3].to_vec())
    }

    #[test]
    fn targets_and_controls_come_in_both_numbers() {
        let toffoli = Step::Apply { gate: Gate::X, controls: vec![0, 1], targets: vec![2] };
        assert_eq!(steps(r#"{"gate":"cnot","controls":[0,1],"target":2}"#), Ok(vec![toffoli]));
        let controlled = Step::Apply { gate: Gate::Rz(0.5), controls: vec![1], targets: vec![0] };
        assert_eq!(steps(r#"{"gate":"rz","rotation":0.5,"control":1,"targets":[0]}"#), Ok(vec![controlled]));
        let xx = Step::Apply { gate: Gate::Rxx(0.5), controls: vec![], targets: vec![0, 2] };
        assert_eq!(steps(r#"{"gate":"xx","rotation":0.5,"targets":[0,2]}"#), Ok(vec![xx]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let refused = |circuit: &str| steps(circuit).unwrap_err();
        assert_eq!(refused(r#"{"gate":"warp","target":0}"#), "Gate 0 of the circuit: unknown gate `warp`.");
        assert_eq!(refused(r#"{"gate":"h","target":3}"#), "Gate 0 of the circuit: there is no qubit 3.");
        assert_eq!(
            refused(r#"{"gate":"h","target":0},{"gate":"cnot","target":1,"control":1}"#),
            "Gate 1 of the circuit: `cnot` uses qubit 1 twice."
        );
        assert_eq!(refused(r#"{"gate":"rx","target":0}"#), "Gate 0 of the circuit: `rx` needs a `rotation`.");
        assert_eq!(
            refused(r#"{"gate":"swap","target":0}"#),
            "Gate 0 of the circuit: `swap` takes 2 target(s), not 1."
        );
        assert!(read(b"{}").unwrap_err().message.starts_with("The input is no IonQ circuit: missing field"));
    }

    #[test]
    fn native_gates_are_read_in_turns() {
        let text = r#"{"gateset":"native","qubits":2,"circuit":[
            {"gate":"gpi2","target":0,"phase":0.25},{"gate":"ms","targets":[0,1],"phases":[0,0.5]}]}"#;
        let circuit = read(text.as_bytes()).unwrap();
        assert_eq!(
            circuit.steps[0],
            Step::Apply { gate: Gate::Gpi2(0.25), controls: vec![], targets: vec![0] }
        );
        assert_eq!(
            circuit.steps[1],
            Step::Apply { gate: Gate::Ms(0.0, 0.5, 0.25), controls: vec![], targets: vec![0, 1] }
        );
    }
}
