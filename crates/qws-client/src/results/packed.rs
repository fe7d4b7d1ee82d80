use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::Range,
};

/// What one measurement gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bit {
    /// 0.
    Zero,
    /// 1.
    One,
    /// Neither: the qubit was lost on the way. Written `-`.
    Lost,
}

impl Bit {
    /// Whether it is [`Bit::One`].
    #[must_use]
    pub fn is_one(self) -> bool {
        self == Self::One
    }
}

impl From<bool> for Bit {
    fn from(bit: bool) -> Self {
        if bit { Self::One } else { Self::Zero }
    }
}

impl fmt::Display for Bit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "0",
            Self::One => "1",
            Self::Lost => "-",
        })
    }
}

/// A named part of the bits of every shot: a classical register (Quantinuum) or a memory region (Rigetti).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Register {
    /// Its name in the program.
    pub name: String,
    /// Its bits in the shot, its bit 0 first.
    pub bits: Range<usize>,
}

/// How a shot of bits is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    /// One bit alone: `1`.
    Scalar,
    /// `[1, 0]`.
    List,
    /// `10 1`.
    Registers(Vec<Register>),
}

/// The bits of one shot while they are read.
#[derive(Default)]
pub(super) struct Row {
    bytes: Vec<u8>,
    /// The byte that is not full yet.
    last: u8,
    width: usize,
    lost: Vec<usize>,
}

impl Row {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.last, self.width) = (0, 0);
        self.lost.clear();
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn push(&mut self, bit: Bit) {
        if bit == Bit::Lost {
            self.lost.push(self.width);
        }
        self.last |= u8::from(bit.is_one()) << (self.width % 8);
        self.width += 1;
        if self.width.is_multiple_of(8) {
            self.bytes.push(self.last);
            self.last = 0;
        }
    }
}

/// Shots of equally many bits, each in as few bytes as hold it; bit 0 is the lowest of the first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) style: Style,
    pub(super) width: usize,
    pub(super) len: usize,
    bytes: Vec<u8>,
    /// Shot and bit of what was lost, in order. It is rare.
    lost: Vec<(usize, usize)>,
}

impl Packed {
    pub(super) fn new(style: Style, width: usize) -> Self {
        Self { style, width, len: 0, bytes: Vec::new(), lost: Vec::new() }
    }

    /// Adds a shot, or says no if it has another width.
    pub(super) fn push(&mut self, row: &Row) -> bool {
        if row.width != self.width {
            return false;
        }
        self.bytes.extend_from_slice(&row.bytes);
        self.bytes.extend((!row.width.is_multiple_of(8)).then_some(row.last));
        self.lost.extend(row.lost.iter().map(|&bit| (self.len, bit)));
        self.len += 1;
        true
    }

    pub(super) fn get(&self, shot: usize) -> Option<BitString<'_>> {
        (shot < self.len).then(|| self.row(shot))
    }

    /// A shot that there is.
    pub(super) fn row(&self, shot: usize) -> BitString<'_> {
        let stride = self.width.div_ceil(8);
        let lost = if self.lost.is_empty() {
            &self.lost[..]
        } else {
            let before = |shot| self.lost.partition_point(|&(of, _)| of < shot);
            &self.lost[before(shot)..before(shot + 1)]
        };
        let bytes = &self.bytes[shot * stride..(shot + 1) * stride];
        BitString { style: &self.style, width: self.width, bytes, lost }
    }

    /// Puts registers of equally many shots side by side, in the order given.
    pub(super) fn side_by_side(registers: Vec<(String, Self)>) -> Self {
        let mut width = 0;
        let mut parts = Vec::with_capacity(registers.len());
        let mut names = Vec::with_capacity(registers.len());
        for (name, part) in registers {
            names.push(Register { name, bits: width..width + part.width });
            width += part.width;
            parts.push(part);
        }
        let mut all = Self::new(Style::Registers(names), width);
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Self { style: all.style, ..only };
        }
        let mut row = Row::default();
        for shot in 0..parts.first().map_or(0, |part| part.len) {
            row.clear();
            parts.iter().map(|part| part.row(shot)).flat_map(BitString::iter).for_each(|bit| row.push(bit));
            all.push(&row);
        }
        all
    }
}

/// The bits that one shot recorded, first recorded (or qubit 0) first. `Display` writes it as its format does, and as it
/// is labelled in histograms.
#[derive(Clone, Copy)]
pub struct BitString<'a> {
    style: &'a Style,
    width: usize,
    bytes: &'a [u8],
    lost: &'a [(usize, usize)],
}

impl<'a> BitString<'a> {
    /// How many bits.
    #[must_use]
    pub fn len(self) -> usize {
        self.width
    }

    /// Whether the program records nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.width == 0
    }

    /// The bit at this place, from 0.
    #[must_use]
    pub fn get(self, index: usize) -> Option<Bit> {
        if index >= self.width {
            return None;
        }
        let lost = !self.lost.is_empty() && self.lost.iter().any(|&(_, bit)| bit == index);
        Some(if lost { Bit::Lost } else { Bit::from(self.bytes[index / 8] >> (index % 8) & 1 == 1) })
    }

    /// The bits in order.
    pub fn iter(self) -> impl Iterator<Item = Bit> + 'a {
        (0..self.width).filter_map(move |index| self.get(index))
    }

    /// The number whose lowest bit is the first one. `None` above 128 bits, or if a qubit was lost.
    #[must_use]
    pub fn to_u128(self) -> Option<u128> {
        if self.width > 128 || !self.lost.is_empty() {
            return None;
        }
        Some(self.bytes.iter().rev().fold(0, |number, &byte| number << 8 | u128::from(byte)))
    }
}

/// Equal if the bits are; how they are written does not count.
impl PartialEq for BitString<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.width == other.width
            && self.bytes == other.bytes
            && self.lost.iter().map(|lost| lost.1).eq(other.lost.iter().map(|lost| lost.1))
    }
}

impl Eq for BitString<'_> {}

impl Hash for BitString<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
        self.lost.iter().for_each(|(_, bit)| bit.hash(state));
    }
}

impl fmt::Display for BitString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.style {
            Style::Scalar => self.iter().try_for_each(|bit| bit.fmt(f)),
            Style::List => {
                f.write_str("[")?;
                self.iter().enumerate().try_for_each(|(n, bit)| {
                    f.write_str(if n == 0 { "" } else { ", " })?;
                    bit.fmt(f)
                })?;
                f.write_str("]")
            }
            Style::Registers(registers) => registers.iter().enumerate().try_for_each(|(n, register)| {
                f.write_str(if n == 0 { "" } else { " " })?;
                register.bits.clone().filter_map(|bit| self.get(bit)).try_for_each(|bit| bit.fmt(f))
            }),
        }
    }
}

impl fmt::Debug for BitString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BitString({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(style: Style, rows: &[&str]) -> Packed {
        let mut packed = Packed::new(style, rows[0].len());
        for text in rows {
            let mut row = Row::default();
            text.chars().for_each(|c| row.push(if c == '-' { Bit::Lost } else { (c == '1').into() }));
            assert!(packed.push(&row));
        }
        packed
    }

    #[test]
    fn bits_come_back_in_order_and_lost_ones_are_known() {
        let packed = packed(Style::List, &["1000000001", "0-0000000-", "0000000000"]);
        let shown: Vec<_> = (0..3).filter_map(|n| packed.get(n)).map(|bits| bits.to_string()).collect();
        assert_eq!(shown[0], "[1, 0, 0, 0, 0, 0, 0, 0, 0, 1]");
        assert_eq!(shown[1], "[0, -, 0, 0, 0, 0, 0, 0, 0, -]");
        let bits = |shot| packed.get(shot).unwrap();
        assert_eq!((bits(0).to_u128(), bits(1).to_u128(), bits(2).to_u128()), (Some(513), None, Some(0)));
        assert_ne!(bits(1), bits(2));
        assert!(packed.get(3).is_none() && bits(0).get(10).is_none());
        assert_eq!(packed.bytes.len(), 6);
    }

    #[test]
    fn registers_lie_side_by_side() {
        let both = Packed::side_by_side(vec![
            ("a".into(), packed(Style::List, &["10", "01"])),
            ("b".into(), packed(Style::List, &["1", "-"])),
        ]);
        let shown: Vec<_> = (0..2).filter_map(|n| both.get(n)).map(|bits| bits.to_string()).collect();
        assert_eq!(shown, ["10 1", "01 -"]);
    }
}
