use std::error::Error;

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{Histogram, Measure, Outcome};

/// More bars than this are no picture.
const MOST_BARS: usize = 64;

/// Of a label, so many characters are shown.
const MOST_LABEL: usize = 48;

// All in pixels.
const BAR: u32 = 22;
const CHARACTER: u32 = 8;
const CHART: u32 = 560;
const MARGIN: u32 = 16;
const AXIS: u32 = 44;

impl Histogram {
    /// The histogram as an SVG picture: one bar an outcome, in the order of the labels, of what the service gave, counts or
    /// probabilities. Of more than 64 outcomes the 64 likeliest are drawn, likeliest first, and the picture says so.
    ///
    /// Texts are left to the viewer's fonts.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut svg = String::new();
        // It only writes into a string, at sizes that are all made here.
        let drawn = self.draw(&mut svg);
        debug_assert!(drawn.is_ok(), "{drawn:?}");
        svg
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn Error + Send + Sync>> {
        let all = self.outcomes().len();
        let shown: Vec<&Outcome> =
            if all > MOST_BARS { self.likeliest(MOST_BARS) } else { self.outcomes().iter().collect() };
        let measure = match self.measure() {
            Measure::Counts => "count",
            Measure::Probabilities => "probability",
        };
        let axis = if all > MOST_BARS {
            format!("{measure} (the {MOST_BARS} likeliest of {all} outcomes)")
        } else {
            measure.to_owned()
        };
        let labels: Vec<String> = shown.iter().map(|outcome| label(outcome)).collect();
        let values: Vec<f64> = shown.iter().map(|outcome| self.value(outcome)).collect();
        let tallest = values.iter().copied().fold(0.0, f64::max);
        let end = if tallest > 0.0 { tallest * 1.05 } else { 1.0 };
        let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);

        let (bars, longest) = (u32::try_from(shown.len().max(1))?, u32::try_from(longest)?);
        let label_area = (longest + 2) * CHARACTER;
        let size = (label_area + CHART + 2 * MARGIN, bars * BAR + AXIS + 2 * MARGIN);
        let area = SVGBackend::with_string(svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(MARGIN)
            .x_label_area_size(AXIS)
            .y_label_area_size(label_area)
            .build_cartesian_2d(0.0..end, 0.0..f64::from(bars))?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .max_light_lines(1)
            .x_desc(axis)
            .x_label_formatter(&|value| tick(*value))
            .x_label_style(("sans-serif", 14))
            .axis_desc_style(("sans-serif", 16))
            .y_labels(0)
            .draw()?;
        // The axis runs upwards, and the first outcome belongs at the top.
        let tops = (0..bars).rev().map(|below| f64::from(below) + 1.0);
        let name =
            ("monospace", 16).into_font().into_text_style(&area).pos(Pos::new(HPos::Right, VPos::Center));
        for ((top, value), label) in tops.zip(values).zip(labels) {
            let corners = [(0.0, top - 0.15), (value, top - 0.85)];
            chart.draw_series([Rectangle::new(corners, BLUE.mix(0.7).filled())])?;
            let left = EmptyElement::at((0.0, top - 0.5));
            chart.draw_series([left + Text::new(label, (-8, 0), name.clone())])?;
        }
        area.present()?;
        Ok(())
    }

    /// What the service gave.
    fn value(&self, outcome: &Outcome) -> f64 {
        match self.measure() {
            Measure::Counts => self.expected_count(outcome).unwrap_or_default(),
            Measure::Probabilities => outcome.probability(),
        }
    }
}

/// A number on the axis, without zeros that say nothing.
fn tick(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The label, without the characters that XML cannot hold.
fn label(outcome: &Outcome) -> String {
    let plain = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '?' } else { c };
    let mut characters = outcome.label().chars().map(plain);
    let mut label: String = characters.by_ref().take(MOST_LABEL).collect();
    if characters.next().is_some() {
        label.push('…');
    }
    label
}

#[cfg(test)]
mod tests {
    use super::{super::histogram::Given, *};

    fn counts(bars: impl IntoIterator<Item = (String, u64)>) -> Histogram {
        Histogram::new(Given::Counts(bars.into_iter().collect()), None)
    }

    /// Width and height of the bars, from the top down.
    fn bars(svg: &str) -> Vec<(f64, f64)> {
        let attribute = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.parse::<f64>().unwrap()
        };
        let mut bars: Vec<_> = svg
            .lines()
            .filter(|line| line.starts_with("<rect") && line.contains("#0000FF"))
            .map(|line| (attribute(line, "y"), attribute(line, "width"), attribute(line, "height")))
            .collect();
        bars.sort_by(|a, b| a.0.total_cmp(&b.0));
        bars.into_iter().map(|(_, width, height)| (width, height)).collect()
    }

    #[test]
    fn bars_are_as_long_as_the_counts_and_in_the_order_of_the_labels() {
        let svg = counts([("[0, 0]".into(), 250), ("[1, 1]".into(), 500)]).to_svg();
        let drawn = bars(&svg);
        assert_eq!(drawn.len(), 2);
        assert!((drawn[0].0 * 2.0 - drawn[1].0).abs() <= 2.0, "{drawn:?}");
        assert!(drawn.iter().all(|(width, height)| *width > 200.0 && *height > 10.0), "{drawn:?}");
        let (first, second) = (svg.find("[0, 0]").unwrap(), svg.find("[1, 1]").unwrap());
        assert!(first != second && svg.contains("count\n") && svg.trim_end().ends_with("</svg>"), "{svg}");
    }

    #[test]
    fn labels_cannot_break_out_of_the_picture() {
        let svg = counts([("</text><script>&\u{1}".into(), 1)]).to_svg();
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&amp;?"), "{svg}");
    }

    #[test]
    fn of_many_outcomes_the_likeliest_are_drawn_and_none_is_a_picture_too() {
        let many = counts((0..1000).map(|n| (format!("{n:04}"), n))).to_svg();
        assert!(bars(&many).len() == 64 && many.contains("the 64 likeliest of 1000 outcomes"));
        assert!(many.contains("0999\n") && !many.contains("0001\n"));
        assert!(counts([]).to_svg().contains("</svg>"));
        assert!(counts([("0".into(), 0)]).to_svg().contains("0\n</text>"));
    }
}
