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
        let (outcomes, measure, shots) = match given {
            Given::Probabilities(bars) => {
                let bars = one_bar_a_label(bars, |sum, probability| sum + probability).into_iter();
                let outcome = |(label, probability)| Outcome { label, probability, count: None };
                (bars.map(outcome).collect(), Measure::Probabilities, shots_asked)
            }
            Given::Counts(bars) => {
                let shots = bars.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
                let bars = one_bar_a_label(bars, u64::saturating_add).into_iter();
                let outcome =
                    |(label, count)| Outcome { label, probability: ratio(count, shots), count: Some(count) };
                (bars.map(outcome).collect(), Measure::Counts, Some(shots))
            }
        };
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
        let at = self.outcomes.binary_search_by(|outcome| outcome.label.as_str().cmp(label)).ok()?;
        Some(&self.outcomes[at])
    }

    /// How many shots the numbers stand for: the sum of the counts, or, with probabilities, what the job asked for.
    #[must_use]
    pub fn shots(&self) -> Option<u64> {
        self.shots
    }

    /// The `most` likeliest outcomes, likeliest first.
    #[must_use]
    pub fn likeliest(&self, most: usize) -> Vec<&Outcome> {
        let mut outcomes: Vec<_> = self.outcomes.iter().collect();
        outcomes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        outcomes.truncate(most);
        outcomes
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

/// Sorted by label. Outcomes that look the same are one bar of their sum: the service's Python client keeps only the last.
fn one_bar_a_label<N: Copy>(mut bars: Vec<(String, N)>, add: fn(N, N) -> N) -> Vec<(String, N)> {
    bars.sort_by(|a, b| a.0.cmp(&b.0));
    bars.dedup_by(|next, bar| {
        let same = next.0 == bar.0;
        if same {
            bar.1 = add(bar.1, next.1);
        }
        same
    });
    bars
}

#[allow(clippy::cast_precision_loss, reason = "counts of shots are far below 2^52")]
fn ratio(count: u64, shots: u64) -> f64 {
    if shots == 0 { 0.0 } else { count as f64 / shots as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(bars: &[(&str, u64)]) -> Histogram {
        let bars = bars.iter().map(|&(label, count)| (label.to_owned(), count)).collect();
        Histogram::new(Given::Counts(bars), None)
    }

    #[test]
    fn given_probabilities_are_exact_and_counts_are_derived() {
        let bars = vec![("111".to_owned(), 0.5), ("000".to_owned(), 0.25)];
        let histogram = Histogram::new(Given::Probabilities(bars), Some(500));
        let bar = histogram.get("000").unwrap();
        assert_eq!(
            (bar.probability(), bar.count(), histogram.expected_count(bar)),
            (0.25, None, Some(125.0))
        );
        assert_eq!(histogram.measure(), Measure::Probabilities);
    }

    #[test]
    fn given_counts_are_exact_and_probabilities_are_derived() {
        let histogram = histogram(&[("[1]", 3), ("[0]", 1)]);
        assert_eq!((histogram.measure(), histogram.shots()), (Measure::Counts, Some(4)));
        let bar = histogram.get("[1]").unwrap();
        assert_eq!((bar.probability(), bar.count()), (0.75, Some(3)));
        assert!(histogram.get("[2]").is_none());
    }

    #[test]
    fn outcomes_that_look_the_same_are_one_bar() {
        let histogram = histogram(&[("b", 1), ("a", 2), ("b", 4)]);
        let bars: Vec<_> =
            histogram.outcomes().iter().map(|bar| (bar.label(), bar.count().unwrap())).collect();
        assert_eq!(bars, [("a", 2), ("b", 5)]);
        assert_eq!(histogram.likeliest(1)[0].label(), "b");
    }

    #[test]
    fn no_shots_are_no_division_by_zero() {
        assert_eq!(histogram(&[]).shots(), Some(0));
        assert_eq!(histogram(&[("0", 0)]).outcomes()[0].probability().to_string(), "0");
    }
}
