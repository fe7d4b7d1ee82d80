//! QIR base profile in text form: LLVM IR restricted to calls on fixed qubits and results.
//!
//! Names are those of the QIR specification's base profile (qir-alliance/qir-spec). Pointers may be typed
//! (`%Qubit*`) or opaque (`ptr`).

use std::collections::{HashMap, HashSet};

use super::JobError;
use crate::circuit::{Circuit, Gate, Record, Register, Step};

/// Records within records; a limit, because they are read by recursion.
const MAX_DEPTH: usize = 64;

struct Line<'a> {
    number: usize,
    text: &'a str,
}

struct Function<'a> {
    name: &'a str,
    /// The attribute group, `#0`.
    group: Option<&'a str>,
    /// The label of each block and where it begins in `lines`.
    labels: HashMap<&'a str, usize>,
    lines: Vec<Line<'a>>,
}

/// Reads the entry point: the one named, else the one that the `entry_point` attribute marks.
pub(crate) fn read(text: &str, entry_point: Option<&str>) -> Result<Circuit, JobError> {
    let (functions, groups) = split(text);
    let entry = find_entry(&functions, &groups, entry_point)?;
    let mut reader = Reader::default();
    reader.walk(entry)?;
    let attributes = entry.group.and_then(|group| groups.get(group)).copied().unwrap_or_default();
    reader.finish(attributes)
}

fn failed(message: impl Into<String>) -> JobError {
    JobError::new("QIRPreProcessingFailed", message)
}

fn split(text: &str) -> (Vec<Function<'_>>, HashMap<&str, &str>) {
    let (mut functions, mut groups) = (Vec::new(), HashMap::new());
    let mut open: Option<Function<'_>> = None;
    for (index, raw) in text.lines().enumerate() {
        let line = without_comment(raw).trim();
        if let Some(function) = &mut open {
            match line.strip_suffix(':') {
                Some(label) => {
                    function.labels.insert(label.trim_matches('"'), function.lines.len());
                }
                None if line == "}" => functions.extend(open.take()),
                None if line.is_empty() => {}
                None => function.lines.push(Line { number: index + 1, text: line }),
            }
        } else if let Some(header) = line.strip_prefix("define ") {
            let name = callee(header).unwrap_or_default();
            let group = header.split_whitespace().find(|word| word.starts_with('#'));
            open = Some(Function { name, group, labels: HashMap::new(), lines: Vec::new() });
        } else if let Some((group, body)) =
            line.strip_prefix("attributes ").and_then(|rest| rest.split_once('='))
        {
            groups.insert(group.trim(), body.trim());
        }
    }
    (functions, groups)
}

/// The line up to a `;` that is not inside quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ';' && !quoted
    });
    end.map_or(line, |(at, _)| &line[..at])
}

fn find_entry<'a, 'text>(
    functions: &'a [Function<'text>],
    groups: &HashMap<&str, &str>,
    wanted: Option<&str>,
) -> Result<&'a Function<'text>, JobError> {
    if let Some(wanted) = wanted.filter(|name| !name.is_empty()) {
        return functions
            .iter()
            .find(|function| function.name == wanted)
            .ok_or_else(|| failed(format!("The entry point '{wanted}' is missing from the program.")));
    }
    functions
        .iter()
        .find(|function| {
            let attributes = function.group.and_then(|group| groups.get(group));
            // The second spelling is that of older QIR tools.
            attributes.is_some_and(|text| text.contains("\"entry_point\"") || text.contains("\"EntryPoint\""))
        })
        .ok_or_else(|| failed("The program has no entry point: no function has the 'entry_point' attribute."))
}

#[derive(Default)]
struct Reader {
    steps: Vec<Step>,
    /// What was recorded, in the order of the calls.
    recorded: Vec<Recorded>,
    qubits: usize,
    results: usize,
    measured: HashSet<usize>,
}

enum Recorded {
    Array(usize),
    Tuple(usize),
    Result(usize),
}

impl Reader {
    /// Follows the blocks from the first; the base profile knows only unconditional branches.
    fn walk(&mut self, function: &Function<'_>) -> Result<(), JobError> {
        let (mut at, mut jumps) = (0, 0);
        while let Some(line) = function.lines.get(at) {
            let unsupported = |what: &str| {
                let message = format!("Line {}: {what}: `{}`.", line.number, line.text);
                JobError::new("CompilationError", message)
            };
            if line.text.starts_with("ret ") || line.text == "ret" {
                return Ok(());
            } else if let Some(label) = line.text.strip_prefix("br label %") {
                let label = label.trim_matches('"');
                jumps += 1;
                if jumps > function.labels.len() {
                    return Err(unsupported("the blocks run in a circle"));
                }
                at = *function.labels.get(label).ok_or_else(|| unsupported("no such block"))?;
            } else if let Some(call) = call_of(line.text) {
                self.call(call).map_err(|reason| unsupported(&reason))?;
                at += 1;
            } else {
                return Err(unsupported("this instruction is not part of the base profile"));
            }
        }
        Err(failed(format!("The function '{}' does not return.", function.name)))
    }

    fn call(&mut self, call: &str) -> Result<(), String> {
        let name = callee(call).ok_or("no function is called")?;
        let arguments = arguments(call).ok_or("the arguments are not closed")?;
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().ok_or_else(|| format!("`{name}` lacks an argument"));
        if let Some(runtime) = name.strip_prefix("__quantum__rt__") {
            match runtime {
                "initialize" => return Ok(()),
                "array_record_output" => self.recorded.push(Recorded::Array(integer(next()?)?)),
                "tuple_record_output" => self.recorded.push(Recorded::Tuple(integer(next()?)?)),
                "result_record_output" => self.recorded.push(Recorded::Result(pointer(next()?)?)),
                _ => return Err(format!("undefined symbol `{name}`")),
            }
            return Ok(());
        }
        match name {
            "__quantum__qis__mz__body" | "__quantum__qis__m__body" | "__quantum__qis__measure__body" => {
                let (qubit, bit) = (self.qubit(next()?)?, pointer(next()?)?);
                self.measure(qubit, bit);
            }
            "__quantum__qis__mresetz__body" => {
                let (qubit, bit) = (self.qubit(next()?)?, pointer(next()?)?);
                self.measure(qubit, bit);
                self.steps.push(Step::Reset { qubit });
            }
            "__quantum__qis__reset__body" => {
                let qubit = self.qubit(next()?)?;
                self.steps.push(Step::Reset { qubit });
            }
            "__quantum__qis__barrier__body" => {}
            _ => {
                let angle = if takes_angle(name) { double(next()?)? } else { 0.0 };
                let (gate, controls) =
                    gate(name, angle).ok_or_else(|| format!("undefined symbol `{name}`"))?;
                let mut qubits = Vec::new();
                for _ in 0..controls + gate.targets() {
                    let qubit = self.qubit(next()?)?;
                    if qubits.contains(&qubit) {
                        return Err(format!("`{name}` uses qubit {qubit} twice"));
                    }
                    qubits.push(qubit);
                }
                let targets = qubits.split_off(controls);
                self.steps.push(Step::Apply { gate, controls: qubits, targets });
            }
        }
        Ok(())
    }

    fn qubit(&mut self, argument: &str) -> Result<usize, String> {
        let qubit = pointer(argument)?;
        self.qubits = self.qubits.max(qubit.saturating_add(1));
        Ok(qubit)
    }

    fn measure(&mut self, qubit: usize, bit: usize) {
        self.results = self.results.max(bit.saturating_add(1));
        self.measured.insert(bit);
        self.steps.push(Step::Measure { qubit, bit });
    }

    fn finish(self, attributes: &str) -> Result<Circuit, JobError> {
        let mut left = self.recorded.iter();
        let mut items = Vec::new();
        while let Some(first) = left.next() {
            items.push(self.record(first, &mut left, 0)?);
        }
        let record = match items.len() {
            0 => return Err(failed("The program records no output.")),
            1 => items.remove(0),
            _ => Record::Array(items),
        };
        let mut bits: Vec<usize> = self.measured.iter().copied().collect();
        bits.sort_unstable();
        let declared =
            attribute(attributes, &["required_num_qubits", "requiredQubits", "num_required_qubits"]);
        Ok(Circuit {
            qubits: self.qubits.max(declared).max(1),
            bits: self.results.max(1),
            steps: self.steps,
            record,
            registers: vec![Register { name: "c".to_owned(), bits }],
        })
    }

    fn record<'a>(
        &self,
        first: &Recorded,
        rest: &mut impl Iterator<Item = &'a Recorded>,
        depth: usize,
    ) -> Result<Record, JobError> {
        if depth > MAX_DEPTH {
            return Err(failed(format!("Records are nested more than {MAX_DEPTH} deep.")));
        }
        let count = match first {
            Recorded::Result(result) if self.measured.contains(result) => return Ok(Record::Bit(*result)),
            Recorded::Result(result) => {
                return Err(failed(format!("Result {result} is recorded but never measured.")));
            }
            Recorded::Array(count) | Recorded::Tuple(count) => *count,
        };
        let mut items = Vec::new();
        for _ in 0..count {
            let item = rest.next().ok_or_else(|| {
                failed(format!("A record of {count} items is announced, but only {} follow.", items.len()))
            })?;
            items.push(self.record(item, rest, depth + 1)?);
        }
        Ok(match first {
            Recorded::Tuple(_) => Record::Tuple(items),
            _ => Record::Array(items),
        })
    }
}

fn takes_angle(name: &str) -> bool {
    matches!(
        name.trim_start_matches("__quantum__qis__"),
        "rx__body" | "ry__body" | "rz__body" | "rxx__body" | "ryy__body" | "rzz__body"
    )
}

/// The gate behind a quantum instruction, and how many of its first arguments are controls.
fn gate(name: &str, angle: f64) -> Option<(Gate, usize)> {
    Some(match name.strip_prefix("__quantum__qis__")? {
        "h__body" => (Gate::H, 0),
        "x__body" => (Gate::X, 0),
        "y__body" => (Gate::Y, 0),
        "z__body" => (Gate::Z, 0),
        "s__body" => (Gate::S, 0),
        "s__adj" => (Gate::Sdg, 0),
        "t__body" => (Gate::T, 0),
        "t__adj" => (Gate::Tdg, 0),
        "sx__body" => (Gate::V, 0),
        "rx__body" => (Gate::Rx(angle), 0),
        "ry__body" => (Gate::Ry(angle), 0),
        "rz__body" => (Gate::Rz(angle), 0),
        "rxx__body" => (Gate::Rxx(angle), 0),
        "ryy__body" => (Gate::Ryy(angle), 0),
        "rzz__body" => (Gate::Rzz(angle), 0),
        "swap__body" => (Gate::Swap, 0),
        "cnot__body" | "cx__body" => (Gate::X, 1),
        "cy__body" => (Gate::Y, 1),
        "cz__body" => (Gate::Z, 1),
        "ccx__body" | "ccnot__body" => (Gate::X, 2),
        _ => return None,
    })
}

/// `call ...` behind an optional result name and tail marker.
fn call_of(line: &str) -> Option<&str> {
    let line = match line.split_once(" = ") {
        Some((name, rest)) if name.starts_with('%') => rest,
        _ => line,
    };
    let line =
        ["tail ", "notail ", "musttail "].iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line);
    line.strip_prefix("call ")
}

/// The name behind the first `@`.
fn callee(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('@')?;
    let (name, _) = rest.split_once('(')?;
    Some(name.trim().trim_matches('"'))
}

/// The arguments of a call, split at the commas outside parentheses.
fn arguments(call: &str) -> Option<Vec<&str>> {
    let start = call.find('@')? + call[call.find('@')?..].find('(')? + 1;
    let (mut depth, mut from, mut all) = (0_usize, start, Vec::new());
    for (at, c) in call.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ')' => {
                all.push(call[from..at].trim());
                all.retain(|argument| !argument.is_empty());
                return Some(all);
            }
            ',' if depth == 0 => {
                all.push(call[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// The number behind a qubit or result pointer: `null`, or `inttoptr (i64 N to ...)`.
fn pointer(argument: &str) -> Result<usize, String> {
    if let Some((_, rest)) = argument.split_once("inttoptr") {
        let number = rest.split_once("i64 ").and_then(|(_, rest)| rest.split_whitespace().next());
        return number
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| format!("`{argument}` is no pointer to a qubit or result"));
    }
    if argument.ends_with("null") {
        return Ok(0);
    }
    Err(format!("`{argument}` is not fixed; the base profile numbers its qubits and results"))
}

fn integer(argument: &str) -> Result<usize, String> {
    let number = argument.split_whitespace().last().and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("`{argument}` is no count"))
}

/// A decimal, or the bits of a double in hexadecimal, as LLVM prints what decimals cannot hold.
fn double(argument: &str) -> Result<f64, String> {
    let text = argument.split_whitespace().last().unwrap_or_default();
    let value = match text.strip_prefix("0x") {
        Some(bits) => u64::from_str_radix(bits, 16).ok().map(f64::from_bits),
        None => text.parse().ok(),
    };
    value.filter(|value| value.is_finite()).ok_or_else(|| format!("`{argument}` is no angle"))
}

/// The number in `"name"="3"`, under the first of these names that is there.
fn attribute(attributes: &str, names: &[&str]) -> usize {
    names
        .iter()
        .find_map(|name| {
            let (_, rest) = attributes.split_once(&format!("\"{name}\"=\""))?;
            rest.split_once('"')?.0.parse().ok()
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
