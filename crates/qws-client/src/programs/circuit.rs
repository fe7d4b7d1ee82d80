use serde_json::{Value, json};

use super::Program;
use crate::{Error, ErrorKind, Operation};

/// A circuit of common gates, built step by step, for IonQ's targets. Angles are in radians.
///
/// ```
/// use qws_client::Circuit;
///
/// let bell = Circuit::new(2).h(0).cnot(0, 1).program()?;
/// assert_eq!(bell.input_format(), "ionq.circuit.v1");
/// # Ok::<(), qws_client::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Circuit {
    qubits: usize,
    gates: Vec<Value>,
    problem: Option<String>,
}

/// Gates of one shape, each a method.
macro_rules! gates {
    (one: $($(#[$doc:meta])* $name:ident = $gate:literal),+ ; rotation: $($(#[$rdoc:meta])* $rname:ident = $rgate:literal),+ ;) => {
        $($(#[$doc])*
        pub fn $name(self, target: usize) -> Self {
            self.gate($gate, &[target], json!({"gate": $gate, "target": target}))
        })+
        $($(#[$rdoc])*
        pub fn $rname(self, target: usize, angle: f64) -> Self {
            let gate = self.gate($rgate, &[target], json!({"gate": $rgate, "target": target, "rotation": angle}));
            gate.finite($rgate, angle)
        })+
    };
}

impl Circuit {
    /// A circuit without gates. All its qubits are measured at the end.
    pub fn new(qubits: usize) -> Self {
        let problem = (qubits == 0).then(|| "a circuit needs at least one qubit".to_owned());
        Self { qubits, gates: Vec::new(), problem }
    }

    gates! {
        one:
        /// Hadamard.
        h = "h",
        /// Pauli X.
        x = "x",
        /// Pauli Y.
        y = "y",
        /// Pauli Z.
        z = "z",
        /// The square root of Z.
        s = "s",
        /// The inverse of [`Circuit::s`].
        si = "si",
        /// The fourth root of Z.
        t = "t",
        /// The inverse of [`Circuit::t`].
        ti = "ti",
        /// The square root of X.
        v = "v",
        /// The inverse of [`Circuit::v`].
        vi = "vi";
        rotation:
        /// A rotation about X.
        rx = "rx",
        /// A rotation about Y.
        ry = "ry",
        /// A rotation about Z.
        rz = "rz";
    }

    /// X on `target` where `control` is one.
    pub fn cnot(self, control: usize, target: usize) -> Self {
        self.gate("cnot", &[control, target], json!({"gate": "cnot", "control": control, "target": target}))
    }

    /// X on `target` where both controls are one.
    pub fn toffoli(self, controls: [usize; 2], target: usize) -> Self {
        let gate = json!({"gate": "x", "controls": controls, "target": target});
        self.gate("toffoli", &[controls[0], controls[1], target], gate)
    }

    /// Exchanges two qubits.
    pub fn swap(self, a: usize, b: usize) -> Self {
        self.gate("swap", &[a, b], json!({"gate": "swap", "targets": [a, b]}))
    }

    fn gate(mut self, name: &str, qubits: &[usize], gate: Value) -> Self {
        let number = self.gates.len();
        let outside = qubits.iter().find(|qubit| **qubit >= self.qubits);
        let twice = qubits.iter().enumerate().find(|(at, qubit)| qubits[..*at].contains(qubit));
        let problem = match (outside, twice) {
            (Some(qubit), _) => {
                Some(format!("gate {number} (`{name}`) acts on qubit {qubit} of {}", self.qubits))
            }
            (None, Some((_, qubit))) => Some(format!("gate {number} (`{name}`) names qubit {qubit} twice")),
            (None, None) => None,
        };
        self.problem = self.problem.or(problem);
        self.gates.push(gate);
        self
    }

    fn finite(mut self, name: &str, angle: f64) -> Self {
        if !angle.is_finite() {
            let number = self.gates.len() - 1;
            self.problem.get_or_insert_with(|| format!("gate {number} (`{name}`) turns by {angle}"));
        }
        self
    }

    /// The circuit as a program (`ionq.circuit.v1`).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for the first gate that acts on a qubit outside of the circuit, on one qubit twice, or
    /// turns by no number.
    pub fn program(self) -> Result<Program, Error> {
        if let Some(problem) = self.problem {
            return Err(Error::new(ErrorKind::InvalidInput, problem).with_operation(Operation::Submit));
        }
        Program::ionq_json(json!({"qubits": self.qubits, "circuit": self.gates}).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_written_as_ionq_takes_them() {
        let program =
            Circuit::new(3).h(0).cnot(0, 1).rx(2, 0.5).toffoli([0, 1], 2).swap(0, 2).si(1).program().unwrap();
        let sent: Value = serde_json::from_slice(program.bytes()).unwrap();
        assert_eq!(sent["qubits"], 3);
        assert_eq!(sent["circuit"][1], json!({"gate": "cnot", "control": 0, "target": 1}));
        assert_eq!(sent["circuit"][2], json!({"gate": "rx", "target": 2, "rotation": 0.5}));
        assert_eq!(sent["circuit"][3], json!({"gate": "x", "controls": [0, 1], "target": 2}));
        assert_eq!(sent["circuit"][4], json!({"gate": "swap", "targets": [0, 2]}));
    }

    #[test]
    fn the_first_impossible_gate_is_named() {
        let text = |circuit: Circuit| circuit.program().unwrap_err().to_string();
        assert_eq!(
            text(Circuit::new(2).h(0).cnot(0, 2).x(9)),
            "submit: gate 1 (`cnot`) acts on qubit 2 of 2"
        );
        assert_eq!(text(Circuit::new(2).swap(1, 1)), "submit: gate 0 (`swap`) names qubit 1 twice");
        assert_eq!(text(Circuit::new(1).rx(0, f64::NAN)), "submit: gate 0 (`rx`) turns by NaN");
        assert_eq!(text(Circuit::new(0)), "submit: a circuit needs at least one qubit");
    }
}
