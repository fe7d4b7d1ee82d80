//! Medians, verdicts, and the table.

use crate::rows::{Bound, Check, Row};
use std::fmt;
use std::process::ExitCode;

/// The floor against itself must come out between these, or the machine was too busy for a verdict.
const QUIET: std::ops::RangeInclusive<f64> = 0.95..=1.05;
/// How much slower than its reference a floor may be on a like machine before it is no floor.
const FLOOR_SLACK: f64 = 1.3;

/// What all rounds told of one check.
pub(crate) struct Finding {
    row: &'static Row,
    pub(crate) check: &'static Check,
    /// Two a round, before and after ours.
    floors: Vec<[f64; 2]>,
    ours: Vec<f64>,
    beside: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Missed,
    TooNoisy,
}

impl Finding {
    pub(crate) fn new(row: &'static Row, check: &'static Check) -> Self {
        Self { row, check, floors: Vec::new(), ours: Vec::new(), beside: Vec::new() }
    }

    pub(crate) fn add_round(&mut self, floors: [f64; 2], ours: f64, beside: Option<f64>) {
        self.floors.push(floors);
        self.ours.push(ours);
        self.beside.extend(beside);
    }

    /// The median of all rounds of the floor, both halves.
    fn floor(&self) -> f64 {
        median(self.floors.iter().flatten().copied().collect())
    }

    fn ours(&self) -> f64 {
        median(self.ours.clone())
    }

    /// The median of what ours was to the floors around it.
    fn ratio(&self) -> f64 {
        let ratio = |([before, after], ours): (&[f64; 2], &f64)| ours / f64::midpoint(*before, *after);
        median(self.floors.iter().zip(&self.ours).map(ratio).collect())
    }

    /// The median of what the floor was to itself in the same round: 1 on a quiet machine.
    fn noise(&self) -> f64 {
        median(self.floors.iter().map(|[before, after]| after / before).collect())
    }

    fn verdict(&self) -> Verdict {
        let holds = match self.check.bound {
            Bound::Ratio(most) => self.ratio() <= most,
            Bound::Most(most) => self.ours() <= most,
        };
        match (QUIET.contains(&self.noise()), holds) {
            (false, _) => Verdict::TooNoisy,
            (true, true) => Verdict::Passed,
            (true, false) => Verdict::Missed,
        }
    }

    fn cells(&self) -> [String; COLUMNS] {
        let quantity = self.check.quantity;
        let factor = |value: f64| format!("{value:.2}");
        [
            self.row.name.to_owned(),
            quantity.title().to_owned(),
            quantity.show(self.floor()),
            quantity.show(self.ours()),
            factor(self.ratio()),
            self.check.bound.show(quantity),
            factor(self.noise()),
            self.check.reference.map_or("-".to_owned(), |reference| factor(self.floor() / reference)),
            self.verdict().to_string(),
        ]
    }

    /// What is to be said of it besides its line.
    fn remarks(&self) -> Vec<String> {
        let (name, quantity) = (self.row.name, self.check.quantity);
        let beside = self.row.beside().filter(|_| !self.beside.is_empty());
        let beside = beside
            .map(|other| format!("{name}: {other} takes {}", quantity.show(median(self.beside.clone()))));
        let reference = self.check.reference.filter(|reference| self.floor() > reference * FLOOR_SLACK);
        let reference = reference.map(|reference| {
            let (title, reference) = (quantity.title(), quantity.show(reference));
            format!(
                "{name}: the {title} of the floor was {reference} on the machine of the bounds; if this machine is \
                 like that one, the floor is too slow to measure against"
            )
        });
        beside.into_iter().chain(reference).collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Missed => "MISSED",
            Self::TooNoisy => "too noisy",
        })
    }
}

/// The middle value, or the mean of the two middle ones. Of nothing it is no number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => f64::NAN,
        (Some(value), 1) => *value,
        (Some(value), _) => f64::midpoint(values[middle - 1], *value),
    }
}

const COLUMNS: usize = 9;
const TITLES: [&str; COLUMNS] =
    ["row", "measured", "floor", "ours", "ratio", "bound", "floor/floor", "floor/ref", "verdict"];

/// Prints the table, the remarks and a summary. The code is a failure if a bound was missed or the machine was too busy
/// to say.
pub(crate) fn print(findings: &[Finding]) -> ExitCode {
    let lines: Vec<_> = findings.iter().map(Finding::cells).collect();
    println!("{}", table(&lines));
    for remark in findings.iter().flat_map(Finding::remarks) {
        println!("{remark}");
    }
    let verdicts: Vec<_> = findings.iter().map(Finding::verdict).collect();
    let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let (missed, noisy) = (count(Verdict::Missed), count(Verdict::TooNoisy));
    println!("{} passed, {missed} missed, {noisy} too noisy", count(Verdict::Passed));
    if missed + noisy == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(lines: &[[String; COLUMNS]]) -> String {
    let titles = TITLES.map(str::to_owned);
    let all = || std::iter::once(&titles).chain(lines);
    let widths: Vec<usize> =
        (0..COLUMNS).map(|column| all().map(|line| line[column].len()).max().unwrap_or(0)).collect();
    let line = |cells: &[String; COLUMNS]| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // Numbers are read from the right.
            if (2..COLUMNS - 1).contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Quantity, ROWS};

    const RATIO: Check = Check { quantity: Quantity::Cpu, bound: Bound::Ratio(1.1), reference: Some(100.0) };
    const MOST: Check = Check { quantity: Quantity::Cpu, bound: Bound::Most(105.0), reference: None };

    fn finding(check: &'static Check, floors: [f64; 2], ours: f64) -> Finding {
        let mut finding = Finding::new(&ROWS[0], check);
        (0..11).for_each(|_| finding.add_round(floors, ours, None));
        finding
    }

    #[test]
    fn the_middle_is_found() {
        assert!(median(vec![]).is_nan());
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]).to_bits(), 2.5_f64.to_bits());
    }

    #[test]
    fn a_bound_holds_up_to_its_value() {
        for (check, ours, verdict) in [
            (&RATIO, 110.0, Verdict::Passed),
            (&RATIO, 111.0, Verdict::Missed),
            (&MOST, 105.0, Verdict::Passed),
            (&MOST, 106.0, Verdict::Missed),
        ] {
            assert_eq!(finding(check, [100.0, 100.0], ours).verdict(), verdict, "{ours}");
        }
    }

    #[test]
    fn a_busy_machine_gives_no_verdict_of_either_kind() {
        for (again, ours) in [(94.0, 90.0), (106.0, 90.0), (106.0, 200.0)] {
            assert_eq!(finding(&RATIO, [100.0, again], ours).verdict(), Verdict::TooNoisy);
        }
        assert_eq!(finding(&RATIO, [100.0, 104.0], 90.0).verdict(), Verdict::Passed);
    }

    #[test]
    fn a_slow_floor_is_remarked_upon() {
        assert!(finding(&RATIO, [129.0, 129.0], 1.0).remarks().is_empty());
        let remarks = finding(&RATIO, [131.0, 131.0], 1.0).remarks();
        assert!(remarks[0].contains("the floor is too slow to measure against"), "{remarks:?}");
    }

    #[test]
    fn one_bad_line_fails_the_run() {
        let (good, bad) = (finding(&RATIO, [100.0, 100.0], 90.0), finding(&RATIO, [100.0, 100.0], 120.0));
        assert_eq!(print(&[good]), ExitCode::SUCCESS);
        assert_eq!(print(&[bad]), ExitCode::FAILURE);
        assert_eq!(print(&[finding(&RATIO, [100.0, 120.0], 90.0)]), ExitCode::FAILURE);
    }
}
