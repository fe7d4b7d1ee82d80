use serde_json::{Value, json};

use super::*;
use crate::formats::tests::run;
use crate::simulator;

fn outcome(program: &str) -> Value {
    run(program, ("rigetti.quil.v1", "rigetti.quil-results.v1"), json!({ "shots": 1 })).unwrap()["ro"][0]
        .clone()
}

fn refusal(program: &str) -> String {
    read(program).unwrap_err().message
}

#[test]
fn a_program_with_everything_that_is_read() {
    let program = "PRAGMA INITIAL_REWIRING \"NAIVE\"\nRESET # all\nDECLARE ro BIT[3]\nDECLARE spare BIT\n\
                   X 20; CNOT 20 7\nRX(-pi/2 + 3*pi/2) 3\nMEASURE 3 spare\nRESET 7\nNOP\n\
                   MEASURE 20 ro[0]\nMEASURE 7 ro[1]\nMEASURE 3 ro[2]\nMEASURE 3\nHALT\nDEFGATE never\n";
    assert_eq!(outcome(program), json!([1, 0, 1]));
    assert_eq!(read(program).unwrap().qubits, 3, "only the qubits that are used");
}

#[test]
fn modifiers_control_and_invert() {
    let with = |gates: &str| {
        outcome(&format!("DECLARE ro BIT[3]\n{gates}\nMEASURE 0 ro[0]\nMEASURE 1 ro[1]\nMEASURE 2 ro[2]"))
    };
    assert_eq!(with("X 0\nX 1\nCONTROLLED CONTROLLED X 0 1 2"), json!([1, 1, 1]));
    assert_eq!(with("X 0\nCONTROLLED CNOT 0 1 2"), json!([1, 0, 0]));
    assert_eq!(with("RX(1.1) 0\nDAGGER RX(1.1) 0\nH 1\nS 1\nDAGGER S 1\nH 1"), json!([0, 0, 0]));
    assert_eq!(with("RX(1.1) 0\nDAGGER DAGGER RX(pi-1.1) 0"), json!([1, 0, 0]));
    assert_eq!(with("X 0\nISWAP 0 1"), json!([0, 1, 0]));
    assert_eq!(with("X 0\nCONTROLLED XY(pi) 0 1 2\nX 1\nCONTROLLED DAGGER XY(pi) 0 1 2"), json!([1, 0, 1]));
}

/// The state that these gates leave behind on two qubits, without the measurements.
fn amplitudes(gates: &str) -> Vec<(f64, f64)> {
    let circuit = read(&format!("DECLARE ro BIT\nI 0\nI 1\n{gates}")).unwrap();
    simulator::final_state(&circuit).amplitudes().iter().map(|a| (a.re, a.im)).collect()
}

#[test]
fn the_gates_of_two_qubits_are_the_documented_matrices() {
    let (cos, sin) = (0.35_f64.cos(), 0.35_f64.sin());
    // Index 1 is qubit 0 up, index 2 qubit 1 up.
    for (gates, index, expected) in [
        ("X 0\nXY(0.7) 0 1", 1, (cos, 0.0)),
        ("X 0\nXY(0.7) 0 1", 2, (0.0, sin)),
        ("XY(0.7) 0 1", 0, (1.0, 0.0)),
        ("CPHASE00(0.35) 0 1", 0, (cos, sin)),
        ("X 0\nCPHASE10(0.35) 0 1", 1, (cos, sin)),
        ("X 1\nCPHASE10(0.35) 0 1", 2, (1.0, 0.0)),
        ("X 1\nCPHASE01(0.35) 0 1", 2, (cos, sin)),
        ("X 0\nX 1\nCPHASE(0.35) 0 1", 3, (cos, sin)),
        ("X 0\nX 1\nDAGGER CPHASE(0.35) 0 1", 3, (cos, -sin)),
        ("X 0\nISWAP 0 1", 2, (0.0, 1.0)),
    ] {
        let (re, im) = amplitudes(gates)[index];
        assert!((re - expected.0).abs() < 1e-12 && (im - expected.1).abs() < 1e-12, "{gates}: {re} {im}");
    }
}

#[test]
fn what_is_not_read_is_named_with_its_line() {
    for (program, expected) in [
        ("DECLARE ro BIT\n\nDEFGATE A:\n 1, 0", "Line 3: `DEFGATE` is not supported by this emulator."),
        (
            "DECLARE theta REAL[1]",
            "Line 1: memory of type `REAL` is not supported by this emulator, only BIT is.",
        ),
        ("LABEL @a", "Line 1: `LABEL` is not supported by this emulator."),
        ("FORKED RX(1,2) 0 1", "Line 1: `FORKED` is not supported by this emulator."),
        ("WARP 0", "Line 1: there is no gate `WARP`, or this emulator does not know it."),
        ("RX(theta) 0", "Line 1: `theta` is no parameter here."),
        ("CNOT 1 1", "Line 1: `CNOT` is given one qubit twice."),
        ("CNOT 1", "Line 1: `CNOT` acts on 2 qubit(s), not 1."),
        ("MEASURE 0 x[0]", "Line 1: there is no memory `x`."),
        ("DECLARE ro BIT\nMEASURE 0 ro[1]", "Line 2: `ro[1]` lies outside the memory, which has 1 entries."),
        ("DECLARE ro BIT\nDECLARE ro BIT", "Line 2: `ro` is declared twice."),
        ("X q", "Line 1: expected a whole number, found `q`."),
        ("CONTROLLED X", "Line 1: `CONTROLLED X` needs a qubit for each `CONTROLLED`."),
        ("HALT 1", "Line 1: expected the end of the line, found `1`."),
        ("X 0", "The program declares no readout memory, as by DECLARE ro BIT[2]."),
        ("DECLARE ro BIT", "The program uses no qubits."),
    ] {
        assert_eq!(refusal(program), expected, "{program}");
    }
}
