"""The simulator against matrices: random circuits of up to eight qubits, probabilities to 1e-9."""

import functools
import math

import numpy

TOLERANCE = 1e-9
CIRCUITS = 40

I2 = numpy.eye(2)
X, Y, Z = numpy.array([[0, 1], [1, 0]]), numpy.array([[0, -1j], [1j, 0]]), numpy.diag([1, -1])


def turn(pauli, angle):
    return math.cos(angle / 2) * I2 - 1j * math.sin(angle / 2) * pauli


ONE_QUBIT = {
    "h": (X + Z) / math.sqrt(2),
    "x": X,
    "y": Y,
    "z": Z,
    "s": numpy.diag([1, 1j]),
    "si": numpy.diag([1, -1j]),
    "t": numpy.diag([1, numpy.exp(1j * math.pi / 4)]),
    "ti": numpy.diag([1, numpy.exp(-1j * math.pi / 4)]),
    "v": ((1 + 1j) * I2 + (1 - 1j) * X) / 2,
    "vi": ((1 - 1j) * I2 + (1 + 1j) * X) / 2,
}
TURNS = {"rx": X, "ry": Y, "rz": Z}


def on(qubits, matrices):
    """The tensor product with qubit 0 as the lowest bit, so the last factor."""
    factors = [matrices.get(qubit, I2) for qubit in reversed(range(qubits))]
    return functools.reduce(numpy.kron, factors)


def controlled(qubits, control, target, matrix):
    zero, one = numpy.diag([1, 0]), numpy.diag([0, 1])
    return on(qubits, {control: zero}) + on(qubits, {control: one, target: matrix})


def step(random, qubits):
    """One random gate, as IonQ writes it and as a matrix."""
    first, second = random.permutation(qubits)[:2] if qubits > 1 else (0, 0)
    first, second = int(first), int(second)
    kind = random.integers(4 if qubits > 1 else 2)
    if kind == 0:
        name = str(random.choice(list(ONE_QUBIT)))
        return {"gate": name, "target": first}, on(qubits, {first: ONE_QUBIT[name]})
    angle = float(random.uniform(-7, 7))
    if kind == 1:
        name = str(random.choice(list(TURNS)))
        gate = {"gate": name, "target": first, "rotation": angle}
        return gate, on(qubits, {first: turn(TURNS[name], angle)})
    if kind == 2:
        return {"gate": "cnot", "control": first, "target": second}, controlled(qubits, first, second, X)
    gate = {"gate": "swap", "targets": [first, second]}
    swap = sum(on(qubits, {first: pauli, second: pauli}) for pauli in (I2, X, Y, Z)) / 2
    return gate, swap


def test_random_circuits(emulator):
    ionq = emulator.workspace().get_targets("ionq.simulator")
    random = numpy.random.default_rng(20260222)
    jobs = []
    for number in range(CIRCUITS):
        qubits = number % 8 + 1
        state = numpy.zeros(2**qubits, complex)
        state[0] = 1
        gates = []
        for _ in range(30):
            gate, matrix = step(random, qubits)
            gates.append(gate)
            state = matrix @ state
        jobs.append((ionq.submit({"qubits": qubits, "circuit": gates}), numpy.abs(state) ** 2))
    for job, expected in jobs:
        histogram = job.get_results()["histogram"]
        given = numpy.zeros(len(expected))
        for outcome, probability in histogram.items():
            given[int(outcome)] = probability
        worst = numpy.abs(given - expected).max()
        assert worst < TOLERANCE, (job.id, worst)


def test_counts_follow_the_probabilities(emulator):
    workspace = emulator.workspace()
    angles = [0.3, 1.1, 2.2]
    program = "OPENQASM 2.0;\ninclude \"qelib1.inc\";\nqreg q[3];\ncreg c[3];\n"
    program += "".join(f"ry({angle}) q[{qubit}];\n" for qubit, angle in enumerate(angles)) + "measure q -> c;\n"
    shots = 20_000
    counted = workspace.get_targets("quantinuum.sim.h2-1e").submit(program, shots=shots).get_results()["c"]
    for qubit, angle in enumerate(angles):
        ones = sum(bits[2 - qubit] == "1" for bits in counted)
        chance = math.sin(angle / 2) ** 2
        # Five standard deviations: once in two million runs.
        assert abs(ones - shots * chance) < 5 * math.sqrt(shots * chance * (1 - chance)), (qubit, ones)
