use super::*;
use crate::Results;

const NONE: Context = Context { shots: None, num_qubits: None };

fn bars(histogram: &Histogram) -> Vec<(&str, f64)> {
    histogram.outcomes().iter().map(|bar| (bar.label(), bar.probability())).collect()
}

fn counted(histogram: &Histogram) -> Vec<(&str, u64)> {
    histogram.outcomes().iter().map(|bar| (bar.label(), bar.count().unwrap())).collect()
}

#[test]
fn ionq_numbers_become_labels_with_qubit_0_first() {
    let context = Context { shots: Some(500), num_qubits: Some(3) };
    let read = ionq_v1(br#"{"duration": 1, "histogram": {"1": 0.25, "6": 0.75}}"#, context).unwrap();
    assert_eq!(bars(&read), [("011", 0.75), ("100", 0.25)]);
    assert_eq!(read.shots(), Some(500));
    let without_width = ionq_v1(br#"{"histogram": {"0": 0.5, "2": 0.5}}"#, NONE).unwrap();
    assert_eq!(bars(&without_width), [("00", 0.5), ("01", 0.5)]);
    let absurd = Context { num_qubits: Some(usize::MAX), ..NONE };
    assert_eq!(bars(&ionq_v1(br#"{"histogram": {"2": 1}}"#, absurd).unwrap()), [("01", 1.0)]);
}

#[test]
fn v1_pairs_are_probabilities() {
    let read = microsoft_v1(br#"{"Histogram": ["[0]", 0.5, "[1]", 0.5]}"#, NONE).unwrap();
    assert_eq!(bars(&read), [("[0]", 0.5), ("[1]", 0.5)]);
}

const V2_BATCH: &[u8] = br#"{"DataFormat": "microsoft.quantum-results.v2", "Results": [
    {"Histogram": [{"Outcome": [0, 1], "Display": "[0, 1]", "Count": 3},
                   {"Outcome": {"Item1": 1, "Item2": [0]}, "Display": "(1, [0])", "Count": 1}],
     "Shots": [[0, 1], [0, 1], {"Item1": 1, "Item2": [0]}, [0, 1]]},
    {"Histogram": [{"Outcome": 1, "Display": "1", "Count": 2}, {"Outcome": "x", "Display": "1", "Count": 2}],
     "Shots": [1, {"Error": {"Code": "0x20", "Name": "Lost", "Arg": 1}}, 0]}]}"#;

#[test]
fn v2_counts_and_shots_are_kept_and_batches_told_apart() {
    let read = microsoft_v2_histograms(V2_BATCH).unwrap();
    assert_eq!(bars(&read[0]), [("(1, [0])", 0.25), ("[0, 1]", 0.75)]);
    assert_eq!(read[1].outcomes()[0].count(), Some(4));

    let shots = microsoft_v2_shots(V2_BATCH).unwrap();
    let shown: Vec<_> = shots[0].iter().map(|shot| shot.to_string()).collect();
    assert_eq!((shown.join(" ").as_str(), shots[0].width()), ("[0, 1] [0, 1] (1, [0]) [0, 1]", None));
    assert_eq!(shots[0].histogram(), read[0]);
    assert_eq!((shots[1].len(), shots[1].width(), shots[1].get(2)), (2, Some(1), None));
    let error = &shots[1].errors()[0];
    assert_eq!((error.shot, error.to_string().as_str()), (1, "Error 0x20: Lost"));
    assert_eq!(error.details, r#"{"Arg":1,"Code":"0x20","Name":"Lost"}"#);
    assert_eq!(counted(&shots[1].histogram()), [("0", 1), ("1", 1), ("Error 0x20: Lost", 1)]);
}

#[test]
fn lost_qubits_and_odd_shots_are_kept() {
    let shots = |list: &str| {
        let output = format!(r#"{{"DataFormat": "{V2}", "Results": [{{"Shots": {list}}}]}}"#);
        microsoft_v2_shots(output.as_bytes()).unwrap().remove(0)
    };
    let lost = shots(r#"[[0, 1, "-"], [ 0 ,0,0 ]]"#);
    assert_eq!((lost.width(), lost.get(0).unwrap().to_string().as_str()), (Some(3), "[0, 1, -]"));
    for (list, width, len, last) in [
        ("[]", Some(0), 0, ""),
        ("[[], []]", Some(0), 2, "[]"),
        ("[[0], [0, 1]]", None, 2, "[0, 1]"),
        (r#"[["-"], 1]"#, None, 2, "1"),
        ("[[1], [2], [1.5]]", None, 3, "[1.5]"),
        ("[10, true]", None, 2, "true"),
        ("[[[0], [1]]]", None, 1, "[[0], [1]]"),
    ] {
        let read = shots(list);
        assert_eq!((read.width(), read.len()), (width, len), "{list}");
        assert_eq!(read.iter().last().map_or(String::new(), |shot| shot.to_string()), last, "{list}");
    }
}

#[test]
fn quantinuum_registers_are_turned_and_joined_by_name() {
    let output = br#"{"c": ["001", "110"], "access_token": "x", "a": ["1", "0"]}"#;
    let shots = quantinuum(output).unwrap();
    assert_eq!(counted(&shots.histogram()), [("0 011", 1), ("1 100", 1)]);
    assert_eq!(shots.registers()[1].bits, 1..4);
    assert_eq!(shots.get(0).unwrap().bits().unwrap().to_u128(), Some(0b0011));
}

#[test]
fn rigetti_memory_is_bits_or_values() {
    let shots = rigetti(br#"{"ro": [[1, 0], [1, 1]]}"#).unwrap();
    assert_eq!(counted(&shots.histogram()), [("10", 1), ("11", 1)]);
    let shots = rigetti(br#"{"theta": [[0.5], [[0.5, -1.0]]], "ro": [[1, 0], [1, 1]]}"#).unwrap();
    assert_eq!(shots.get(1).unwrap().to_string(), "([1, 1], [[0.5, -1.0]])");
}

#[test]
fn pasqal_counts_are_read_bare_or_wrapped() {
    let wanted = [("010", 2), ("100", 1)];
    assert_eq!(counted(&pasqal(br#"{"100": 1, "010": 2}"#).unwrap()), wanted);
    assert_eq!(counted(&pasqal(br#"{"raw": ["x"], "counter": {"100": 1, "010": 2}}"#).unwrap()), wanted);
}

#[test]
fn what_is_wrong_is_named() {
    let v2 = |results: &str| format!(r#"{{"DataFormat": "{V2}", "Results": {results}}}"#);
    for (format, output, wanted) in [
        (
            "ionq.quantum-results.v1",
            r#"{"histogram": {"x": 1}}"#.into(),
            r#"byte 15, `histogram.x`: the key "x""#,
        ),
        (
            "ionq.quantum-results.v1",
            r#"{"histogram": {"0": 1.5}}"#.into(),
            "byte 20, `histogram.0`: the probability 1.5",
        ),
        (
            "ionq.quantum-results.v1",
            r#"{"histogram": {"4": 1}}"#.into(),
            "byte 15, `histogram.4`: an outcome of 3 bits, and the job has 2",
        ),
        ("ionq.quantum-results.v1", " {}".into(), "byte 1: there is no `histogram`"),
        ("ionq.quantum-results.v1", r#"{"histogram": null}"#.into(), "there is no `histogram`"),
        (
            "microsoft.quantum-results.v1",
            r#"{"Histogram": ["[0]", 0.5, "[1]"]}"#.into(),
            r#"byte 33, `Histogram`: the label "[1]" has no"#,
        ),
        ("microsoft.quantum-results.v1", "plain".into(), "byte 0: expected an object"),
        (V2, r#"{"DataFormat": "v3", "Results": []}"#.into(), r#"byte 15, `DataFormat`: it is "v3""#),
        (V2, r#"{"Results": [{"Histogram": [], "Shots": []}]}"#.into(), "no `DataFormat`"),
        (V2, v2("[]"), "`Results` is missing or empty"),
        (
            V2,
            v2(r#"[{"Histogram": [{"Display": "1", "Count": -1}]}]"#),
            "byte 101, `Results[0].Histogram[0].Count`: invalid value",
        ),
        (
            "honeywell.quantum-results.v1",
            r#"{"c": ["01", "0"]}"#.into(),
            "byte 13, `c[1]`: 1 bits, and the shots before have 2",
        ),
        (
            "honeywell.quantum-results.v1",
            r#"{"c": ["02"]}"#.into(),
            "byte 7, `c[0]`: expected a string of `0` and `1`",
        ),
        (
            "honeywell.quantum-results.v1",
            r#"{"c": ["0"], "d": []}"#.into(),
            "byte 13, `d`: 0 shots, and `c` has 1",
        ),
        (
            "honeywell.quantum-results.v1",
            r#"{"c": [], "c": []}"#.into(),
            "byte 10, `c`: this register is there twice",
        ),
        ("rigetti.quil-results.v1", "{}".into(), "there is no register"),
        ("pasqal.pulser-results.v1", r#"{"a": 1}"#.into(), r#"byte 1, `a`: the key "a" is no outcome"#),
        ("acme.v1", String::new(), "the format `acme.v1` is not known"),
    ] {
        let results = Results::from_raw(format, output.clone()).with_num_qubits(2);
        let text = results.histogram().map(|_| ()).unwrap_err().to_string();
        assert!(text.contains(wanted), "{output}: {text}");
    }
    for (output, wanted) in [
        (v2("[{}]"), "byte 59, `Results[0]`: there is no `Shots`"),
        (v2(r#"[{"Shots": [[0, 1], [0, 1"#), "`Results[0].Shots[1]`"),
        (v2(r#"[{"Shots": [{"Foo": 1}]}]"#), "`Results[0].Shots[0]`"),
        (v2(r#"[{"Shots": [[01]]}]"#), "`Results[0].Shots[0][0]`"),
    ] {
        let text = Results::from_raw(V2, output.clone()).shots().unwrap_err().to_string();
        assert!(text.contains(wanted), "{output}: {text}");
    }
}

#[test]
fn formats_without_shots_say_which_have_them() {
    for format in ["microsoft.quantum-results.v1", "ionq.quantum-results.v1", "pasqal.pulser-results.v1"] {
        let error = Results::from_raw(format, "{}").shots().unwrap_err();
        assert!(
            error.to_string().contains("no shots; there are shots in `microsoft.quantum-results.v2`"),
            "{error}"
        );
        assert!(error.hint().is_some());
    }
    let batch = Results::from_raw(V2, V2_BATCH).shots().unwrap_err();
    assert_eq!(batch.to_string(), "results: the job has 2 results: `all_shots()` gives them all");
}
