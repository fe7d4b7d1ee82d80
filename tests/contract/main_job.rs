//! The main job against the emulator: real circuits, real results.

use qws::{JobStatus, Measure, Program};
use qws_contract::Local;

pub(crate) const GHZ: &str = r#"{"qubits":3,"circuit":[{"gate":"h","target":0},{"gate":"cnot","control":0,"target":1},{"gate":"cnot","control":0,"target":2}]}"#;

const BELL: &str = include_str!("../../crates/qws/examples/quickstart/bell.ll");

/// X on qubit 0 of 3, all measured, recorded in order.
fn x_on_qubit_0() -> String {
    let pointer =
        |n: u32| if n == 0 { "ptr null".to_owned() } else { format!("ptr inttoptr (i64 {n} to ptr)") };
    let each = |call: &dyn Fn(u32) -> String| (0..3).map(call).collect::<String>();
    format!(
        "define i64 @main() #0 {{\n  call void @__quantum__qis__x__body(ptr null)\n{}\
         call void @__quantum__rt__array_record_output(i64 3, ptr null)\n{}  ret i64 0\n}}\n\
         attributes #0 = {{ \"entry_point\" \"required_num_qubits\"=\"3\" \"required_num_results\"=\"3\" }}\n",
        each(&|n| format!("  call void @__quantum__qis__mz__body({0}, {0})\n", pointer(n))),
        each(&|n| format!("  call void @__quantum__rt__result_record_output({}, ptr null)\n", pointer(n))),
    )
}

async fn run(local: &Local, target: &str, program: Program, shots: u64) -> qws::Histogram {
    let target = local.workspace().target(target).await.unwrap();
    let mut job = target.submit(program).shots(shots).send().await.unwrap();
    job.wait().await.unwrap();
    assert_eq!(job.status(), Some(&JobStatus::Succeeded));
    job.results().await.unwrap().histogram().unwrap()
}

fn close(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

#[tokio::test]
async fn ghz_gives_both_ends_at_one_half() {
    let local = Local::start().await;
    let histogram = run(&local, "ionq.simulator", Program::ionq_json(GHZ).unwrap(), 500).await;
    let labels: Vec<&str> = histogram.outcomes().iter().map(qws::Outcome::label).collect();
    assert_eq!(labels, ["000", "111"]);
    for outcome in histogram.outcomes() {
        assert!(close(outcome.probability(), 0.5), "{outcome:?}");
        assert!(close(histogram.expected_count(outcome).unwrap(), 250.0), "{outcome:?}");
    }
    assert_eq!(histogram.measure(), Measure::Probabilities);
    assert!(histogram.to_string().starts_with("000  "));
}

#[tokio::test]
async fn qir_counts_sum_to_the_shots_and_only_possible_outcomes_occur() {
    let local = Local::start().await;
    let histogram = run(&local, "rigetti.sim.qvm", Program::qir_text(BELL).unwrap(), 500).await;
    assert_eq!(histogram.measure(), Measure::Counts);
    assert_eq!(histogram.outcomes().iter().filter_map(qws::Outcome::count).sum::<u64>(), 500);
    for outcome in histogram.outcomes() {
        assert!(["[0, 0]", "[1, 1]"].contains(&outcome.label()), "{outcome:?}");
    }
    assert_eq!(histogram.outcomes().len(), 2, "500 shots of a fair coin show both sides");
}

#[tokio::test]
async fn labels_read_qubit_0_first_in_every_format() {
    let local = Local::start().await;
    let circuit = r#"{"qubits":3,"circuit":[{"gate":"x","target":0}]}"#;
    let ionq = run(&local, "ionq.simulator", Program::ionq_json(circuit).unwrap(), 10).await;
    assert_eq!(ionq.outcomes().iter().map(qws::Outcome::label).collect::<Vec<_>>(), ["100"]);
    let qir = || Program::qir_text(x_on_qubit_0()).unwrap();
    let v2 = run(&local, "rigetti.sim.qvm", qir(), 10).await;
    assert_eq!(v2.outcomes().iter().map(qws::Outcome::label).collect::<Vec<_>>(), ["[1, 0, 0]"]);
    let v1 =
        run(&local, "ionq.simulator", qir().with_output_format("microsoft.quantum-results.v1"), 10).await;
    assert_eq!(v1.outcomes().iter().map(qws::Outcome::label).collect::<Vec<_>>(), ["[1, 0, 0]"]);
    assert_eq!(v1.measure(), Measure::Probabilities);
}

#[tokio::test]
async fn the_id_is_known_before_anything_is_sent_and_finds_the_job_again() {
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    local.emulator.clear_requests();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap()).shots(500).name("ghz").tags(["a", "b"]);
    let id = submission.id().clone();
    assert!(local.emulator.requests().is_empty());
    submission.send().await.unwrap();

    let elsewhere = local.workspace();
    let mut job = elsewhere.job(&id).await.unwrap();
    assert_eq!(job.details().name.as_deref(), Some("ghz"));
    assert_eq!(job.details().tags, ["a", "b"]);
    assert_eq!(job.details().shots(), Some(500));
    job.wait().await.unwrap();
    assert_eq!(job.results().await.unwrap().histogram().unwrap().outcomes().len(), 2);
}

#[tokio::test]
async fn the_states_of_a_job_are_told_once_each() {
    use futures::TryStreamExt;
    let local = Local::start().await;
    let target = local.workspace().target("ionq.simulator").await.unwrap();
    let mut job = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    let events: Vec<_> = job.wait().events().try_collect().await.unwrap();
    let states: Vec<String> = events
        .iter()
        .map(|event| match event {
            qws::JobEvent::Status(status) => status.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(states, ["Waiting", "Executing", "Succeeded"]);
    let waited: std::time::Duration = local.clock.sleeps().iter().sum();
    assert!(waited.as_secs() >= 20 && waited.as_secs() < 40, "{waited:?}");
}
