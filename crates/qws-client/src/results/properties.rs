//! What holds for every output: nothing recorded is lost or turned, and no bytes are too strange.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

use super::{Bit, Results, ShotValue};

/// Values as programs record them, with the JSON the service writes for them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (0..2_u8).prop_map(|bit| json!(bit)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|truth| json!(truth)),
        (-1e9..1e9).prop_map(|number| json!(number)),
        Just(json!("-")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec(inner, 1..4).prop_map(|items| {
                let fields = items.into_iter().enumerate().map(|(n, item)| (format!("Item{}", n + 1), item));
                Value::Object(fields.collect())
            }),
        ]
    })
}

fn error() -> impl Strategy<Value = Value> {
    (0..3_u8).prop_map(|code| json!({"Error": {"Code": format!("0x{code}"), "Name": "Leak"}}))
}

fn bits(width: usize) -> impl Strategy<Value = Vec<bool>> {
    vec(any::<bool>(), width)
}

/// The label of an outcome, by the service's rules and without our code.
fn display(value: &Value) -> String {
    let all = |items: Vec<&Value>| items.into_iter().map(display).collect::<Vec<_>>().join(", ");
    match value {
        Value::Array(items) => format!("[{}]", all(items.iter().collect())),
        Value::Object(fields) => match fields.get("Error") {
            Some(error) => format!("Error {}: {}", display(&error["Code"]), display(&error["Name"])),
            None => format!("({})", all((1..=fields.len()).map(|n| &fields[&format!("Item{n}")]).collect())),
        },
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn v2(shots: &[Value]) -> Results {
    let mut counts: BTreeMap<String, (&Value, u64)> = BTreeMap::new();
    for shot in shots {
        counts.entry(display(shot)).or_insert((shot, 0)).1 += 1;
    }
    let histogram: Vec<Value> = counts
        .iter()
        .map(|(display, (outcome, count))| json!({"Outcome": outcome, "Display": display, "Count": count}))
        .collect();
    let output = json!({"DataFormat": "microsoft.quantum-results.v2",
                        "Results": [{"Histogram": histogram, "Shots": shots}]});
    Results::from_raw("microsoft.quantum-results.v2", output.to_string())
}

proptest! {
    #[test]
    fn counts_of_the_histogram_are_those_of_the_shots(
        shots in vec(prop_oneof![4 => value(), 1 => error()], 0..30),
    ) {
        let results = v2(&shots);
        let read = results.shots().unwrap();
        prop_assert_eq!(read.histogram(), results.histogram().unwrap());
        prop_assert_eq!(read.len() + read.errors().len(), shots.len());
        let good: Vec<&Value> = shots.iter().filter(|shot| shot.get("Error").is_none()).collect();
        for (n, shot) in read.iter().enumerate() {
            prop_assert_eq!(shot.to_string(), display(good[n]));
        }
        for error in read.errors() {
            prop_assert_eq!(error.to_string(), display(&shots[error.shot]));
        }
    }

    #[test]
    fn bits_are_packed_and_come_back(
        (width, shots) in (0..20_usize).prop_flat_map(|width| (Just(width), vec(bits(width), 1..30))),
        lost in vec((0..30_usize, 0..20_usize), 0..5),
    ) {
        let mut wanted: Vec<Vec<Bit>> =
            shots.iter().map(|shot| shot.iter().map(|&bit| Bit::from(bit)).collect()).collect();
        for (shot, bit) in lost {
            if let Some(bit) = wanted.get_mut(shot).and_then(|shot| shot.get_mut(bit)) {
                *bit = Bit::Lost;
            }
        }
        let json = |bit: &Bit| match bit { Bit::Lost => json!("-"), bit => json!(u8::from(bit.is_one())) };
        let output: Vec<Value> = wanted.iter().map(|shot| shot.iter().map(json).collect()).collect();
        let results = v2(&output);
        let read = results.shots().unwrap();
        prop_assert_eq!(read.width(), Some(width));
        let bits: Vec<Vec<Bit>> =
            read.iter().filter_map(|shot| Some(shot.bits()?.iter().collect())).collect();
        prop_assert_eq!(bits, wanted);
        prop_assert_eq!(read.histogram(), results.histogram().unwrap());
    }

    #[test]
    fn registers_of_quantinuum_and_rigetti_tell_the_same(
        columns in (1..12_usize).prop_flat_map(|shots| vec((0..10_usize)
            .prop_flat_map(move |width| vec(bits(width), shots)), 1..4)),
    ) {
        let (mut turned, mut straight) = (Map::new(), Map::new());
        let mut labels = vec![Vec::new(); columns[0].len()];
        for (n, column) in columns.iter().enumerate() {
            let text = |shot: &Vec<bool>| shot.iter().map(|&bit| if bit { '1' } else { '0' }).collect::<String>();
            let reversed = column.iter().map(|shot| text(shot).chars().rev().collect::<String>());
            turned.insert(format!("r{n}"), reversed.map(Value::String).collect());
            let rows = column.iter().map(|shot| shot.iter().map(|&bit| json!(u8::from(bit))).collect());
            straight.insert(format!("r{n}"), Value::Array(rows.collect()));
            labels.iter_mut().zip(column).for_each(|(label, shot)| label.push(text(shot)));
        }
        let turned = Results::from_raw("honeywell.quantum-results.v1", Value::Object(turned).to_string());
        let straight = Results::from_raw("rigetti.quil-results.v1", Value::Object(straight).to_string());
        let shots = turned.shots().unwrap();
        prop_assert_eq!(turned.histogram().unwrap(), straight.histogram().unwrap());
        let shown: Vec<String> = shots.iter().map(|shot| shot.to_string()).collect();
        prop_assert_eq!(shown, labels.iter().map(|label| label.join(" ")).collect::<Vec<_>>());
        prop_assert_eq!(shots.registers().last().unwrap().bits.end, shots.width().unwrap());
    }

    #[test]
    fn numbers_of_ionq_name_qubit_0_first(qubits in 1..128_usize, state in any::<u128>()) {
        let state = state >> (128 - qubits);
        let output = json!({"histogram": {state.to_string(): 1.0}}).to_string();
        let histogram =
            Results::from_raw("ionq.quantum-results.v1", output).with_num_qubits(qubits).histogram().unwrap();
        let label = histogram.outcomes()[0].label();
        prop_assert_eq!(label.len(), qubits);
        let backwards: String = label.chars().rev().collect();
        prop_assert_eq!(u128::from_str_radix(&backwards, 2), Ok(state));
    }

    #[test]
    fn values_survive_their_json(value in value()) {
        let read: ShotValue = serde_json::from_value(value.clone()).unwrap();
        prop_assert_eq!(read.to_string(), display(&value));
    }
}
