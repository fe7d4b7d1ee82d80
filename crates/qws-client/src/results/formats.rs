//! The output formats, each a function from bytes to histograms. An error is a text that names the field.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
};

use super::{Context, Histogram, histogram::Given};

type Read<T> = Result<T, String>;

/// `{"histogram": {"<number>": probability}}`: qubit 0 is the lowest bit of the number.
pub(super) fn ionq_v1(bytes: &[u8], context: Context) -> Read<Vec<Histogram>> {
    #[derive(Deserialize)]
    struct Output {
        histogram: BTreeMap<String, f64>,
    }
    let output: Output = json(bytes)?;
    let mut states = Vec::with_capacity(output.histogram.len());
    for (key, &probability) in &output.histogram {
        let state: u128 =
            key.parse().map_err(|_| format!("`histogram` has the key {key:?}, which is no whole number"))?;
        states.push((state, checked(probability, key)?));
    }
    let needed =
        states.iter().map(|(state, _)| 128 - state.leading_zeros() as usize).max().unwrap_or(0).max(1);
    let width = context.num_qubits.unwrap_or(needed);
    if needed > width {
        return Err(format!("`histogram` has an outcome of {needed} bits, and the job has {width} qubits"));
    }
    let label = |state: u128| {
        (0..width).map(|qubit| if qubit < 128 && state >> qubit & 1 == 1 { '1' } else { '0' }).collect()
    };
    let bars = states.into_iter().map(|(state, probability)| (label(state), probability));
    Ok(vec![Histogram::new(Given::Probabilities(bars.collect()), context.shots)])
}

/// `{"Histogram": ["label", probability, …]}`.
pub(super) fn microsoft_v1(bytes: &[u8], context: Context) -> Read<Vec<Histogram>> {
    #[derive(Deserialize)]
    struct Output {
        #[serde(rename = "Histogram")]
        histogram: Pairs,
    }
    let Output { histogram: Pairs(pairs) } = json(bytes)?;
    for (label, probability) in &pairs {
        checked(*probability, label)?;
    }
    Ok(vec![Histogram::new(Given::Probabilities(pairs), context.shots)])
}

/// `{"DataFormat": …, "Results": [{"Histogram": [{"Outcome", "Display", "Count"}], "Shots": […]}]}`.
pub(super) fn microsoft_v2(bytes: &[u8]) -> Read<Vec<Histogram>> {
    #[derive(Deserialize)]
    struct Output {
        #[serde(rename = "DataFormat")]
        data_format: String,
        #[serde(rename = "Results")]
        results: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        #[serde(rename = "Histogram")]
        histogram: Vec<Bar>,
    }
    #[derive(Deserialize)]
    struct Bar {
        #[serde(rename = "Display")]
        display: String,
        #[serde(rename = "Count")]
        count: u64,
    }
    let output: Output = json(bytes)?;
    if output.data_format != "microsoft.quantum-results.v2" {
        return Err(format!("`DataFormat` is {:?}, not microsoft.quantum-results.v2", output.data_format));
    }
    if output.results.is_empty() {
        return Err("`Results` is empty".into());
    }
    let histogram = |item: Item| {
        let mut bars: BTreeMap<String, u64> = BTreeMap::new();
        for Bar { display, count } in item.histogram {
            // Two outcomes that look the same are one bar: the service's Python client keeps only the later one.
            let sum = bars.entry(display).or_default();
            *sum = sum.saturating_add(count);
        }
        Histogram::new(Given::Counts(bars.into_iter().collect()), None)
    };
    Ok(output.results.into_iter().map(histogram).collect())
}

fn checked(probability: f64, key: &str) -> Read<f64> {
    // Sums of rounded amplitudes may pass 1 by a hair.
    if (0.0..=1.0 + 1e-6).contains(&probability) {
        Ok(probability)
    } else {
        Err(format!(
            "the histogram gives {key:?} the probability {probability}, which is not between 0 and 1"
        ))
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Read<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        format!("the output is not as its format promises, at `{path}`: {}", error.inner())
    })
}

/// Label, probability, label, probability, …
struct Pairs(Vec<(String, f64)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Flat;
        impl<'de> Visitor<'de> for Flat {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of labels, each followed by its probability")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(label) = items.next_element::<String>()? {
                    let missing =
                        || A::Error::custom(format!("the label {label:?} has no probability after it"));
                    let probability = items.next_element()?.ok_or_else(missing)?;
                    pairs.push((label, probability));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_seq(Flat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(histograms: &[Histogram]) -> Vec<(&str, f64)> {
        histograms[0].outcomes().iter().map(|bar| (bar.label(), bar.probability())).collect()
    }

    #[test]
    fn ionq_numbers_become_labels_with_qubit_0_first() {
        let context = Context { shots: Some(500), num_qubits: Some(3) };
        let read = ionq_v1(br#"{"histogram": {"1": 0.25, "6": 0.75}}"#, context).unwrap();
        assert_eq!(labels(&read), [("011", 0.75), ("100", 0.25)]);
        let without_width = ionq_v1(br#"{"histogram": {"0": 0.5, "2": 0.5}}"#, Context::default()).unwrap();
        assert_eq!(labels(&without_width), [("00", 0.5), ("01", 0.5)]);
    }

    #[test]
    fn v1_pairs_are_probabilities() {
        let read = microsoft_v1(br#"{"Histogram": ["[0]", 0.5, "[1]", 0.5]}"#, Context::default()).unwrap();
        assert_eq!(labels(&read), [("[0]", 0.5), ("[1]", 0.5)]);
    }

    #[test]
    fn v2_counts_are_kept_and_batches_told_apart() {
        let output = br#"{"DataFormat": "microsoft.quantum-results.v2", "Results": [
            {"Histogram": [{"Outcome": [0, 1], "Display": "[0, 1]", "Count": 3},
                           {"Outcome": {"Item1": 1}, "Display": "(1, [0])", "Count": 1}], "Shots": [[0, 1]]},
            {"Histogram": [{"Outcome": 1, "Display": "1", "Count": 2}, {"Outcome": "x", "Display": "1", "Count": 2}]}]}"#;
        let read = microsoft_v2(output).unwrap();
        assert_eq!(labels(&read), [("(1, [0])", 0.25), ("[0, 1]", 0.75)]);
        assert_eq!(read[1].outcomes()[0].count(), Some(4));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let none = Context::default();
        let narrow = Context { num_qubits: Some(1), ..none };
        for (problem, part) in [
            (ionq_v1(br#"{"histogram": {"x": 1}}"#, none), "\"x\""),
            (ionq_v1(br#"{"histogram": {"0": 1.5}}"#, none), "1.5"),
            (ionq_v1(br#"{"histogram": {"2": 1}}"#, narrow), "2 bits"),
            (ionq_v1(b"{}", none), "`histogram`"),
            (microsoft_v1(br#"{"Histogram": ["[0]", 0.5, "[1]"]}"#, none), "\"[1]\" has no probability"),
            (microsoft_v1(b"\xff", none), "line 1"),
            (microsoft_v2(br#"{"DataFormat": "v3", "Results": []}"#), "`DataFormat`"),
            (microsoft_v2(br#"{"DataFormat": "microsoft.quantum-results.v2", "Results": []}"#), "`Results` is empty"),
            (
                microsoft_v2(br#"{"DataFormat": "microsoft.quantum-results.v2", "Results": [{"Histogram": [{"Display": "1", "Count": -1}]}]}"#),
                "`Results[0].Histogram[0].Count`",
            ),
        ] {
            let text = problem.map(|_| ()).unwrap_err();
            assert!(text.contains(part), "{text}");
        }
    }
}
