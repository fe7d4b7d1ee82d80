//! Outputs of jobs: the first byte picks the format. Whatever the rest is, it is read, or refused with a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qws_client::{Error, Measure, Results};

const FORMATS: [&str; 6] = [
    "microsoft.quantum-results.v1",
    "microsoft.quantum-results.v2",
    "ionq.quantum-results.v1",
    "honeywell.quantum-results.v1",
    "rigetti.quil-results.v1",
    "pasqal.pulser-results.v1",
];

fuzz_target!(|input: &[u8]| {
    let Some((&first, output)) = input.split_first() else { return };
    let format = FORMATS[usize::from(first) % FORMATS.len()];
    let mut results = Results::from_raw(format, output.to_vec());
    if first >= 128 {
        results = results.with_num_qubits(usize::from(first - 128));
    }
    match results.histograms() {
        Ok(histograms) => {
            assert!(!histograms.is_empty());
            for histogram in histograms {
                let outcomes = histogram.outcomes();
                assert!(outcomes.windows(2).all(|pair| pair[0].label() < pair[1].label()), "{outcomes:?}");
                let counted = outcomes.iter().all(|outcome| outcome.count().is_some());
                assert!(counted || histogram.measure() == Measure::Probabilities);
                let lines = histogram.bars().width(60).ascii().to_string();
                assert!(lines.is_ascii() && lines.lines().count() == outcomes.len(), "{lines}");
            }
        }
        Err(error) => check(&error, output),
    }
    match results.all_shots() {
        Ok(all) => {
            for shots in all {
                assert_eq!(shots.iter().len(), shots.len());
                assert!(shots.get(shots.len()).is_none());
                let counted: u64 = shots.histogram().outcomes().iter().filter_map(|bar| bar.count()).sum();
                assert_eq!(counted, (shots.len() + shots.errors().len()) as u64);
                for shot in shots.iter() {
                    assert_eq!(shot.bits().map(|bits| bits.len()), shots.width(), "{shot}");
                }
            }
        }
        Err(error) => check(&error, output),
    }
});

/// One line of bounded length; a place that it names lies within the output.
fn check(error: &Error, output: &[u8]) {
    let text = error.to_string();
    assert!(text.len() < 5000 && !text.contains('\n'), "{text}");
    if let Some(rest) = text.strip_prefix("results: the output is not as its format promises, at byte ") {
        let digits = rest.split_once(|c: char| !c.is_ascii_digit()).map_or("", |(digits, _)| digits);
        assert!(digits.parse::<usize>().is_ok_and(|at| at <= output.len()), "{text}");
    }
}
