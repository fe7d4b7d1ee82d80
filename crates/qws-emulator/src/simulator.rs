//! A state-vector simulator: exact amplitudes, seeded samples.

use crate::circuit::complex::Complex;
use crate::circuit::gate::Matrix;
use crate::circuit::{Circuit, Gate, Step};

/// The amplitudes of `n` qubits; qubit 0 is the lowest bit of an index.
#[derive(Clone, Debug)]
pub(crate) struct StateVector {
    amplitudes: Vec<Complex>,
}

/// The classical bits of every shot, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shots {
    width: usize,
    bits: Vec<bool>,
}

impl Shots {
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[bool]> {
        // A program without bits would make chunks of nothing; readers of programs refuse it.
        self.bits.chunks_exact(self.width.max(1))
    }
}

impl StateVector {
    pub(crate) fn zero(qubits: usize) -> Self {
        let mut amplitudes = vec![Complex::ZERO; 1 << qubits];
        amplitudes[0] = Complex::ONE;
        Self { amplitudes }
    }

    #[cfg(test)]
    pub(crate) fn amplitudes(&self) -> &[Complex] {
        &self.amplitudes
    }

    pub(crate) fn apply(&mut self, gate: Gate, controls: &[usize], targets: &[usize]) {
        let control_mask = controls.iter().fold(0, |mask, qubit| mask | 1_usize << qubit);
        match (gate.matrix(), targets) {
            (Matrix::One(matrix), [target]) => self.apply_one(&matrix, control_mask, 1 << target),
            (Matrix::Two(matrix), [low, high]) => self.apply_two(&matrix, control_mask, 1 << low, 1 << high),
            // Readers check the number of targets against the gate.
            _ => debug_assert!(false, "{gate:?} on {targets:?}"),
        }
    }

    fn apply_one(&mut self, matrix: &[[Complex; 2]; 2], controls: usize, target: usize) {
        for zero in 0..self.amplitudes.len() {
            if zero & target != 0 || zero & controls != controls {
                continue;
            }
            let one = zero | target;
            let (a, b) = (self.amplitudes[zero], self.amplitudes[one]);
            self.amplitudes[zero] = matrix[0][0] * a + matrix[0][1] * b;
            self.amplitudes[one] = matrix[1][0] * a + matrix[1][1] * b;
        }
    }

    fn apply_two(&mut self, matrix: &[[Complex; 4]; 4], controls: usize, low: usize, high: usize) {
        for base in 0..self.amplitudes.len() {
            if base & (low | high) != 0 || base & controls != controls {
                continue;
            }
            let places = [base, base | low, base | high, base | low | high];
            let before = places.map(|place| self.amplitudes[place]);
            for (place, row) in places.into_iter().zip(matrix) {
                let terms = row.iter().zip(before).map(|(entry, amplitude)| *entry * amplitude);
                self.amplitudes[place] = terms.fold(Complex::ZERO, |sum, term| sum + term);
            }
        }
    }

    /// The probability of every basis state.
    pub(crate) fn probabilities(&self) -> Vec<f64> {
        self.amplitudes.iter().map(|amplitude| amplitude.norm_sqr()).collect()
    }

    /// Measures one qubit: the state collapses to what was found.
    fn measure(&mut self, qubit: usize, random: &mut fastrand::Rng) -> bool {
        let mask = 1 << qubit;
        let up = self.amplitudes.iter().enumerate().filter(|(index, _)| index & mask != 0);
        let probability: f64 = up.map(|(_, amplitude)| amplitude.norm_sqr()).sum();
        let found = random.f64() < probability;
        let kept = if found { probability } else { 1.0 - probability };
        let scale = 1.0 / kept.sqrt();
        for (index, amplitude) in self.amplitudes.iter_mut().enumerate() {
            *amplitude = if (index & mask != 0) == found { amplitude.scale(scale) } else { Complex::ZERO };
        }
        found
    }

    fn perform(&mut self, step: &Step, bits: &mut [bool], random: &mut fastrand::Rng) {
        match step {
            Step::Apply { gate, controls, targets } => self.apply(*gate, controls, targets),
            Step::Measure { qubit, bit } => bits[*bit] = self.measure(*qubit, random),
            Step::Reset { qubit } => {
                if self.measure(*qubit, random) {
                    self.apply(Gate::X, &[], &[*qubit]);
                }
            }
            Step::If { bits: condition, equals, then } => {
                let number = condition.iter().rev().fold(0, |sum, bit| sum << 1 | u64::from(bits[*bit]));
                if number == *equals {
                    self.perform(then, bits, random);
                }
            }
        }
    }
}

/// The state before any measurement; for circuits that measure last.
pub(crate) fn final_state(circuit: &Circuit) -> StateVector {
    let mut state = StateVector::zero(circuit.qubits);
    for step in &circuit.steps {
        if let Step::Apply { gate, controls, targets } = step {
            state.apply(*gate, controls, targets);
        }
    }
    state
}

/// Runs the circuit `shots` times; the same seed gives the same shots.
pub(crate) fn sample(circuit: &Circuit, shots: usize, seed: u64) -> Shots {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut all = Vec::with_capacity(shots * circuit.bits);
    if circuit.measures_last() {
        let cumulative = cumulative(&final_state(circuit).probabilities());
        let measured: Vec<(usize, usize)> = circuit
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Measure { qubit, bit } => Some((*qubit, *bit)),
                _ => None,
            })
            .collect();
        for _ in 0..shots {
            let index = draw(&cumulative, random.f64());
            let start = all.len();
            all.resize(start + circuit.bits, false);
            for (qubit, bit) in &measured {
                all[start + bit] = index >> qubit & 1 == 1;
            }
        }
    } else {
        for _ in 0..shots {
            let mut state = StateVector::zero(circuit.qubits);
            let start = all.len();
            all.resize(start + circuit.bits, false);
            for step in &circuit.steps {
                state.perform(step, &mut all[start..], &mut random);
            }
        }
    }
    Shots { width: circuit.bits, bits: all }
}

fn cumulative(probabilities: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    probabilities
        .iter()
        .map(|probability| {
            sum += probability;
            sum
        })
        .collect()
}

/// The first index whose cumulative probability lies above the draw; never one of probability zero.
fn draw(cumulative: &[f64], uniform: f64) -> usize {
    // Rounding leaves the sum a hair off one, so the draw is scaled to it.
    let point = uniform * cumulative.last().copied().unwrap_or(1.0);
    cumulative.partition_point(|sum| *sum <= point).min(cumulative.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::gate::tests::{ALL, rows};

    fn apply(gate: Gate, controls: &[usize], targets: &[usize]) -> Step {
        Step::Apply { gate, controls: controls.to_vec(), targets: targets.to_vec() }
    }

    fn circuit(qubits: usize, steps: Vec<Step>) -> Circuit {
        Circuit { qubits, bits: qubits, steps, ..Circuit::default() }
    }

    fn with_measurements(mut circuit: Circuit) -> Circuit {
        circuit.steps.extend((0..circuit.qubits).map(|qubit| Step::Measure { qubit, bit: qubit }));
        circuit
    }

    /// A state without symmetry, so that a gate on the wrong qubit shows.
    fn scrambled() -> StateVector {
        let mut state = StateVector::zero(3);
        for qubit in 0..3_u32 {
            state.apply(Gate::U(0.3 + f64::from(qubit), 0.7, 1.1 * f64::from(qubit)), &[], &[qubit as usize]);
            state.apply(Gate::X, &[qubit as usize], &[(qubit as usize + 1) % 3]);
        }
        state
    }

    /// Every gate against the textbook sum over its matrix, on every choice of targets, with and without a control.
    #[test]
    fn gates_act_as_their_matrices() {
        for gate in ALL {
            for (a, b, c) in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)] {
                let targets: &[usize] = if gate.targets() == 1 { &[a] } else { &[a, b] };
                for controls in [&[][..], &[c][..]] {
                    let before = scrambled();
                    let mut after = before.clone();
                    after.apply(gate, controls, targets);
                    let matrix = rows(gate);
                    for (index, found) in after.amplitudes.iter().enumerate() {
                        let controlled = controls.iter().all(|control| index >> control & 1 == 1);
                        let row = (0..targets.len()).fold(0, |row, t| row | (index >> targets[t] & 1) << t);
                        let expected = if controlled {
                            (0..matrix.len()).fold(Complex::ZERO, |sum, column| {
                                let source = (0..targets.len()).fold(index, |source, t| {
                                    source & !(1 << targets[t]) | (column >> t & 1) << targets[t]
                                });
                                sum + matrix[row][column] * before.amplitudes[source]
                            })
                        } else {
                            before.amplitudes[index]
                        };
                        let off = (*found + expected.scale(-1.0)).norm_sqr();
                        assert!(off < 1e-24, "{gate:?} {controls:?} {targets:?} at {index}");
                    }
                }
            }
        }
    }

    #[test]
    fn ghz_is_half_all_zero_and_half_all_one() {
        let ghz = circuit(
            3,
            vec![apply(Gate::H, &[], &[0]), apply(Gate::X, &[0], &[1]), apply(Gate::X, &[0], &[2])],
        );
        let probabilities = final_state(&ghz).probabilities();
        for (index, probability) in probabilities.iter().enumerate() {
            let expected = if index == 0 || index == 7 { 0.5 } else { 0.0 };
            assert!((probability - expected).abs() < 1e-12, "{index}: {probability}");
        }
        let shots = sample(&with_measurements(ghz), 1000, 5);
        assert!(shots.iter().all(|bits| bits == [false; 3] || bits == [true; 3]));
        let ones = shots.iter().filter(|bits| bits[0]).count();
        assert!((400..600).contains(&ones), "{ones}");
    }

    #[test]
    fn one_seed_gives_one_sequence_of_shots() {
        let coin = with_measurements(circuit(1, vec![apply(Gate::H, &[], &[0])]));
        assert_eq!(sample(&coin, 100, 1), sample(&coin, 100, 1));
        assert_ne!(sample(&coin, 100, 1), sample(&coin, 100, 2));
    }

    #[test]
    fn measurement_in_the_middle_collapses_and_conditions_follow_it() {
        // Teleport |1> rotated by Ry: the corrections need both measured bits.
        let steps = vec![
            apply(Gate::Ry(1.2), &[], &[0]),
            apply(Gate::H, &[], &[1]),
            apply(Gate::X, &[1], &[2]),
            apply(Gate::X, &[0], &[1]),
            apply(Gate::H, &[], &[0]),
            Step::Measure { qubit: 0, bit: 0 },
            Step::Measure { qubit: 1, bit: 1 },
            Step::If { bits: vec![1], equals: 1, then: Box::new(apply(Gate::X, &[], &[2])) },
            Step::If { bits: vec![0], equals: 1, then: Box::new(apply(Gate::Z, &[], &[2])) },
            apply(Gate::Ry(-1.2), &[], &[2]),
            Step::Measure { qubit: 2, bit: 2 },
        ];
        let shots = sample(&circuit(3, steps), 200, 9);
        assert!(shots.iter().all(|bits| !bits[2]), "undoing the rotation finds |0> every time");
        assert!(shots.iter().any(|bits| bits[0]) && shots.iter().any(|bits| bits[1]));
    }

    #[test]
    fn reset_gives_zero() {
        let steps = vec![apply(Gate::H, &[], &[0]), Step::Reset { qubit: 0 }];
        let shots = sample(&with_measurements(circuit(1, steps)), 50, 3);
        assert!(shots.iter().all(|bits| !bits[0]));
    }

    #[test]
    fn a_draw_never_hits_an_impossible_outcome() {
        let cumulative = cumulative(&[0.0, 0.5, 0.0, 0.5, 0.0]);
        assert_eq!(draw(&cumulative, 0.0), 1);
        assert_eq!(draw(&cumulative, 0.5), 3);
        assert_eq!(draw(&cumulative, 1.0 - f64::EPSILON), 3);
    }
}
