//! Quil as Rigetti's targets take it, as far as it describes a circuit: memory for bits, the standard gates with their
//! modifiers, measurement and reset. What else the language has is refused by its name.

mod gates;

use std::collections::{BTreeMap, HashMap};

use super::JobError;
use super::qasm::expression;
use super::qasm::lexer::{Lexer, Token};
use crate::circuit::{Circuit, Record, Register, Step};

/// The register that Rigetti's results are read from.
const READOUT: &str = "ro";
const MAX_STEPS: usize = 1_000_000;

#[derive(Default)]
struct Reader<'a> {
    /// First bit and size, by name.
    memory: BTreeMap<&'a str, (usize, usize)>,
    /// The qubits of the program, by the places that they have here: programs for a device use any of its qubits.
    qubits: HashMap<usize, usize>,
    circuit: Circuit,
}

/// Reads a program; what it leaves in `ro` is its result.
pub(crate) fn read(text: &str) -> Result<Circuit, JobError> {
    let mut reader = Reader::default();
    for (number, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default();
        for statement in code.split(';') {
            let mut lexer = Lexer::new(statement);
            let read = reader.statement(&mut lexer).and_then(|goes_on| match lexer.next()? {
                Token::End => Ok(goes_on),
                other => Err(format!("expected the end of the line, found {other}")),
            });
            match read {
                Ok(true) => {}
                Ok(false) => return reader.finish(),
                Err(reason) => {
                    return Err(JobError::invalid_input(format!("Line {}: {reason}.", number + 1)));
                }
            }
        }
    }
    reader.finish()
}

impl<'a> Reader<'a> {
    /// Reads one statement; `false` if the program ends with it.
    fn statement(&mut self, lexer: &mut Lexer<'a>) -> Result<bool, String> {
        let Some(word) = lexer.name_or_end()? else { return Ok(true) };
        match word {
            "DECLARE" => self.declare(lexer)?,
            "MEASURE" => self.measure(lexer)?,
            "RESET" => self.reset(lexer)?,
            "HALT" => return Ok(false),
            "NOP" => {}
            // Hints for compilers and devices; they do not change what a program means.
            "PRAGMA" => while lexer.next()? != Token::End {},
            other if is_instruction(other) => {
                return Err(format!("`{other}` is not supported by this emulator"));
            }
            gate => self.gate(gate, lexer)?,
        }
        if self.circuit.steps.len() > MAX_STEPS {
            return Err(format!("the program has more than {MAX_STEPS} steps"));
        }
        Ok(true)
    }

    fn declare(&mut self, lexer: &mut Lexer<'a>) -> Result<(), String> {
        let (name, kind) = (lexer.name()?, lexer.name()?);
        let size = if lexer.take('[')? {
            let size = lexer.integer()?;
            lexer.expect(']')?;
            size
        } else {
            1
        };
        if kind != "BIT" {
            return Err(format!("memory of type `{kind}` is not supported by this emulator, only BIT is"));
        }
        if self.memory.contains_key(name) {
            return Err(format!("`{name}` is declared twice"));
        }
        if !(1..=super::MAX_BITS).contains(&size) {
            return Err(format!("memory holds 1 to {} entries here, not {size}", super::MAX_BITS));
        }
        self.memory.insert(name, (self.circuit.bits, size));
        self.circuit.bits += size;
        Ok(())
    }

    fn measure(&mut self, lexer: &mut Lexer<'a>) -> Result<(), String> {
        let qubit = self.qubit(lexer)?;
        let bit = match lexer.name_or_end()? {
            // Measured for its effect on the others; nobody sees the bit.
            None => {
                self.circuit.bits += 1;
                self.circuit.bits - 1
            }
            Some(name) => {
                let (first, size) =
                    *self.memory.get(name).ok_or_else(|| format!("there is no memory `{name}`"))?;
                let index = if lexer.take('[')? {
                    let index = lexer.integer()?;
                    lexer.expect(']')?;
                    index
                } else {
                    0
                };
                if index >= size {
                    return Err(format!(
                        "`{name}[{index}]` lies outside the memory, which has {size} entries"
                    ));
                }
                first + index
            }
        };
        self.circuit.steps.push(Step::Measure { qubit, bit });
        Ok(())
    }

    fn reset(&mut self, lexer: &mut Lexer<'a>) -> Result<(), String> {
        if lexer.peek()? == Token::End {
            // At the beginning this is every program's first line, and all qubits are zero anyway.
            let all = (0..self.circuit.qubits).map(|qubit| Step::Reset { qubit });
            self.circuit.steps.extend(all);
            return Ok(());
        }
        let qubit = self.qubit(lexer)?;
        self.circuit.steps.push(Step::Reset { qubit });
        Ok(())
    }

    /// `CONTROLLED DAGGER RX(pi/2) 0 1`: modifiers, name, angles, qubits.
    fn gate(&mut self, first: &'a str, lexer: &mut Lexer<'a>) -> Result<(), String> {
        let (mut controls, mut daggers, mut name) = (0, 0, first);
        loop {
            match name {
                "CONTROLLED" => controls += 1,
                "DAGGER" => daggers += 1,
                "FORKED" => return Err("`FORKED` is not supported by this emulator".to_owned()),
                _ => break,
            }
            name = lexer.name()?;
        }
        let mut angles = Vec::new();
        if lexer.take('(')? {
            while !lexer.take(')')? {
                angles.push(expression::parse(lexer)?.value(&HashMap::new())?);
                lexer.take(',')?;
            }
        }
        let mut qubits = Vec::new();
        while lexer.peek()? != Token::End {
            qubits.push(self.qubit(lexer)?);
        }
        let mut seen = qubits.clone();
        seen.sort_unstable();
        if seen.array_windows().any(|[one, next]| one == next) {
            return Err(format!("`{name}` is given one qubit twice"));
        }
        if controls > qubits.len() {
            return Err(format!("`CONTROLLED {name}` needs a qubit for each `CONTROLLED`"));
        }
        let (controls, targets) = qubits.split_at(controls);
        let mut steps = gates::steps(name, &angles, targets)?;
        if daggers % 2 == 1 {
            steps.reverse();
            for (gate, ..) in &mut steps {
                *gate = gate.inverse();
            }
        }
        self.circuit.steps.extend(steps.into_iter().map(|(gate, own, targets)| Step::Apply {
            gate,
            controls: controls.iter().copied().chain(own).collect(),
            targets,
        }));
        Ok(())
    }

    fn qubit(&mut self, lexer: &mut Lexer<'a>) -> Result<usize, String> {
        let number = lexer.integer()?;
        let next = self.qubits.len();
        let place = *self.qubits.entry(number).or_insert(next);
        self.circuit.qubits = self.qubits.len();
        Ok(place)
    }

    fn finish(mut self) -> Result<Circuit, JobError> {
        let Some((first, size)) = self.memory.get(READOUT).copied() else {
            let message = format!("The program declares no readout memory, as by DECLARE {READOUT} BIT[2].");
            return Err(JobError::invalid_input(message));
        };
        if self.circuit.qubits == 0 {
            return Err(JobError::invalid_input("The program uses no qubits."));
        }
        let bits: Vec<usize> = (first..first + size).collect();
        self.circuit.record = Record::Array(bits.iter().copied().map(Record::Bit).collect());
        self.circuit.registers = vec![Register { name: READOUT.to_owned(), bits }];
        Ok(self.circuit)
    }
}

/// The words of the language that are no gates, and that are not read here.
fn is_instruction(word: &str) -> bool {
    const WORDS: [&str; 32] = [
        "ADD",
        "AND",
        "CALL",
        "CAPTURE",
        "CONVERT",
        "DEFCAL",
        "DEFCIRCUIT",
        "DEFFRAME",
        "DEFGATE",
        "DEFWAVEFORM",
        "DELAY",
        "DIV",
        "EQ",
        "EXCHANGE",
        "FENCE",
        "GE",
        "GT",
        "INCLUDE",
        "IOR",
        "JUMP",
        "LABEL",
        "LE",
        "LOAD",
        "LT",
        "MOVE",
        "MUL",
        "NEG",
        "NOT",
        "PULSE",
        "STORE",
        "SUB",
        "XOR",
    ];
    WORDS.contains(&word)
}

#[cfg(test)]
mod tests;
