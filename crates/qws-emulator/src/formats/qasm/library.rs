//! The gates of `qelib1.inc`, and those that Quantinuum adds.

use std::f64::consts::FRAC_PI_2;

use crate::circuit::{Gate, Step};

/// The steps of one gate, or why it cannot be applied like this.
pub(crate) fn steps(name: &str, angles: &[f64], qubits: &[usize]) -> Result<Vec<Step>, String> {
    let (gate, controls) = match (name, angles) {
        ("U" | "u3" | "u", [theta, phi, lambda]) => (Gate::U(*theta, *phi, *lambda), 0),
        ("u2", [phi, lambda]) => (Gate::U(FRAC_PI_2, *phi, *lambda), 0),
        ("u1" | "p", [lambda]) => (Gate::Phase(*lambda), 0),
        ("u0", [_]) | ("id", []) => (Gate::Phase(0.0), 0),
        ("CX" | "cx", []) => (Gate::X, 1),
        ("x", []) => (Gate::X, 0),
        ("y", []) => (Gate::Y, 0),
        ("z", []) => (Gate::Z, 0),
        ("h", []) => (Gate::H, 0),
        ("s", []) => (Gate::S, 0),
        ("sdg", []) => (Gate::Sdg, 0),
        ("t", []) => (Gate::T, 0),
        ("tdg", []) => (Gate::Tdg, 0),
        ("sx", []) => (Gate::V, 0),
        ("sxdg", []) => (Gate::Vdg, 0),
        ("rx", [angle]) => (Gate::Rx(*angle), 0),
        ("ry", [angle]) => (Gate::Ry(*angle), 0),
        ("rz" | "Rz", [angle]) => (Gate::Rz(*angle), 0),
        ("cz", []) => (Gate::Z, 1),
        ("cy", []) => (Gate::Y, 1),
        ("ch", []) => (Gate::H, 1),
        ("csx", []) => (Gate::V, 1),
        ("crx", [angle]) => (Gate::Rx(*angle), 1),
        ("cry", [angle]) => (Gate::Ry(*angle), 1),
        ("crz", [angle]) => (Gate::Rz(*angle), 1),
        ("cu1" | "cp", [angle]) => (Gate::Phase(*angle), 1),
        ("swap", []) => (Gate::Swap, 0),
        ("cswap", []) => (Gate::Swap, 1),
        ("ccx", []) => (Gate::X, 2),
        ("c3x", []) => (Gate::X, 3),
        ("c4x", []) => (Gate::X, 4),
        ("rxx", [angle]) => (Gate::Rxx(*angle), 0),
        ("ryy", [angle]) => (Gate::Ryy(*angle), 0),
        ("rzz" | "RZZ", [angle]) => (Gate::Rzz(*angle), 0),
        // Quantinuum's fully entangling gate.
        ("ZZ" | "zz", []) => (Gate::Rzz(FRAC_PI_2), 0),
        // Quantinuum's native rotation by theta about the axis cos(phi) X + sin(phi) Y.
        ("U1q", [theta, phi]) => (Gate::U(*theta, phi - FRAC_PI_2, FRAC_PI_2 - phi), 0),
        ("cu3", [theta, phi, lambda]) => (Gate::U(*theta, *phi, *lambda), 1),
        ("cu", [theta, phi, lambda, gamma]) => {
            // The fourth angle is a phase that depends on the control alone.
            let mut all = steps("cu3", &[*theta, *phi, *lambda], qubits)?;
            all.extend(steps("u1", &[*gamma], &qubits[..1])?);
            return Ok(all);
        }
        _ => {
            let given = if angles.is_empty() {
                String::new()
            } else {
                format!(" with {} parameter(s)", angles.len())
            };
            return Err(format!("there is no gate `{name}`{given}"));
        }
    };
    let wanted = controls + gate.targets();
    if qubits.len() != wanted {
        return Err(format!("`{name}` acts on {wanted} qubit(s), not {}", qubits.len()));
    }
    let (controls, targets) = qubits.split_at(controls);
    Ok(vec![Step::Apply { gate, controls: controls.to_vec(), targets: targets.to_vec() }])
}
