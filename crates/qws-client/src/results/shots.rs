use std::{collections::HashMap, fmt, hash::Hash};

use super::{
    BitString, Histogram, Register, ShotValue,
    histogram::Given,
    packed::{Packed, Style},
};

/// What a program recorded, shot by shot, in the order of the run.
///
/// Plain bits are packed: about their number divided by 8 in bytes a shot. Shots that failed are not among the others, and
/// are found in [`Shots::errors`].
///
/// ```
/// use qws_client::Results;
///
/// let output = r#"{"DataFormat": "microsoft.quantum-results.v2",
///                  "Results": [{"Shots": [[1, 0], [1, 1], {"Error": {"Code": "0x20"}}]}]}"#;
/// let shots = Results::from_raw("microsoft.quantum-results.v2", output).shots()?;
/// let numbers: Vec<_> = shots.iter().filter_map(|shot| shot.bits()?.to_u128()).collect();
/// assert_eq!(numbers, [1, 3]); // the first bit is the lowest
/// assert_eq!(shots.errors()[0].to_string(), "Error 0x20");
/// # Ok::<(), qws_client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Shots {
    store: Store,
    errors: Vec<ShotError>,
}

#[derive(Debug, Clone, PartialEq)]
enum Store {
    Packed(Packed),
    Values(Vec<ShotValue>),
}

/// What one shot recorded. `Display` writes it as its label in histograms.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Shot<'a> {
    /// Bits, and nothing else.
    Bits(BitString<'a>),
    /// Anything else.
    Value(&'a ShotValue),
}

impl<'a> Shot<'a> {
    /// The bits, if the shot is nothing else.
    #[must_use]
    pub fn bits(self) -> Option<BitString<'a>> {
        match self {
            Self::Bits(bits) => Some(bits),
            Self::Value(_) => None,
        }
    }
}

impl fmt::Display for Shot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => bits.fmt(f),
            Self::Value(value) => value.fmt(f),
        }
    }
}

/// A shot that failed. `Display` writes it as its label in histograms: `Error 0x20: SomeName`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShotError {
    /// Which shot, from 0, all shots counted.
    pub shot: usize,
    /// The provider's code.
    pub code: Option<String>,
    /// The provider's name for it.
    pub name: Option<String>,
    /// All that was told, as JSON.
    pub details: String,
}

impl fmt::Display for ShotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.name) {
            (Some(code), Some(name)) => write!(f, "Error {code}: {name}"),
            (Some(text), None) | (None, Some(text)) => write!(f, "Error {text}"),
            (None, None) => write!(f, "Error {}", self.details),
        }
    }
}

impl Shots {
    pub(super) fn packed(packed: Packed, errors: Vec<ShotError>) -> Self {
        Self { store: Store::Packed(packed), errors }
    }

    pub(super) fn values(values: Vec<ShotValue>, errors: Vec<ShotError>) -> Self {
        Self { store: Store::Values(values), errors }
    }

    /// The bits, if all shots are bits; and the errors.
    pub(super) fn into_parts(self) -> (Result<Packed, Vec<ShotValue>>, Vec<ShotError>) {
        match self.store {
            Store::Packed(packed) => (Ok(packed), self.errors),
            Store::Values(values) => (Err(values), self.errors),
        }
    }

    /// How many shots there are, failed ones left out.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.store {
            Store::Packed(packed) => packed.len,
            Store::Values(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bits every shot has; `None` if shots are more than bits, or differ in their number.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        match &self.store {
            Store::Packed(packed) => Some(packed.width),
            Store::Values(_) => None,
        }
    }

    /// The registers that the bits of each shot come from, in the order of their names, where the format names them.
    #[must_use]
    pub fn registers(&self) -> &[Register] {
        match &self.store {
            Store::Packed(Packed { style: Style::Registers(registers), .. }) => registers,
            _ => &[],
        }
    }

    /// The shot at this place among those that did not fail, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Shot<'_>> {
        match &self.store {
            Store::Packed(packed) => packed.get(index).map(Shot::Bits),
            Store::Values(values) => values.get(index).map(Shot::Value),
        }
    }

    /// The shots that did not fail, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Shot<'_>> {
        (0..self.len()).map(|index| match &self.store {
            Store::Packed(packed) => Shot::Bits(packed.row(index)),
            Store::Values(values) => Shot::Value(&values[index]),
        })
    }

    /// The shots that failed, in order.
    #[must_use]
    pub fn errors(&self) -> &[ShotError] {
        &self.errors
    }

    /// Counts the outcomes. As in the service's own histograms, shots that failed are outcomes too, one for every kind of
    /// error.
    #[must_use]
    pub fn histogram(&self) -> Histogram {
        let mut counts: Vec<(String, u64)> = match &self.store {
            Store::Packed(packed) => {
                let counts = count((0..packed.len).map(|index| packed.row(index)));
                counts.into_iter().map(|(bits, count)| (bits.to_string(), count)).collect()
            }
            Store::Values(values) => count(values.iter().map(ToString::to_string)).into_iter().collect(),
        };
        counts.extend(self.errors.iter().map(|error| (error.to_string(), 1)));
        Histogram::new(Given::Counts(counts), None)
    }
}

fn count<T: Eq + Hash>(items: impl Iterator<Item = T>) -> HashMap<T, u64> {
    let mut counts = HashMap::new();
    items.for_each(|item| *counts.entry(item).or_default() += 1);
    counts
}
