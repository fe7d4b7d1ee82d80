//! One list of steps that every program format is read into.

pub(crate) mod complex;
pub(crate) mod gate;

pub(crate) use gate::Gate;

/// A program: unitaries, measurements and resets on qubits that all begin in `|0>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Circuit {
    pub(crate) qubits: usize,
    /// Classical bits, all 0 at first.
    pub(crate) bits: usize,
    pub(crate) steps: Vec<Step>,
    /// How the program presents its bits.
    pub(crate) record: Record,
    /// The bits by register, for formats that answer by register.
    pub(crate) registers: Vec<Register>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Apply {
        gate: Gate,
        controls: Vec<usize>,
        targets: Vec<usize>,
    },
    Measure {
        qubit: usize,
        bit: usize,
    },
    Reset {
        qubit: usize,
    },
    /// The step happens in the shots whose bits read as this number, the first bit lowest.
    If {
        bits: Vec<usize>,
        equals: u64,
        then: Box<Step>,
    },
}

/// What a program records of its bits; nested as it nests them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    Bit(usize),
    Array(Vec<Record>),
    Tuple(Vec<Record>),
}

impl Default for Record {
    fn default() -> Self {
        Self::Array(Vec::new())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Register {
    pub(crate) name: String,
    /// Its bits, the first one first.
    pub(crate) bits: Vec<usize>,
}

impl Circuit {
    /// Whether all measurements can wait until the end: then one run of the state serves every shot.
    pub(crate) fn measures_last(&self) -> bool {
        let mut measured = vec![false; self.qubits];
        self.steps.iter().all(|step| match step {
            Step::Apply { controls, targets, .. } => {
                !controls.iter().chain(targets).any(|qubit| measured[*qubit])
            }
            Step::Measure { qubit, .. } => {
                measured[*qubit] = true;
                true
            }
            Step::Reset { .. } | Step::If { .. } => false,
        })
    }
}
