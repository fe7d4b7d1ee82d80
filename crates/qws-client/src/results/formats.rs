//! The output formats, each a function from bytes to histograms or shots.

use serde::Deserialize;

use super::{
    Context, Histogram, Shots,
    histogram::Given,
    packed::Packed,
    rows,
    scan::{Cursor, Read},
    value::ShotValue,
};

const V2: &str = "microsoft.quantum-results.v2";

/// The widest program whose labels are written out.
const MOST_QUBITS: usize = 4096;

/// `{"histogram": {"<number>": probability}}`: qubit 0 is the lowest bit of the number.
pub(super) fn ionq_v1(bytes: &[u8], context: Context) -> Read<Histogram> {
    let width = context.num_qubits;
    let read = |cursor: &mut Cursor<'_>| {
        let mut states: Vec<(u128, f64)> = Vec::new();
        cursor.object(|cursor, key, at| {
            let unclear = || cursor.fault_at(at, format!("the key {key:?} is no whole number below 2^128"));
            let state: u128 = key.parse().map_err(|_| unclear())?;
            if width.is_some_and(|width| bits(state) > width) {
                let text = format!(
                    "an outcome of {} bits, and the job has {} qubits",
                    bits(state),
                    width.unwrap_or(0)
                );
                return Err(cursor.fault_at(at, text));
            }
            states.push((state, probability(cursor)?));
            Ok(())
        })?;
        Ok(states)
    };
    let states = field(bytes, "histogram", read)?;
    let needed = states.iter().map(|(state, _)| bits(*state)).max().unwrap_or(0).max(1);
    let width = width.filter(|width| *width <= MOST_QUBITS).unwrap_or(needed);
    let label = |state: u128| {
        (0..width).map(|qubit| if qubit < 128 && state >> qubit & 1 == 1 { '1' } else { '0' }).collect()
    };
    let bars = states.into_iter().map(|(state, probability)| (label(state), probability));
    Ok(Histogram::new(Given::Probabilities(bars.collect()), context.shots))
}

fn bits(state: u128) -> usize {
    128 - state.leading_zeros() as usize
}

/// `{"Histogram": ["label", probability, …]}`.
pub(super) fn microsoft_v1(bytes: &[u8], context: Context) -> Read<Histogram> {
    let bars = field(bytes, "Histogram", |cursor| {
        let mut bars: Vec<(String, f64)> = Vec::new();
        let mut waiting: Option<String> = None;
        cursor.array(|cursor, _| {
            match waiting.take() {
                Some(label) => bars.push((label, probability(cursor)?)),
                None => waiting = Some(cursor.value()?),
            }
            Ok(())
        })?;
        match waiting {
            Some(label) => Err(cursor.fault(format!("the label {label:?} has no probability after it"))),
            None => Ok(bars),
        }
    })?;
    Ok(Histogram::new(Given::Probabilities(bars), context.shots))
}

/// `{"DataFormat": …, "Results": [{"Histogram": [{"Outcome", "Display", "Count"}], "Shots": […]}]}`.
pub(super) fn microsoft_v2_histograms(bytes: &[u8]) -> Read<Vec<Histogram>> {
    #[derive(Deserialize)]
    struct Bar {
        #[serde(rename = "Display")]
        display: String,
        #[serde(rename = "Count")]
        count: u64,
    }
    microsoft_v2(bytes, "Histogram", |cursor| {
        let mut bars = Vec::new();
        cursor.array(|cursor, _| {
            let Bar { display, count } = cursor.value()?;
            bars.push((display, count));
            Ok(())
        })?;
        Ok(Histogram::new(Given::Counts(bars), None))
    })
}

/// As [`microsoft_v2_histograms`].
pub(super) fn microsoft_v2_shots(bytes: &[u8]) -> Read<Vec<Shots>> {
    microsoft_v2(bytes, "Shots", rows::shots)
}

/// Reads the `wanted` field of each result.
fn microsoft_v2<T>(
    bytes: &[u8],
    wanted: &str,
    mut read: impl FnMut(&mut Cursor<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let mut cursor = Cursor::new(bytes);
    let mut format = false;
    let mut results = Vec::new();
    cursor.object(|cursor, key, _| match key {
        "DataFormat" => {
            cursor.peek();
            let at = cursor.at();
            let name: String = cursor.value()?;
            format = true;
            if name == V2 { Ok(()) } else { Err(cursor.fault_at(at, format!("it is {name:?}, not {V2:?}"))) }
        }
        "Results" => cursor.array(|cursor, _| {
            results.push(wanted_field(cursor, wanted, &mut read)?);
            Ok(())
        }),
        _ => cursor.skip(),
    })?;
    cursor.end()?;
    match (format, results.is_empty()) {
        (true, false) => Ok(results),
        (false, _) => Err(cursor.fault_at(0, "there is no `DataFormat`")),
        (true, true) => Err(cursor.fault_at(0, "`Results` is missing or empty")),
    }
}

/// Reads `{"<register>": ["0101", …], …}`, one string a shot.
///
/// A string has the highest bit of its register first, as OpenQASM registers are written (the service's Python client
/// takes it for a Qiskit bit string as it is); here bit 0 comes first, and registers come in the order of their names.
pub(super) fn quantinuum(bytes: &[u8]) -> Read<Shots> {
    let registers = registers(bytes, |cursor, name| match name {
        // Seen in recorded output; it has no meaning to anyone.
        "access_token" => cursor.skip().map(|()| None),
        _ => rows::strings(cursor).map(|packed| Some(Shots::packed(packed, Vec::new()))),
    })?;
    Ok(side_by_side(registers))
}

/// Reads `{"ro": [[0, 1], …], …}`, a list of the memory's values for each shot, bit 0 first.
pub(super) fn rigetti(bytes: &[u8]) -> Read<Shots> {
    let regions = registers(bytes, |cursor, _| {
        let at = cursor.at();
        let shots = rows::shots(cursor)?;
        if shots.errors().is_empty() { Ok(Some(shots)) } else { Err(cursor.fault_at(at, "it holds errors")) }
    })?;
    Ok(side_by_side(regions))
}

/// The registers of an object by name, all of equally many shots.
fn registers(
    bytes: &[u8],
    mut read: impl FnMut(&mut Cursor<'_>, &str) -> Read<Option<Shots>>,
) -> Read<Vec<(String, Shots)>> {
    let mut cursor = Cursor::new(bytes);
    let mut all: Vec<(String, Shots)> = Vec::new();
    cursor.object(|cursor, name, at| {
        let Some(shots) = read(cursor, name)? else { return Ok(()) };
        if all.iter().any(|(other, _)| other == name) {
            return Err(cursor.fault_at(at, "this register is there twice"));
        }
        if let Some((other, first)) = all.first().filter(|(_, first)| first.len() != shots.len()) {
            let text = format!("{} shots, and `{other}` has {}", shots.len(), first.len());
            return Err(cursor.fault_at(at, text));
        }
        all.push((name.to_owned(), shots));
        Ok(())
    })?;
    cursor.end()?;
    if all.is_empty() {
        return Err(cursor.fault_at(0, "there is no register"));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}

/// Registers of bits side by side; with other values among them, a shot is a tuple of its registers.
fn side_by_side(registers: Vec<(String, Shots)>) -> Shots {
    let parts: Vec<_> = registers.into_iter().map(|(name, shots)| (name, shots.into_parts().0)).collect();
    if parts.iter().all(|(_, part)| part.is_ok()) {
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name, part.ok()?)));
        return Shots::packed(Packed::side_by_side(parts.collect()), Vec::new());
    }
    let mut columns: Vec<_> = parts
        .into_iter()
        .map(|(_, part)| part.map_or_else(|values| values, |packed| rows::unpacked(&packed)))
        .collect();
    if let [_] = columns.as_slice() {
        return Shots::values(columns.remove(0), Vec::new());
    }
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let shots = columns.first().map_or(0, ExactSizeIterator::len);
    let tuple = |_| ShotValue::Tuple(columns.iter_mut().filter_map(Iterator::next).collect());
    Shots::values((0..shots).map(tuple).collect(), Vec::new())
}

/// `{"<bits>": count, …}`, or the same within `counter`: the first atom of the register is the first bit.
pub(super) fn pasqal(bytes: &[u8]) -> Read<Histogram> {
    let mut wrapped = false;
    let mut cursor = Cursor::new(bytes);
    cursor.object(|cursor, key, _| {
        wrapped |= key == "counter";
        cursor.skip()
    })?;
    cursor.end()?;
    let counts = if wrapped { field(bytes, "counter", counts)? } else { counts(&mut Cursor::new(bytes))? };
    Ok(Histogram::new(Given::Counts(counts), None))
}

fn counts(cursor: &mut Cursor<'_>) -> Read<Vec<(String, u64)>> {
    let mut counts = Vec::new();
    cursor.object(|cursor, key, at| {
        if key.is_empty() || !key.bytes().all(|byte| matches!(byte, b'0' | b'1')) {
            return Err(cursor.fault_at(at, format!("the key {key:?} is no outcome of `0` and `1`")));
        }
        counts.push((key.to_owned(), cursor.value()?));
        Ok(())
    })?;
    Ok(counts)
}

/// Reads one field of the document.
fn field<T>(bytes: &[u8], wanted: &str, mut read: impl FnMut(&mut Cursor<'_>) -> Read<T>) -> Read<T> {
    let mut cursor = Cursor::new(bytes);
    let value = wanted_field(&mut cursor, wanted, &mut read)?;
    cursor.end()?;
    Ok(value)
}

/// Reads one field of an object. `null` counts as missing, as everywhere in the service's answers.
fn wanted_field<T>(
    cursor: &mut Cursor<'_>,
    wanted: &str,
    read: &mut impl FnMut(&mut Cursor<'_>) -> Read<T>,
) -> Read<T> {
    cursor.peek();
    let at = cursor.at();
    let mut value = None;
    cursor.object(|cursor, key, key_at| {
        if key != wanted || cursor.peek() == Some(b'n') {
            return cursor.skip();
        }
        if value.is_some() {
            return Err(cursor.fault_at(key_at, "it is there twice"));
        }
        value = Some(read(cursor)?);
        Ok(())
    })?;
    value.ok_or_else(|| cursor.fault_at(at, format!("there is no `{wanted}`")))
}

fn probability(cursor: &mut Cursor<'_>) -> Read<f64> {
    cursor.peek();
    let at = cursor.at();
    let probability: f64 = cursor.value()?;
    // Sums of rounded amplitudes may pass 1 by a hair.
    if (0.0..=1.0 + 1e-6).contains(&probability) {
        return Ok(probability);
    }
    Err(cursor.fault_at(at, format!("the probability {probability} is not between 0 and 1")))
}

#[cfg(test)]
#[path = "formats_tests.rs"]
mod tests;
