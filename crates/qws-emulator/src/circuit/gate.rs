//! The gates, as the matrices that define them.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, TAU};

use super::complex::Complex;

/// A unitary on one or two qubits; controls are added by the step that applies it. Angles are in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Gate {
    H,
    X,
    Y,
    Z,
    S,
    Sdg,
    T,
    Tdg,
    /// The square root of X.
    V,
    Vdg,
    Rx(f64),
    Ry(f64),
    Rz(f64),
    /// `diag(1, e^(i angle))`.
    Phase(f64),
    /// OpenQASM's `U(theta, phi, lambda)`, without the global phase of `Rz Ry Rz`.
    U(f64, f64, f64),
    /// IonQ's native `GPi`; the angle in turns.
    Gpi(f64),
    /// IonQ's native `GPi2`; the angle in turns.
    Gpi2(f64),
    Swap,
    /// `exp(-i angle/2 X X)`, and so on for the next two.
    Rxx(f64),
    Ryy(f64),
    Rzz(f64),
    /// IonQ's native Mølmer-Sørensen gate: two phases and the angle, all in turns.
    Ms(f64, f64, f64),
}

/// Row by row. Of two qubits, the first target is the low bit of the index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Matrix {
    One([[Complex; 2]; 2]),
    Two([[Complex; 4]; 4]),
}

impl Gate {
    /// How many qubits the gate acts on, controls aside.
    pub(crate) fn targets(self) -> usize {
        match self {
            Self::Swap | Self::Rxx(_) | Self::Ryy(_) | Self::Rzz(_) | Self::Ms(..) => 2,
            _ => 1,
        }
    }

    /// The gate that undoes this one.
    pub(crate) fn inverse(self) -> Self {
        match self {
            Self::H | Self::X | Self::Y | Self::Z | Self::Swap | Self::Gpi(_) => self,
            Self::S => Self::Sdg,
            Self::Sdg => Self::S,
            Self::T => Self::Tdg,
            Self::Tdg => Self::T,
            Self::V => Self::Vdg,
            Self::Vdg => Self::V,
            Self::Rx(angle) => Self::Rx(-angle),
            Self::Ry(angle) => Self::Ry(-angle),
            Self::Rz(angle) => Self::Rz(-angle),
            Self::Phase(angle) => Self::Phase(-angle),
            Self::U(theta, phi, lambda) => Self::U(-theta, -lambda, -phi),
            Self::Gpi2(turns) => Self::Gpi2(turns + 0.5),
            Self::Rxx(angle) => Self::Rxx(-angle),
            Self::Ryy(angle) => Self::Ryy(-angle),
            Self::Rzz(angle) => Self::Rzz(-angle),
            Self::Ms(first, second, angle) => Self::Ms(first, second, -angle),
        }
    }

    pub(crate) fn matrix(self) -> Matrix {
        let real = |re: f64| Complex::new(re, 0.0);
        let imaginary = |im: f64| Complex::new(0.0, im);
        let diagonal = |low, high| Matrix::One([[low, Complex::ZERO], [Complex::ZERO, high]]);
        let anti = |upper, lower| Matrix::One([[Complex::ZERO, upper], [lower, Complex::ZERO]]);
        match self {
            Self::H => {
                let r = real(FRAC_1_SQRT_2);
                Matrix::One([[r, r], [r, real(-FRAC_1_SQRT_2)]])
            }
            Self::X => anti(Complex::ONE, Complex::ONE),
            Self::Y => anti(imaginary(-1.0), Complex::I),
            Self::Z => diagonal(Complex::ONE, real(-1.0)),
            Self::S => diagonal(Complex::ONE, Complex::I),
            Self::Sdg => diagonal(Complex::ONE, imaginary(-1.0)),
            Self::T => diagonal(Complex::ONE, Complex::phase(FRAC_PI_4)),
            Self::Tdg => diagonal(Complex::ONE, Complex::phase(-FRAC_PI_4)),
            Self::V => {
                let (plus, minus) = (Complex::new(0.5, 0.5), Complex::new(0.5, -0.5));
                Matrix::One([[plus, minus], [minus, plus]])
            }
            Self::Vdg => {
                let (plus, minus) = (Complex::new(0.5, 0.5), Complex::new(0.5, -0.5));
                Matrix::One([[minus, plus], [plus, minus]])
            }
            Self::Rx(angle) => {
                let (sin, cos) = (angle / 2.0).sin_cos();
                Matrix::One([[real(cos), imaginary(-sin)], [imaginary(-sin), real(cos)]])
            }
            Self::Ry(angle) => {
                let (sin, cos) = (angle / 2.0).sin_cos();
                Matrix::One([[real(cos), real(-sin)], [real(sin), real(cos)]])
            }
            Self::Rz(angle) => diagonal(Complex::phase(-angle / 2.0), Complex::phase(angle / 2.0)),
            Self::Phase(angle) => diagonal(Complex::ONE, Complex::phase(angle)),
            Self::U(theta, phi, lambda) => {
                let (sin, cos) = (theta / 2.0).sin_cos();
                Matrix::One([
                    [real(cos), Complex::phase(lambda).scale(-sin)],
                    [Complex::phase(phi).scale(sin), Complex::phase(phi + lambda).scale(cos)],
                ])
            }
            Self::Gpi(turns) => anti(Complex::phase(-turns * TAU), Complex::phase(turns * TAU)),
            Self::Gpi2(turns) => {
                let off = |angle: f64| Complex::phase(angle - FRAC_PI_2).scale(FRAC_1_SQRT_2);
                let r = real(FRAC_1_SQRT_2);
                Matrix::One([[r, off(-turns * TAU)], [off(turns * TAU), r]])
            }
            Self::Swap => permutation([0, 2, 1, 3]),
            Self::Rxx(angle) => ising(angle, Complex::ONE, Complex::ONE),
            // YY has -1 in its outer corners where XX has 1.
            Self::Ryy(angle) => ising(angle, real(-1.0), Complex::ONE),
            Self::Rzz(angle) => {
                let (same, odd) = (Complex::phase(-angle / 2.0), Complex::phase(angle / 2.0));
                let mut matrix = [[Complex::ZERO; 4]; 4];
                for (i, entry) in [same, odd, odd, same].into_iter().enumerate() {
                    matrix[i][i] = entry;
                }
                Matrix::Two(matrix)
            }
            Self::Ms(first, second, angle) => {
                let (sin, cos) = (angle * TAU / 2.0).sin_cos();
                let entry = |turns: f64| imaginary(-sin) * Complex::phase(turns * TAU);
                let mut matrix = [[Complex::ZERO; 4]; 4];
                for (i, row) in matrix.iter_mut().enumerate() {
                    row[i] = real(cos);
                }
                matrix[0][3] = entry(-first - second);
                matrix[3][0] = entry(first + second);
                // Index 1 has the first qubit up, index 2 the second.
                matrix[1][2] = entry(first - second);
                matrix[2][1] = entry(second - first);
                Matrix::Two(matrix)
            }
        }
    }
}

/// `cos(angle/2) - i sin(angle/2) P`, where P has `outer` in its outer corners and `inner` between them.
fn ising(angle: f64, outer: Complex, inner: Complex) -> Matrix {
    let (sin, cos) = (angle / 2.0).sin_cos();
    let off = Complex::new(0.0, -sin);
    let mut matrix = [[Complex::ZERO; 4]; 4];
    for (i, row) in matrix.iter_mut().enumerate() {
        row[i] = Complex::new(cos, 0.0);
        row[3 - i] = off * if i == 0 || i == 3 { outer } else { inner };
    }
    Matrix::Two(matrix)
}

fn permutation(columns: [usize; 4]) -> Matrix {
    let mut matrix = [[Complex::ZERO; 4]; 4];
    for (row, column) in columns.into_iter().enumerate() {
        matrix[row][column] = Complex::ONE;
    }
    Matrix::Two(matrix)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One of each kind, with angles that have no symmetry to hide a mistake behind.
    pub(crate) const ALL: [Gate; 22] = [
        Gate::H,
        Gate::X,
        Gate::Y,
        Gate::Z,
        Gate::S,
        Gate::Sdg,
        Gate::T,
        Gate::Tdg,
        Gate::V,
        Gate::Vdg,
        Gate::Rx(0.3),
        Gate::Ry(0.4),
        Gate::Rz(0.5),
        Gate::Phase(0.6),
        Gate::U(0.7, 0.8, 0.9),
        Gate::Gpi(0.11),
        Gate::Gpi2(0.12),
        Gate::Swap,
        Gate::Rxx(0.13),
        Gate::Ryy(0.14),
        Gate::Rzz(0.15),
        Gate::Ms(0.16, 0.17, 0.18),
    ];

    pub(crate) fn rows(gate: Gate) -> Vec<Vec<Complex>> {
        match gate.matrix() {
            Matrix::One(matrix) => matrix.iter().map(|row| row.to_vec()).collect(),
            Matrix::Two(matrix) => matrix.iter().map(|row| row.to_vec()).collect(),
        }
    }

    fn product(left: &[Vec<Complex>], right: &[Vec<Complex>]) -> Vec<Vec<Complex>> {
        let n = left.len();
        let entry = |i: usize, j: usize| (0..n).fold(Complex::ZERO, |sum, k| sum + left[i][k] * right[k][j]);
        (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect()
    }

    fn close(left: &[Vec<Complex>], right: &[Vec<Complex>]) -> bool {
        let flat = |m: &[Vec<Complex>]| m.concat();
        flat(left).iter().zip(flat(right)).all(|(a, b)| (*a + b.scale(-1.0)).norm_sqr() < 1e-24)
    }

    fn identity(n: usize) -> Vec<Vec<Complex>> {
        let entry = |i, j| if i == j { Complex::ONE } else { Complex::ZERO };
        (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect()
    }

    /// The tensor product with `low` on the first target.
    fn tensor(high: Gate, low: Gate) -> Vec<Vec<Complex>> {
        let (high, low) = (rows(high), rows(low));
        (0..4).map(|i| (0..4).map(|j| high[i >> 1][j >> 1] * low[i & 1][j & 1]).collect()).collect()
    }

    #[test]
    fn every_gate_is_unitary_and_has_the_size_it_says() {
        for gate in ALL {
            let matrix = rows(gate);
            assert_eq!(matrix.len(), 1 << gate.targets(), "{gate:?}");
            let adjoint: Vec<Vec<Complex>> = (0..matrix.len())
                .map(|i| matrix.iter().map(|row| Complex::new(row[i].re, -row[i].im)).collect())
                .collect();
            assert!(close(&product(&matrix, &adjoint), &identity(matrix.len())), "{gate:?}");
        }
    }

    #[test]
    fn every_gate_is_undone_by_its_inverse() {
        for gate in ALL {
            let product = product(&rows(gate.inverse()), &rows(gate));
            assert!(close(&product, &identity(product.len())), "{gate:?}");
        }
    }

    #[test]
    fn roots_and_inverses_multiply_out() {
        let check =
            |left, right, expected| assert!(close(&product(&rows(left), &rows(right)), &rows(expected)));
        check(Gate::T, Gate::T, Gate::S);
        check(Gate::S, Gate::S, Gate::Z);
        check(Gate::V, Gate::V, Gate::X);
        check(Gate::Sdg, Gate::Z, Gate::S);
        check(Gate::Tdg, Gate::S, Gate::T);
        for (gate, inverse) in [(Gate::V, Gate::Vdg), (Gate::H, Gate::H), (Gate::Rx(0.3), Gate::Rx(-0.3))] {
            assert!(close(&product(&rows(gate), &rows(inverse)), &identity(2)));
        }
    }

    #[test]
    fn rotations_are_exponentials_of_their_paulis() {
        let pauli_pairs = [
            (rows(Gate::Rx(0.7)), rows(Gate::X)),
            (rows(Gate::Ry(0.7)), rows(Gate::Y)),
            (rows(Gate::Rz(0.7)), rows(Gate::Z)),
            (rows(Gate::Rxx(0.7)), tensor(Gate::X, Gate::X)),
            (rows(Gate::Ryy(0.7)), tensor(Gate::Y, Gate::Y)),
            (rows(Gate::Rzz(0.7)), tensor(Gate::Z, Gate::Z)),
        ];
        for (rotation, pauli) in pauli_pairs {
            let n = pauli.len();
            let (sin, cos) = 0.35_f64.sin_cos();
            let expected: Vec<Vec<Complex>> = identity(n)
                .iter()
                .zip(&pauli)
                .map(|(one, p)| {
                    one.iter().zip(p).map(|(one, p)| one.scale(cos) + Complex::new(0.0, -sin) * *p).collect()
                })
                .collect();
            assert!(close(&rotation, &expected));
        }
    }

    #[test]
    fn native_gates_are_what_ionq_documents() {
        assert!(close(&rows(Gate::Gpi(0.0)), &rows(Gate::X)));
        assert!(close(&rows(Gate::Gpi(0.25)), &rows(Gate::Y)));
        assert!(close(&rows(Gate::Gpi2(0.0)), &rows(Gate::Rx(FRAC_PI_2))));
        assert!(close(&rows(Gate::Gpi2(0.25)), &rows(Gate::Ry(FRAC_PI_2))));
        assert!(close(&rows(Gate::Ms(0.0, 0.0, 0.25)), &rows(Gate::Rxx(FRAC_PI_2))));
        assert!(close(&rows(Gate::Ms(0.25, 0.25, 0.1)), &rows(Gate::Ryy(0.1 * TAU))));
        // One phase apart, the gate is exp(-i a/2 X Y): the phase belongs to its own qubit.
        let (sin, cos) = (0.1 * TAU / 2.0).sin_cos();
        let pauli = tensor(Gate::Y, Gate::X);
        let expected: Vec<Vec<Complex>> = identity(4)
            .iter()
            .zip(&pauli)
            .map(|(one, p)| {
                one.iter().zip(p).map(|(one, p)| one.scale(cos) + Complex::new(0.0, -sin) * *p).collect()
            })
            .collect();
        assert!(close(&rows(Gate::Ms(0.0, 0.25, 0.1)), &expected));
    }

    #[test]
    fn u_is_the_openqasm_matrix() {
        assert!(close(&rows(Gate::U(0.0, 0.0, 0.6)), &rows(Gate::Phase(0.6))));
        assert!(close(&rows(Gate::U(0.4, 0.0, 0.0)), &rows(Gate::Ry(0.4))));
        assert!(close(&rows(Gate::U(0.3, -FRAC_PI_2, FRAC_PI_2)), &rows(Gate::Rx(0.3))));
    }
}
