use serde_json::json;

use super::super::tests::run;
use super::*;

const OPAQUE: &str = r#"; a Bell pair
source_filename = "bell.ll"
@0 = internal constant [3 x i8] c"a;\00"

define i64 @ENTRYPOINT__main() #0 {
entry:
  call void @__quantum__rt__initialize(ptr null)
  br label %body

body:                                             ; preds = %entry
  call void @__quantum__qis__h__body(ptr null)
  tail call void @__quantum__qis__cnot__body(ptr null, ptr nonnull inttoptr (i64 1 to ptr))
  br label %measurements

measurements:
  call void @__quantum__qis__mz__body(ptr null, ptr writeonly null) #1
  call void @__quantum__qis__mz__body(ptr inttoptr (i64 1 to ptr), ptr writeonly inttoptr (i64 1 to ptr)) #1
  br label %output

output:
  call void @__quantum__rt__array_record_output(i64 2, ptr @0)
  call void @__quantum__rt__result_record_output(ptr inttoptr (i64 1 to ptr), ptr null)
  call void @__quantum__rt__result_record_output(ptr null, ptr null)
  ret i64 0
}

declare void @__quantum__qis__h__body(ptr)

attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="base_profile" "required_num_qubits"="4" "required_num_results"="2" }
attributes #1 = { "irreversible" }
"#;

/// The body of an entry point in the older dialect with typed pointers.
fn typed(body: &str) -> String {
    format!(
        "%Result = type opaque\n%Qubit = type opaque\ndefine void @main() #0 {{\nentry:\n{body}\n  ret void\n}}\n\
         attributes #0 = {{ \"EntryPoint\" \"requiredQubits\"=\"2\" }}"
    )
}

const MEASURE: &str = "call void @__quantum__qis__mz__body(%Qubit* null, %Result* null)
call void @__quantum__rt__result_record_output(%Result* null, i8* getelementptr inbounds ([3 x i8], [3 x i8]* @0, i32 0, i32 0))";

#[test]
fn opaque_pointers_and_blocks_are_read() {
    let circuit = read(OPAQUE, None).unwrap();
    assert_eq!((circuit.qubits, circuit.bits), (4, 2), "the declared number of qubits counts");
    assert_eq!(
        circuit.steps,
        [
            Step::Apply { gate: Gate::H, controls: vec![], targets: vec![0] },
            Step::Apply { gate: Gate::X, controls: vec![0], targets: vec![1] },
            Step::Measure { qubit: 0, bit: 0 },
            Step::Measure { qubit: 1, bit: 1 },
        ]
    );
    assert_eq!(circuit.record, Record::Array(vec![Record::Bit(1), Record::Bit(0)]), "in recorded order");
}

#[test]
fn typed_pointers_angles_and_adjoints_are_read() {
    let body = format!(
        "call void @__quantum__qis__rz__body(double 1.5, %Qubit* inttoptr (i64 1 to %Qubit*))
         call void @__quantum__qis__rx__body(double 0x3FF8000000000000, %Qubit* null)
         call void @__quantum__qis__s__adj(%Qubit* null)
         {MEASURE}"
    );
    let circuit = read(&typed(&body), Some("main")).unwrap();
    assert_eq!(
        circuit.steps[..3],
        [
            Step::Apply { gate: Gate::Rz(1.5), controls: vec![], targets: vec![1] },
            Step::Apply { gate: Gate::Rx(1.5), controls: vec![], targets: vec![0] },
            Step::Apply { gate: Gate::Sdg, controls: vec![], targets: vec![0] },
        ]
    );
    assert_eq!(circuit.record, Record::Bit(0));
}

#[test]
fn a_bell_pair_agrees_with_itself() {
    let params = json!({ "entryPoint": "ENTRYPOINT__main", "arguments": [], "shots": 100 });
    let answer = run(OPAQUE, ("qir.v1", "microsoft.quantum-results.v2"), params).unwrap();
    let histogram = answer["Results"][0]["Histogram"].as_array().unwrap();
    let labels: Vec<_> = histogram.iter().map(|entry| entry["Display"].as_str().unwrap()).collect();
    assert_eq!(labels, ["[0, 0]", "[1, 1]"]);
    let counted: u64 = histogram.iter().map(|entry| entry["Count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 100);
}

#[test]
fn a_batch_has_a_result_for_every_item() {
    let params = json!({ "items": [{ "entryPoint": "ENTRYPOINT__main" }, {}], "shots": 5 });
    let answer = run(OPAQUE, ("qir.v1", "microsoft.quantum-results.v2"), params).unwrap();
    assert_eq!(answer["Results"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_run_is_named_with_its_line() {
    let refused = |body: &str| read(&typed(body), None).unwrap_err();
    let error = refused("call void @__quantum__qis__warp__body(%Qubit* null)");
    assert_eq!(
        (&*error.code, error.message.as_str()),
        (
            "CompilationError",
            "Line 5: undefined symbol `__quantum__qis__warp__body`: `call void @__quantum__qis__warp__body(%Qubit* null)`."
        )
    );
    let error = refused("%0 = icmp eq i64 0, 1");
    assert!(
        error.message.starts_with("Line 5: this instruction is not part of the base profile"),
        "{error:?}"
    );
    let error = refused("call void @__quantum__qis__h__body(%Qubit* %q)");
    assert!(error.message.contains("is not fixed"), "{error:?}");
    let error = refused("call void @__quantum__qis__cz__body(%Qubit* null, %Qubit* null)");
    assert!(error.message.contains("uses qubit 0 twice"), "{error:?}");
    let error = refused("br label %entry");
    assert!(error.message.contains("circle"), "{error:?}");
}

#[test]
fn wrong_entry_points_and_records_are_preprocessing_failures() {
    let missing = read(OPAQUE, Some("other")).unwrap_err();
    assert_eq!(missing.code, "QIRPreProcessingFailed");
    assert!(missing.message.contains("'other' is missing"));
    let none = read("define void @main() {\nret void\n}", None).unwrap_err();
    assert!(none.message.contains("no entry point"), "{none:?}");
    let silent = read(&typed(""), None).unwrap_err();
    assert_eq!(silent.message, "The program records no output.");
    let short = format!("call void @__quantum__rt__array_record_output(i64 2, i8* null)\n{MEASURE}");
    let short = read(&typed(&short), None).unwrap_err();
    assert!(short.message.contains("only 1 follow"), "{short:?}");
    let unmeasured = "call void @__quantum__rt__result_record_output(%Result* null, i8* null)";
    assert!(read(&typed(unmeasured), None).unwrap_err().message.contains("never measured"));
}
