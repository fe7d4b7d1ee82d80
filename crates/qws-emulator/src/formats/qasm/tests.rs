use serde_json::json;

use super::super::tests::run;
use super::*;
use crate::circuit::Gate;

const HEADER: &str = "OPENQASM 2.0;\ninclude \"qelib1.inc\";\n";

fn program(body: &str) -> Result<Circuit, String> {
    read(&format!("{HEADER}{body}")).map_err(|error| error.message)
}

fn apply(gate: Gate, controls: &[usize], targets: &[usize]) -> Step {
    Step::Apply { gate, controls: controls.to_vec(), targets: targets.to_vec() }
}

#[test]
fn a_program_runs_and_answers_by_register() {
    let text = format!(
        "{HEADER}// GHZ\nqreg q[3];\ncreg c[3]; creg flag[1];\nh q[0];\ncx q[0],q[1];\ncx q[1], q[2];\n\
         barrier q;\nmeasure q -> c;"
    );
    let formats = ("honeywell.openqasm.v1", "honeywell.quantum-results.v1");
    let answer = run(&text, formats, json!({ "shots": 20 })).unwrap();
    let shots = answer["c"].as_array().unwrap();
    assert!(shots.len() == 20 && shots.iter().all(|shot| shot == "000" || shot == "111"), "{shots:?}");
    assert_eq!(answer["flag"].as_array().unwrap().len(), 20);
}

#[test]
fn strings_of_results_begin_with_the_highest_bit() {
    let text = format!("{HEADER}qreg q[2]; creg c[2]; x q[0]; measure q[0] -> c[0]; measure q[1] -> c[1];");
    let formats = ("quantinuum.openqasm.v1", "quantinuum.quantum-results.v1");
    assert_eq!(run(&text, formats, json!({ "count": 1 })).unwrap(), json!({ "c": ["01"] }));
}

#[test]
fn gates_walk_registers_together() {
    let circuit = program("qreg a[2]; qreg b[2]; creg c[1]; h a; cx a, b; cx a[0], b;").unwrap();
    let expected = [
        apply(Gate::H, &[], &[0]),
        apply(Gate::H, &[], &[1]),
        apply(Gate::X, &[0], &[2]),
        apply(Gate::X, &[1], &[3]),
        apply(Gate::X, &[0], &[2]),
        apply(Gate::X, &[0], &[3]),
    ];
    assert_eq!(circuit.steps, expected);
}

#[test]
fn definitions_are_written_out() {
    let circuit = program(
        "gate inner(t) a { rz(-t/2) a; }\ngate outer(x, y) a, b { inner(x+y) b; cx a, b; barrier a, b; }\n\
         qreg q[2]; creg c[1]; outer(1, 3) q[1], q[0];",
    )
    .unwrap();
    assert_eq!(circuit.steps, [apply(Gate::Rz(-2.0), &[], &[0]), apply(Gate::X, &[1], &[0])]);
}

#[test]
fn conditions_guard_one_statement() {
    let text = "qreg q[2]; creg c[2]; x q[0]; measure q[0] -> c[1]; if (c == 2) x q[1]; if(c==1) x q[0]; measure q -> c;";
    let circuit = program(text).unwrap();
    let Step::If { bits, equals, then } = &circuit.steps[2] else { panic!("{:?}", circuit.steps) };
    assert_eq!((bits.as_slice(), *equals, &**then), (&[0, 1][..], 2, &apply(Gate::X, &[], &[1])));
    let formats = ("honeywell.openqasm.v1", "honeywell.quantum-results.v1");
    let answer = run(&format!("{HEADER}{text}"), formats, json!({ "shots": 3 })).unwrap();
    assert_eq!(answer["c"], json!(["11", "11", "11"]));
}

/// `cu3` equals its definition in the current `qelib1.inc`, which uses nothing but `u1`, `u3` and `cx`.
#[test]
fn a_controlled_u3_is_its_definition_in_the_library() {
    let by_definition = "gate mine(theta,phi,lambda) c, t { u1((lambda+phi)/2) c; u1((lambda-phi)/2) t; cx c,t; \
        u3(-theta/2,0,-(phi+lambda)/2) t; cx c,t; u3(theta/2,phi,0) t; }";
    let probabilities = |gate: &str| {
        // The rotations after it turn phases into probabilities.
        let text = format!(
            "{by_definition} qreg q[2]; creg c[2]; h q[0]; ry(0.3) q[1]; {gate} q[0],q[1]; \
             h q[0]; rx(0.2) q[1]; measure q -> c;"
        );
        crate::simulator::final_state(&program(&text).unwrap()).probabilities()
    };
    let close = |left: &[f64], right: &[f64]| left.iter().zip(right).all(|(l, r)| (l - r).abs() < 1e-12);
    let expected = probabilities("mine(0.7,0.8,0.9)");
    assert!(close(&probabilities("cu3(0.7,0.8,0.9)"), &expected));
    assert!(close(&probabilities("cu(0.7,0.8,0.9,0)"), &expected));
    assert!(!close(&probabilities("cu(0.7,0.8,0.9,0.5)"), &expected), "the fourth angle matters");
}

#[test]
fn quantinuums_native_gate_rotates_about_an_axis_in_the_plane() {
    let up = |gate: &str| {
        let text = format!("qreg q[1]; creg c[1]; {gate} q[0]; rx(-0.4) q[0]; measure q -> c;");
        crate::simulator::final_state(&program(&text).unwrap()).probabilities()[1]
    };
    assert!(up("U1q(0.4, 0)").abs() < 1e-12, "about X");
    assert!(up("U1q(0.4, pi/2)") > 0.01, "about Y, which undoing X does not undo");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (body, expected) in [
        ("qreg q[1]; creg c[1];\nwarp q[0];", "Line 4: there is no gate `warp`."),
        ("qreg q[1];\ncreg c[1];\nh q[1];", "Line 5: `q[1]` lies outside the register, which has 1 entries."),
        ("qreg q[2]; creg c[1]; cx q[1], q[1];", "Line 3: `cx` is given one qubit twice."),
        ("qreg q[2]; creg c[1]; cx q[1];", "Line 3: `cx` acts on 2 qubit(s), not 1."),
        ("qreg q[2]; creg c[1]; measure q -> c;", "Line 3: 2 qubits cannot be measured into 1 bits."),
        ("qreg q[2]; creg q[1];", "Line 3: there are two registers `q`."),
        ("qreg q[1]; creg c[1]; h q", "Line 3: expected `;`, found the end of the program."),
        (
            "gate g a { g a; } qreg q[1]; creg c[1]; g q[0];",
            "Line 3: gate `g` is defined through too many others.",
        ),
        ("qreg q[1]; creg c[1]; rx q[0];", "Line 3: there is no gate `rx`."),
        ("qreg q[1];", "The program declares no classical register."),
    ] {
        assert_eq!(program(body).unwrap_err(), expected);
    }
    assert!(read("OPENQASM 3.0;").unwrap_err().message.contains("knows OpenQASM 2, not `3`"));
}
