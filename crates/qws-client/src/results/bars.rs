use std::fmt;

use super::{Histogram, Measure, Outcome};

/// Columns of the longest bar, unless a width is given.
const BAR: usize = 40;

/// Below this, a bar says nothing.
const SHORTEST_BAR: usize = 4;

/// A histogram as bars of text, one line an outcome: label, bar, count, probability. `~` marks the derived number.
///
/// Made by [`Histogram::bars`]; printing the histogram itself does the same with the defaults.
#[derive(Debug, Clone)]
#[must_use = "bars are drawn by `Display`"]
pub struct Bars<'a> {
    histogram: &'a Histogram,
    columns: Option<usize>,
    ascii: bool,
}

impl Histogram {
    /// The histogram as bars for a terminal. `println!("{}", histogram.bars().width(80))` fits it into 80 columns.
    pub fn bars(&self) -> Bars<'_> {
        Bars { histogram: self, columns: None, ascii: false }
    }
}

impl Bars<'_> {
    /// The longest a line may be. Labels too long for it lose their end to `…`; numbers are never cut, so that a line may
    /// be longer where there is no room for them. By default the longest bar has 40 columns and lines are as long as they
    /// need.
    pub fn width(mut self, columns: usize) -> Self {
        self.columns = Some(columns);
        self
    }

    /// Draws with ASCII only, for terminals and files that know nothing else.
    pub fn ascii(mut self) -> Self {
        self.ascii = true;
        self
    }

    /// The label, at most so long, and nothing in it that a terminal would obey.
    fn label(&self, outcome: &Outcome, most: usize) -> String {
        let plain = |c: char| if c.is_control() || self.ascii && !c.is_ascii() { '?' } else { c };
        let mut label: String = outcome.label().chars().map(plain).collect();
        if width(&label) > most {
            let more = if self.ascii { "..." } else { "…" };
            label = label.chars().take(most.saturating_sub(width(more))).collect();
            label.push_str(more);
        }
        label
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn widest<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    texts.into_iter().map(|text| width(text)).max().unwrap_or(0)
}

impl fmt::Display for Bars<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes = self.histogram.outcomes();
        let (count_mark, probability_mark) = match self.histogram.measure() {
            Measure::Counts => ("", "~"),
            Measure::Probabilities => ("~", ""),
        };
        let count = |outcome| match self.histogram.expected_count(outcome) {
            Some(count) => format!("{count_mark}{count:.0}"),
            None => String::new(),
        };
        let counts: Vec<String> = outcomes.iter().map(count).collect();
        let count_width = widest(&counts);
        // Label, bar, count and a probability such as `~0.1234`, two columns between them.
        let room =
            self.columns.map(|columns| columns.saturating_sub(count_width + probability_mark.len() + 6 + 6));
        let most = room.map_or(usize::MAX, |room| room.saturating_sub(SHORTEST_BAR).max(SHORTEST_BAR));
        let labels: Vec<String> = outcomes.iter().map(|outcome| self.label(outcome, most)).collect();
        let label_width = widest(&labels);
        let longest = room.map_or(BAR, |room| room.saturating_sub(label_width).max(SHORTEST_BAR));

        let block = if self.ascii { "#" } else { "█" };
        let tallest = outcomes.iter().map(Outcome::probability).fold(0.0, f64::max);
        for (n, (outcome, (label, count))) in outcomes.iter().zip(labels.iter().zip(&counts)).enumerate() {
            f.write_str(if n == 0 { "" } else { "\n" })?;
            let share = if tallest > 0.0 { outcome.probability() / tallest } else { 0.0 };
            let length = columns(share, longest);
            write!(
                f,
                "{label:<label_width$}  {}{}  {count:>count_width$}  {probability_mark}{:.4}",
                block.repeat(length),
                " ".repeat(longest - length),
                outcome.probability()
            )?;
        }
        Ok(())
    }
}

/// A share of the longest bar, rounded to whole columns.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the share is between 0 and 1, and terminals are narrow"
)]
fn columns(share: f64, longest: usize) -> usize {
    ((share * longest as f64).round() as usize).min(longest)
}

/// As [`Histogram::bars`] without a width; `{:#}` draws with ASCII only.
impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = self.bars();
        if f.alternate() { bars.ascii().fmt(f) } else { bars.fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::histogram::Given, *};

    fn probabilities(bars: &[(&str, f64)]) -> Histogram {
        let bars = bars.iter().map(|&(label, probability)| (label.to_owned(), probability)).collect();
        Histogram::new(Given::Probabilities(bars), Some(500))
    }

    fn counts(bars: &[(&str, u64)]) -> Histogram {
        let bars = bars.iter().map(|&(label, count)| (label.to_owned(), count)).collect();
        Histogram::new(Given::Counts(bars), None)
    }

    #[test]
    fn the_derived_number_is_marked() {
        let bar = "#".repeat(40);
        let ghz = probabilities(&[("111", 0.5), ("000", 0.5)]);
        assert_eq!(format!("{ghz:#}"), format!("000  {bar}  ~250  0.5000\n111  {bar}  ~250  0.5000"));
        let text = counts(&[("[0]", 3), ("[1]", 1)]).to_string();
        assert!(text.starts_with("[0]  ████"), "{text}");
        assert!(text.ends_with("  1  ~0.2500"), "{text}");
    }

    #[test]
    fn lines_fit_into_the_width() {
        let histogram = counts(&[("[0, 1, 0, 1, 0, 1]", 300), ("[1, 1, 1, 1, 1, 1]", 100)]);
        assert_eq!(
            histogram.bars().width(48).ascii().to_string(),
            "[0, 1, 0, 1, 0, 1]  ##############  300  ~0.7500\n\
             [1, 1, 1, 1, 1, 1]  #####           100  ~0.2500"
        );
        assert_eq!(
            histogram.bars().width(32).to_string(),
            "[0, 1, 0, 1…  ████  300  ~0.7500\n[1, 1, 1, 1…  █     100  ~0.2500"
        );
        for columns in 24..120 {
            assert!(histogram.bars().width(columns).to_string().lines().all(|line| width(line) <= columns));
        }
    }

    #[test]
    fn no_room_and_no_outcomes_are_no_trouble() {
        assert_eq!(counts(&[]).to_string(), "");
        assert_eq!(counts(&[("0", 0)]).bars().width(0).ascii().to_string(), "0        0  ~0.0000");
    }

    #[test]
    fn labels_cannot_command_a_terminal() {
        let text = counts(&[("\u{1b}[2J", 1)]).to_string();
        assert!(text.starts_with("?[2J  █"), "{text}");
    }
}
