//! The standard gates of Quil (Smith, Curtis and Zeng, "A Practical Quantum Instruction Set Architecture", section 3).

use crate::circuit::Gate;

/// A gate with its own controls and its targets.
type Application = (Gate, Vec<usize>, Vec<usize>);

/// What a gate does, in order, or why it cannot be applied like this.
pub(super) fn steps(name: &str, angles: &[f64], qubits: &[usize]) -> Result<Vec<Application>, String> {
    let (gate, controls) = match (name, angles) {
        ("I", []) => (Gate::Phase(0.0), 0),
        ("X", []) => (Gate::X, 0),
        ("Y", []) => (Gate::Y, 0),
        ("Z", []) => (Gate::Z, 0),
        ("H", []) => (Gate::H, 0),
        ("S", []) => (Gate::S, 0),
        ("T", []) => (Gate::T, 0),
        ("RX", [angle]) => (Gate::Rx(*angle), 0),
        ("RY", [angle]) => (Gate::Ry(*angle), 0),
        ("RZ", [angle]) => (Gate::Rz(*angle), 0),
        ("PHASE", [angle]) => (Gate::Phase(*angle), 0),
        ("CNOT", []) => (Gate::X, 1),
        ("CZ", []) => (Gate::Z, 1),
        ("CPHASE", [angle]) => (Gate::Phase(*angle), 1),
        ("CCNOT", []) => (Gate::X, 2),
        ("SWAP", []) => (Gate::Swap, 0),
        ("CSWAP", []) => (Gate::Swap, 1),
        ("ISWAP", []) => return steps("XY", &[std::f64::consts::PI], qubits),
        ("CPHASE00" | "CPHASE01" | "CPHASE10" | "XY", [_]) => {
            let [first, second] = qubits else { return Err(arity(name, 2, qubits.len())) };
            return Ok(composed(name, angles[0], *first, *second));
        }
        _ => {
            let with = if angles.is_empty() { "" } else { " with these parameters" };
            return Err(format!("there is no gate `{name}`{with}, or this emulator does not know it"));
        }
    };
    let wanted = controls + gate.targets();
    if qubits.len() != wanted {
        return Err(arity(name, wanted, qubits.len()));
    }
    let (controls, targets) = qubits.split_at(controls);
    Ok(vec![(gate, controls.to_vec(), targets.to_vec())])
}

fn composed(name: &str, angle: f64, first: usize, second: usize) -> Vec<Application> {
    if name == "XY" {
        // exp(i angle/4 (XX + YY)); the two commute.
        let both = vec![first, second];
        return vec![
            (Gate::Rxx(-angle / 2.0), Vec::new(), both.clone()),
            (Gate::Ryy(-angle / 2.0), Vec::new(), both),
        ];
    }
    // The phase belongs to the outcome in the name, first qubit first: those that shall be 0 are turned around it.
    let zeros = name.chars().skip("CPHASE".len()).zip([first, second]).filter(|(bit, _)| *bit == '0');
    let turns: Vec<Application> = zeros.map(|(_, qubit)| (Gate::X, Vec::new(), vec![qubit])).collect();
    let mut all = turns.clone();
    all.push((Gate::Phase(angle), vec![first], vec![second]));
    all.extend(turns);
    all
}

fn arity(name: &str, wanted: usize, given: usize) -> String {
    format!("`{name}` acts on {wanted} qubit(s), not {given}")
}
