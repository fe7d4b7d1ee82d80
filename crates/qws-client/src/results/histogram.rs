use std::fmt;

/// Which numbers the service gave; the other kind is derived from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// How often each outcome was seen.
    Counts,
    /// The probability of each outcome.
    Probabilities,
}

/// The numbers as they were given, by label.
pub(crate) enum Given {
    Counts(Vec<(String, u64)>),
    Probabilities(Vec<(String, f64)>),
}

/// How often each outcome occurred, by label, in the order of the labels.
///
/// [`Histogram::measure`] says whether the service gave counts or probabilities. The other is computed, not sampled, and
/// marked `~` where the histogram is printed. Labels read qubit 0 (or the first recorded result) first.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    outcomes: Vec<Outcome>,
    measure: Measure,
    shots: Option<u64>,
}

/// One bar of a histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    label: String,
    probability: f64,
    count: Option<u64>,
}

impl Outcome {
    /// The outcome, qubit 0 first: `100` or `[1, 0, 0]`, as the format writes it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Between 0 and 1: as the service gave it, or the count by the number of shots.
    #[must_use]
    pub fn probability(&self) -> f64 {
        self.probability
    }

    /// How often it was seen; `None` where the service gave probabilities.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        self.count
    }
}

impl Histogram {
    /// `shots_asked` is used only where the numbers are probabilities; counts tell their own sum.
    pub(crate) fn new(given: Given, shots_asked: Option<u64>) -> Self {
        let (mut outcomes, measure, shots) = match given {
            Given::Probabilities(bars) => {
                let outcome = |(label, probability)| Outcome { label, probability, count: None };
                (bars.into_iter().map(outcome).collect::<Vec<_>>(), Measure::Probabilities, shots_asked)
            }
            Given::Counts(bars) => {
                let shots = bars.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
                let outcome =
                    |(label, count)| Outcome { label, probability: ratio(count, shots), count: Some(count) };
                (bars.into_iter().map(outcome).collect(), Measure::Counts, Some(shots))
            }
        };
        outcomes.sort_by(|a, b| a.label.cmp(&b.label));
        Self { outcomes, measure, shots }
    }

    /// Which numbers the service gave.
    #[must_use]
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// The bars, in the order of their labels.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The bar with this label.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.label == label)
    }

    /// How many shots the numbers stand for: the sum of the counts, or, with probabilities, what the job asked for.
    #[must_use]
    pub fn shots(&self) -> Option<u64> {
        self.shots
    }

    /// How often an outcome is to be expected: its count, or its probability times the shots. `None` if the shots are
    /// not known.
    #[must_use]
    pub fn expected_count(&self, outcome: &Outcome) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "counts of shots are far below 2^52")]
        let number = |count: u64| count as f64;
        outcome.count.map(number).or_else(|| self.shots.map(|shots| outcome.probability * number(shots)))
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of shots are far below 2^52")]
fn ratio(count: u64, shots: u64) -> f64 {
    if shots == 0 { 0.0 } else { count as f64 / shots as f64 }
}

/// Columns of the longest bar.
const BAR: u8 = 40;

/// One line an outcome: label, bar, count, probability. `~` marks the derived number; `{:#}` draws with ASCII only.
impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = if f.alternate() { "#" } else { "█" };
        let width = |text: &str| text.chars().count();
        let labels = self.outcomes.iter().map(|outcome| width(&outcome.label)).max().unwrap_or(0);
        let tallest = self.outcomes.iter().map(Outcome::probability).fold(0.0, f64::max);
        let (count_mark, probability_mark) = match self.measure {
            Measure::Counts => ("", "~"),
            Measure::Probabilities => ("~", ""),
        };
        let counts: Vec<String> = self
            .outcomes
            .iter()
            .map(|outcome| match self.expected_count(outcome) {
                Some(count) => format!("{count_mark}{count:.0}"),
                None => String::new(),
            })
            .collect();
        let count_width = counts.iter().map(|text| width(text)).max().unwrap_or(0);
        for (at, (outcome, count)) in self.outcomes.iter().zip(&counts).enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let share = if tallest > 0.0 { outcome.probability / tallest } else { 0.0 };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 40")]
            let bar = block.repeat((share * f64::from(BAR)).round() as usize);
            let padding = " ".repeat(usize::from(BAR) - width(&bar));
            let label = &outcome.label;
            write!(
                f,
                "{label:<labels$}  {bar}{padding}  {count:>count_width$}  {probability_mark}{:.4}",
                outcome.probability
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_probabilities_are_exact_and_counts_are_marked_as_derived() {
        let bars = vec![("111".to_owned(), 0.5), ("000".to_owned(), 0.5)];
        let histogram = Histogram::new(Given::Probabilities(bars), Some(500));
        let bar = "#".repeat(40);
        assert_eq!(format!("{histogram:#}"), format!("000  {bar}  ~250  0.5000\n111  {bar}  ~250  0.5000"));
        assert_eq!(histogram.get("000").unwrap().count(), None);
    }

    #[test]
    fn given_counts_are_exact_and_probabilities_are_marked_as_derived() {
        let bars = vec![("[0]".to_owned(), 3), ("[1]".to_owned(), 1)];
        let histogram = Histogram::new(Given::Counts(bars), None);
        assert_eq!((histogram.measure(), histogram.shots()), (Measure::Counts, Some(4)));
        let text = histogram.to_string();
        assert!(text.starts_with("[0]  ████"), "{text}");
        assert!(text.ends_with("  1  ~0.2500"), "{text}");
    }

    #[test]
    fn an_empty_histogram_prints_nothing() {
        let histogram = Histogram::new(Given::Counts(Vec::new()), None);
        assert_eq!(histogram.to_string(), "");
        assert_eq!(histogram.shots(), Some(0));
    }
}
