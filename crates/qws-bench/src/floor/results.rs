//! `microsoft.quantum-results.v2` by serde, its shots as packed bits.

use anyhow::Result;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "fields are kept to be kept")]
pub(super) struct Output {
    data_format: String,
    pub(super) results: Vec<One>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    pub(super) histogram: Vec<Bar>,
    pub(super) shots: Shots,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "fields are kept to be kept")]
pub(super) struct Bar {
    outcome: Bits,
    display: String,
    count: u64,
}

pub(super) fn read(output: &[u8]) -> Result<Output> {
    Ok(serde_json::from_slice(output)?)
}

/// Up to 64 bits, the first one lowest.
#[derive(Debug, Clone, Copy)]
struct Bits {
    bits: u64,
    width: u32,
}

/// Shots of one width, one after the other in 64-bit words.
#[derive(Debug, Default)]
pub(super) struct Shots {
    words: Vec<u64>,
    width: u32,
    length: usize,
}

impl Shots {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Adds a shot; false if it is of another width.
    fn push(&mut self, shot: Bits) -> bool {
        if self.length == 0 {
            self.width = shot.width;
        }
        let start = self.length * self.width as usize;
        let (word, offset) = (start / 64, start % 64);
        self.words.resize((start + self.width as usize).div_ceil(64), 0);
        if let Some(low) = self.words.get_mut(word) {
            *low |= shot.bits << offset;
        }
        if let Some(high) = self.words.get_mut(word + 1) {
            *high |= shot.bits >> (64 - offset);
        }
        self.length += 1;
        shot.width == self.width
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ones;
        impl<'de> Visitor<'de> for Ones {
            type Value = Bits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("up to 64 bits")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bits, A::Error> {
                let mut all = Bits { bits: 0, width: 0 };
                while let Some(bit) = list.next_element::<u8>()? {
                    if bit > 1 || all.width == 64 {
                        return Err(A::Error::custom("no bit"));
                    }
                    all.bits |= u64::from(bit) << all.width;
                    all.width += 1;
                }
                Ok(all)
            }
        }
        deserializer.deserialize_seq(Ones)
    }
}

impl<'de> Deserialize<'de> for Shots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Shots;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of shots")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shots, A::Error> {
                let mut shots = Shots::default();
                while let Some(shot) = list.next_element()? {
                    if !shots.push(shot) {
                        return Err(A::Error::custom("shots of different widths"));
                    }
                }
                Ok(shots)
            }
        }
        deserializer.deserialize_seq(Each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shots_are_packed_across_words() {
        let ones = |width: usize| format!("[{}1]", "0,".repeat(width - 1));
        let shots = [ones(40), ones(40), ones(40)].join(",");
        let text = format!(
            r#"{{"DataFormat":"x","Results":[{{"Histogram":[{{"Outcome":[0,1],"Display":"[0, 1]","Count":3}}],"Shots":[{shots}]}}]}}"#
        );
        let output = read(text.as_bytes()).unwrap();
        assert_eq!(output.results[0].shots.words, [1 << 39, 1 << (79 - 64) | 1 << (119 - 64)]);
        assert_eq!((output.results[0].shots.len(), output.results[0].histogram[0].outcome.bits), (3, 2));
        assert!(read(text.replace("[[0,", "[[2,").as_bytes()).is_err());
        assert!(read(text.replace("[[0,", "[[").as_bytes()).is_err());
    }
}
