//! OpenQASM 2 with `qelib1.inc`, as Quantinuum's targets take it: registers, the library's gates, gate definitions,
//! measurement, reset, barriers and conditions on whole registers.

pub(super) mod expression;
pub(super) mod lexer;
mod library;

use std::collections::{BTreeMap, HashMap};

use self::lexer::{Lexer, Token};
use super::JobError;
use crate::circuit::{Circuit, Record, Register, Step};

/// A definition that calls itself through others would never end; none is nested nearly this deep.
const MAX_DEPTH: usize = 32;
/// Steps after every definition is written out.
const MAX_STEPS: usize = 1_000_000;

/// A `gate` of the program's own.
struct Definition<'a> {
    parameters: Vec<&'a str>,
    qubits: Vec<&'a str>,
    body: Vec<Call<'a>>,
}

/// A call within a definition: its arguments are names of the definition's qubits.
struct Call<'a> {
    name: &'a str,
    parameters: Vec<expression::Expression<'a>>,
    qubits: Vec<&'a str>,
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    /// First qubit and size, by name.
    qregs: HashMap<&'a str, (usize, usize)>,
    /// First bit and size; sorted by first bit for the results.
    cregs: HashMap<&'a str, (usize, usize)>,
    order: BTreeMap<usize, &'a str>,
    definitions: HashMap<&'a str, Definition<'a>>,
    circuit: Circuit,
}

/// Reads a program; what it measures is recorded register by register.
pub(crate) fn read(text: &str) -> Result<Circuit, JobError> {
    let mut reader = Reader {
        lexer: Lexer::new(text),
        qregs: HashMap::new(),
        cregs: HashMap::new(),
        order: BTreeMap::new(),
        definitions: HashMap::new(),
        circuit: Circuit::default(),
    };
    let read = reader.program();
    let line = reader.lexer.line();
    read.map_err(|reason| JobError::new("CompilationError", format!("Line {line}: {reason}.")))?;
    reader.finish()
}

impl<'a> Reader<'a> {
    fn program(&mut self) -> Result<(), String> {
        self.lexer.expect_name("OPENQASM")?;
        match self.lexer.next()? {
            Token::Number(version) if (2.0..3.0).contains(&version) => {}
            other => return Err(format!("this reader knows OpenQASM 2, not {other}")),
        }
        self.lexer.expect(';')?;
        while let Some(statement) = self.lexer.name_or_end()? {
            self.statement(statement)?;
            if self.circuit.steps.len() > MAX_STEPS {
                return Err(format!("the program has more than {MAX_STEPS} steps"));
            }
        }
        Ok(())
    }

    fn statement(&mut self, word: &'a str) -> Result<(), String> {
        match word {
            "include" => match self.lexer.next()? {
                // hqslib1 is Quantinuum's own; the gates that it adds are in the library too.
                Token::Text("qelib1.inc" | "hqslib1.inc") => self.lexer.expect(';'),
                other => Err(format!("only qelib1.inc can be included, not {other}")),
            },
            "qreg" | "creg" => self.register(word == "qreg"),
            "gate" => self.definition(),
            "opaque" => Err("opaque gates cannot be simulated".to_owned()),
            "if" => {
                self.lexer.expect('(')?;
                let register = self.lexer.name()?;
                let (first, size) =
                    *self.cregs.get(register).ok_or_else(|| unknown("classical", register))?;
                self.lexer.expect('=')?;
                self.lexer.expect('=')?;
                let equals = self.lexer.integer()? as u64;
                self.lexer.expect(')')?;
                let from = self.circuit.steps.len();
                let word = self.lexer.name()?;
                self.statement(word)?;
                let guarded = self.circuit.steps.split_off(from);
                let bits: Vec<usize> = (first..first + size).collect();
                self.circuit.steps.extend(guarded.into_iter().map(|step| Step::If {
                    bits: bits.clone(),
                    equals,
                    then: Box::new(step),
                }));
                Ok(())
            }
            "barrier" => self.arguments().map(drop),
            "reset" => {
                for qubit in self.arguments()?.into_iter().flatten() {
                    self.circuit.steps.push(Step::Reset { qubit });
                }
                Ok(())
            }
            "measure" => self.measure(),
            gate => self.application(gate),
        }
    }

    fn register(&mut self, quantum: bool) -> Result<(), String> {
        let name = self.lexer.name()?;
        self.lexer.expect('[')?;
        let size = self.lexer.integer()?;
        self.lexer.expect(']')?;
        self.lexer.expect(';')?;
        if self.qregs.contains_key(name) || self.cregs.contains_key(name) {
            return Err(format!("there are two registers `{name}`"));
        }
        if !(1..=super::MAX_BITS).contains(&size) {
            return Err(format!("a register holds 1 to {} entries, not {size}", super::MAX_BITS));
        }
        if quantum {
            self.qregs.insert(name, (self.circuit.qubits, size));
            self.circuit.qubits += size;
        } else {
            self.cregs.insert(name, (self.circuit.bits, size));
            self.order.insert(self.circuit.bits, name);
            self.circuit.bits += size;
        }
        Ok(())
    }

    fn definition(&mut self) -> Result<(), String> {
        let name = self.lexer.name()?;
        let mut parameters = Vec::new();
        if self.lexer.take('(')? {
            while !self.lexer.take(')')? {
                parameters.push(self.lexer.name()?);
                self.lexer.take(',')?;
            }
        }
        let mut qubits = Vec::new();
        while !self.lexer.take('{')? {
            qubits.push(self.lexer.name()?);
            self.lexer.take(',')?;
        }
        let mut body = Vec::new();
        while !self.lexer.take('}')? {
            let callee = self.lexer.name()?;
            let given = self.parameters()?;
            let mut arguments = Vec::new();
            while !self.lexer.take(';')? {
                let qubit = self.lexer.name()?;
                if !qubits.contains(&qubit) {
                    return Err(format!("`{qubit}` is no qubit of gate `{name}`"));
                }
                arguments.push(qubit);
                self.lexer.take(',')?;
            }
            if callee != "barrier" {
                body.push(Call { name: callee, parameters: given, qubits: arguments });
            }
        }
        self.definitions.insert(name, Definition { parameters, qubits, body });
        Ok(())
    }

    /// `(expression, ...)`, if there are any.
    fn parameters(&mut self) -> Result<Vec<expression::Expression<'a>>, String> {
        let mut parameters = Vec::new();
        if self.lexer.take('(')? {
            while !self.lexer.take(')')? {
                parameters.push(expression::parse(&mut self.lexer)?);
                self.lexer.take(',')?;
            }
        }
        Ok(parameters)
    }

    /// Quantum arguments up to `;`, each one qubit or a whole register.
    fn arguments(&mut self) -> Result<Vec<Vec<usize>>, String> {
        let mut arguments = Vec::new();
        loop {
            arguments.push(self.operand(true)?);
            if !self.lexer.take(',')? {
                self.lexer.expect(';')?;
                return Ok(arguments);
            }
        }
    }

    fn operand(&mut self, quantum: bool) -> Result<Vec<usize>, String> {
        let name = self.lexer.name()?;
        let (registers, kind) = if quantum { (&self.qregs, "quantum") } else { (&self.cregs, "classical") };
        let (first, size) = *registers.get(name).ok_or_else(|| unknown(kind, name))?;
        if !self.lexer.take('[')? {
            return Ok((first..first + size).collect());
        }
        let index = self.lexer.integer()?;
        self.lexer.expect(']')?;
        if index >= size {
            return Err(format!("`{name}[{index}]` lies outside the register, which has {size} entries"));
        }
        Ok(vec![first + index])
    }

    fn measure(&mut self) -> Result<(), String> {
        let qubits = self.operand(true)?;
        self.lexer.expect('-')?;
        self.lexer.expect('>')?;
        let bits = self.operand(false)?;
        self.lexer.expect(';')?;
        if qubits.len() != bits.len() {
            return Err(format!("{} qubits cannot be measured into {} bits", qubits.len(), bits.len()));
        }
        let pairs = qubits.into_iter().zip(bits);
        self.circuit.steps.extend(pairs.map(|(qubit, bit)| Step::Measure { qubit, bit }));
        Ok(())
    }

    fn application(&mut self, name: &'a str) -> Result<(), String> {
        let parameters = self.parameters()?;
        let none = HashMap::new();
        let angles =
            parameters.iter().map(|angle| angle.value(&none)).collect::<Result<Vec<f64>, String>>()?;
        let arguments = self.arguments()?;
        // Registers are walked together; single qubits stay where they are.
        let width = arguments.iter().map(Vec::len).max().unwrap_or(1);
        if arguments.iter().any(|qubits| qubits.len() != 1 && qubits.len() != width) {
            return Err(format!("the registers given to `{name}` have different sizes"));
        }
        for index in 0..width {
            let qubits: Vec<usize> = arguments
                .iter()
                .map(|qubits| if qubits.len() == 1 { qubits[0] } else { qubits[index] })
                .collect();
            self.apply(name, &angles, &qubits, 0)?;
        }
        Ok(())
    }

    fn apply(&mut self, name: &str, angles: &[f64], qubits: &[usize], depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH || self.circuit.steps.len() > MAX_STEPS {
            return Err(format!("gate `{name}` is defined through too many others"));
        }
        let mut seen = qubits.to_vec();
        seen.sort_unstable();
        if seen.array_windows().any(|[one, next]| one == next) {
            return Err(format!("`{name}` is given one qubit twice"));
        }
        let Some(definition) = self.definitions.get(name) else {
            let steps = library::steps(name, angles, qubits)?;
            self.circuit.steps.extend(steps);
            return Ok(());
        };
        let (takes, on) = (definition.parameters.len(), definition.qubits.len());
        if angles.len() != takes || qubits.len() != on {
            return Err(format!("`{name}` takes {takes} parameter(s) and {on} qubit(s)"));
        }
        let values: HashMap<&str, f64> =
            definition.parameters.iter().copied().zip(angles.iter().copied()).collect();
        let places: HashMap<&str, usize> =
            definition.qubits.iter().copied().zip(qubits.iter().copied()).collect();
        let calls = definition
            .body
            .iter()
            .map(|call| {
                let angles = call
                    .parameters
                    .iter()
                    .map(|angle| angle.value(&values))
                    .collect::<Result<_, String>>()?;
                Ok((call.name, angles, call.qubits.iter().map(|qubit| places[qubit]).collect()))
            })
            .collect::<Result<Vec<(&str, Vec<f64>, Vec<usize>)>, String>>()?;
        for (name, angles, qubits) in calls {
            self.apply(name, &angles, &qubits, depth + 1)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Circuit, JobError> {
        if self.circuit.qubits == 0 {
            return Err(JobError::new("CompilationError", "The program declares no quantum register."));
        }
        if self.circuit.bits == 0 {
            return Err(JobError::new("CompilationError", "The program declares no classical register."));
        }
        let registers: Vec<Register> = self
            .order
            .values()
            .map(|name| {
                let (first, size) = self.cregs[name];
                Register { name: (*name).to_owned(), bits: (first..first + size).collect() }
            })
            .collect();
        self.circuit.record = Record::Array((0..self.circuit.bits).map(Record::Bit).collect());
        self.circuit.registers = registers;
        Ok(self.circuit)
    }
}

fn unknown(kind: &str, name: &str) -> String {
    format!("there is no {kind} register `{name}`")
}

#[cfg(test)]
mod tests;
