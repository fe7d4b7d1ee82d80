//! What is measured and what must hold, as data.

use crate::measure::{Sample, Setup};
use crate::{floor, ours};
use anyhow::bail;
use std::fmt;
use std::str::FromStr;

/// What one measured process does.
pub(crate) type Work = fn(&Setup) -> anyhow::Result<Sample>;

/// One row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    floor: Work,
    ours: Work,
    /// Another way of doing it, for comparison only: its name and the work.
    beside: Option<(&'static str, Work)>,
    pub(crate) checks: &'static [Check],
}

/// One thing that is measured of a row, and its bound.
pub(crate) struct Check {
    pub(crate) quantity: Quantity,
    pub(crate) bound: Bound,
    /// What the floor was on the machine that the bounds were found on, in the unit of the quantity.
    pub(crate) reference: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// CPU time for one unit of work, in ns.
    CpuEach,
    /// CPU time for all of the work, in ns.
    Cpu,
    /// Wall time of the work, in ns.
    Wall,
    /// Wall time from the start of the process until its work is done, in ns.
    Cold,
    /// Most memory resident at once, in bytes.
    Peak,
    /// Requests that the server saw.
    Requests,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// Ours divided by the floor of the same round.
    Ratio(f64),
    /// Ours alone, in the unit of the quantity.
    Most(f64),
}

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Floor,
    Ours,
    Beside,
}

const US: f64 = 1e3;
const MS: f64 = 1e6;
const S: f64 = 1e9;
const MB: f64 = 1e6;

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "connection-string",
        floor: floor::connection_string,
        ours: ours::connection_string,
        beside: Some(("the regex crate", floor::connection_string_by_regex)),
        checks: &[check(Quantity::CpuEach, Bound::Most(700.0), 346.0)],
    },
    Row {
        name: "resource-id",
        floor: floor::resource_id,
        ours: ours::resource_id,
        beside: Some(("the regex crate", floor::resource_id_by_regex)),
        checks: &[check(Quantity::CpuEach, Bound::Most(250.0), 119.0)],
    },
    Row {
        name: "get-one",
        floor: floor::get_one,
        ours: ours::get_one,
        beside: None,
        checks: &[check(Quantity::CpuEach, Bound::Ratio(1.10), 67.0 * US)],
    },
    Row {
        name: "get-64",
        floor: floor::get_64,
        ours: ours::get_64,
        beside: None,
        checks: &[check(Quantity::CpuEach, Bound::Ratio(1.10), 31.0 * US)],
    },
    Row {
        name: "list-stream",
        floor: floor::list_stream,
        ours: ours::list_stream,
        beside: None,
        checks: &[
            check(Quantity::Cpu, Bound::Ratio(1.05), 0.77 * S),
            check(Quantity::Peak, Bound::Ratio(1.2), 10.0 * MB),
        ],
    },
    Row {
        name: "list-collect",
        floor: floor::list_collect,
        ours: ours::list_collect,
        beside: None,
        checks: &[check(Quantity::Peak, Bound::Ratio(1.0), 446.0 * MB)],
    },
    Row {
        name: "cold-start",
        floor: floor::cold_start,
        ours: ours::cold_start,
        beside: None,
        checks: &[check(Quantity::Cold, Bound::Ratio(1.20), 7.0 * MS)],
    },
    Row {
        name: "upload",
        floor: floor::upload,
        ours: ours::upload,
        beside: None,
        checks: &[
            check(Quantity::Wall, Bound::Ratio(1.15), 0.19 * S),
            check(Quantity::Peak, Bound::Most(32.0 * MB), 12.0 * MB),
        ],
    },
    Row {
        name: "download",
        floor: floor::download,
        ours: ours::download,
        beside: None,
        checks: &[
            check(Quantity::Wall, Bound::Ratio(1.10), 0.17 * S),
            check(Quantity::Peak, Bound::Most(24.0 * MB), 9.0 * MB),
        ],
    },
    Row {
        name: "results",
        floor: floor::results,
        ours: ours::results,
        beside: None,
        checks: &[
            check(Quantity::Cpu, Bound::Ratio(0.5), 0.35 * S),
            check(Quantity::Peak, Bound::Most(80.0 * MB), 64.0 * MB),
        ],
    },
    Row {
        name: "watch",
        floor: floor::watch,
        ours: ours::watch,
        beside: None,
        checks: &[
            check(Quantity::Requests, Bound::Ratio(0.1), 10_000.0),
            check(Quantity::Cpu, Bound::Ratio(1.0), 0.34 * S),
        ],
    },
];

const fn check(quantity: Quantity, bound: Bound, reference: f64) -> Check {
    Check { quantity, bound, reference: Some(reference) }
}

impl Row {
    pub(crate) fn work(&self, variant: Variant) -> Option<Work> {
        match variant {
            Variant::Floor => Some(self.floor),
            Variant::Ours => Some(self.ours),
            Variant::Beside => self.beside.map(|(_, work)| work),
        }
    }

    /// What the variant beside is called.
    pub(crate) fn beside(&self) -> Option<&'static str> {
        self.beside.map(|(name, _)| name)
    }

    /// How many processes one measurement takes: a short one says little.
    pub(crate) fn repeats(&self) -> usize {
        if self.checks.iter().any(|check| check.quantity == Quantity::Cold) { 9 } else { 1 }
    }
}

impl FromStr for Variant {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "floor" => Self::Floor,
            "ours" => Self::Ours,
            "beside" => Self::Beside,
            other => bail!("no variant `{other}`"),
        })
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Floor => "floor",
            Self::Ours => "ours",
            Self::Beside => "beside",
        })
    }
}

impl Quantity {
    /// The column of the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CpuEach => "CPU per call",
            Self::Cpu => "CPU",
            Self::Wall => "wall time",
            Self::Cold => "first answer",
            Self::Peak => "peak memory",
            Self::Requests => "requests",
        }
    }

    /// A value in a unit that people read.
    pub(crate) fn show(self, value: f64) -> String {
        match value {
            bytes if self == Self::Peak => format!("{:.1} MB", bytes / MB),
            count if self == Self::Requests => format!("{count:.0}"),
            ns if ns < US => format!("{ns:.0} ns"),
            ns if ns < MS => format!("{:.1} us", ns / US),
            ns if ns < S => format!("{:.1} ms", ns / MS),
            ns => format!("{:.2} s", ns / S),
        }
    }
}

impl Bound {
    pub(crate) fn show(self, quantity: Quantity) -> String {
        match self {
            Self::Ratio(most) => format!("x {most:.2}"),
            Self::Most(most) => quantity.show(most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_in_the_unit_that_fits() {
        for (value, shown) in
            [(346.4, "346 ns"), (67.04e3, "67.0 us"), (7.0e6, "7.0 ms"), (0.77e9, "770.0 ms")]
        {
            assert_eq!(Quantity::Cpu.show(value), shown);
        }
        assert_eq!(Quantity::Peak.show(446e6), "446.0 MB");
        assert_eq!(Quantity::Requests.show(10_000.0), "10000");
        assert_eq!(Bound::Ratio(1.1).show(Quantity::Cpu), "x 1.10");
    }

    #[test]
    fn variants_are_written_as_they_are_read() {
        for variant in [Variant::Floor, Variant::Ours, Variant::Beside] {
            assert_eq!(variant.to_string().parse::<Variant>().unwrap(), variant);
        }
    }
}
