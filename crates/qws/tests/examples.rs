//! Runs every example as its user would: as a process of its own that knows only its environment, against an emulator.
#![allow(
    clippy::duplicate_mod,
    dead_code,
    reason = "each example is a program with its own `support` and `main`"
)]

use std::{env, process::Command, time::Duration};

use qws_emulator::{Emulator, Operation};

#[path = "../examples/attachments.rs"]
mod attachments;
#[path = "../examples/batch.rs"]
mod batch;
#[path = "../examples/cancel.rs"]
mod cancel;
#[path = "../examples/connection_string.rs"]
mod connection_string;
#[path = "../examples/environment.rs"]
mod environment;
#[path = "../examples/managed_identity.rs"]
mod managed_identity;
#[path = "../examples/pick_up.rs"]
mod pick_up;
#[cfg(feature = "svg")]
#[path = "../examples/picture.rs"]
mod picture;
#[path = "../examples/quickstart/main.rs"]
mod quickstart;
#[path = "../examples/service_principal.rs"]
mod service_principal;
#[path = "../examples/session.rs"]
mod session;
#[path = "../examples/support/mod.rs"]
mod support;

use support::{Variables, as_application, by_key, on_a_machine};

/// Its value is the argument for the example that a process of a test is to run.
const ARGUMENT: &str = "QWS_EXAMPLE_ARGUMENT";

/// The argument, in a process that is to run the example; nothing in the test itself.
fn argument() -> Option<String> {
    env::var_os(ARGUMENT).map(|argument| argument.into_string().expect("a job id or a file"))
}

/// Starts this test anew, in an environment of these variables alone, and gives what it printed.
async fn process(test: &str, variables: Variables, argument: &str) -> String {
    let mut command = Command::new(env::current_exe().expect("a test has a file"));
    command.args([test, "--exact", "--nocapture"]).env_clear().envs(variables).env(ARGUMENT, argument);
    // Sockets of Windows need it.
    command.envs(env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("starting a process does not panic").expect("a process can be started");
    let shown = String::from_utf8(output.stdout).expect("examples print UTF-8");
    assert!(output.status.success(), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    shown
}

#[track_caller]
fn assert_shows(shown: &str, parts: &[&str]) {
    for part in parts {
        assert!(shown.contains(part), "`{part}` is missing in:\n{shown}");
    }
}

fn count(emulator: &Emulator, operation: Operation) -> usize {
    emulator.requests().iter().filter(|request| request.operation == Some(operation)).count()
}

#[tokio::test]
async fn quickstart_runs_by_itself_and_in_a_workspace() {
    if argument().is_some() {
        return Box::pin(quickstart::run()).await.unwrap();
    }
    let test = "quickstart_runs_by_itself_and_in_a_workspace";
    let shown = process(test, Vec::new(), "").await;
    assert_shows(&shown, &["Starting the emulator", "000  █", "111  █", "[1, 1]  █"]);
    let emulator = Emulator::start().await.unwrap();
    let shown = process(test, by_key(&emulator), "").await;
    assert_shows(&shown, &["only its free simulator", "000  █", &emulator.endpoint()]);
    assert_eq!(count(&emulator, Operation::JobsCreate), 1);
}

#[tokio::test]
async fn connection_string_lists_targets() {
    if argument().is_some() {
        return Box::pin(connection_string::run()).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let shown = process("connection_string_lists_targets", by_key(&emulator), "").await;
    assert_shows(&shown, &[&emulator.resource_id(), "rigetti.sim.qvm              available: true"]);
    assert!(!shown.contains(&emulator.api_key()));
}

#[tokio::test]
async fn environment_finds_workspace_and_credential() {
    if argument().is_some() {
        return Box::pin(environment::run()).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let shown = process("environment_finds_workspace_and_credential", as_application(&emulator), "").await;
    assert_shows(&shown, &[&emulator.resource_id(), &emulator.endpoint()]);
    assert!(count(&emulator, Operation::EntraToken) > 0 && count(&emulator, Operation::WorkspaceGet) == 1);
}

#[tokio::test]
async fn managed_identity_needs_a_resource_id_alone() {
    if argument().is_some() {
        return Box::pin(managed_identity::run()).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let shown = process("managed_identity_needs_a_resource_id_alone", on_a_machine(&emulator), "").await;
    assert_shows(&shown, &[&emulator.endpoint(), "managed identity (system-assigned)"]);
    assert!(count(&emulator, Operation::Imds) > 0 && count(&emulator, Operation::WorkspaceGet) == 1);
}

#[tokio::test]
async fn service_principal_signs_in_with_its_secret() {
    if argument().is_some() {
        return Box::pin(service_principal::run()).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let shown = process("service_principal_signs_in_with_its_secret", as_application(&emulator), "").await;
    assert_shows(&shown, &[&emulator.endpoint(), "service principal"]);
    assert!(count(&emulator, Operation::EntraToken) > 0);
}

#[tokio::test]
async fn session_sweeps_an_angle_and_is_closed() {
    if argument().is_some() {
        return Box::pin(session::run()).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let shown = process("session_sweeps_an_angle_and_is_closed", by_key(&emulator), "").await;
    // cos²(angle / 2)
    let rows =
        ["0.0000  agree 1.0000", "0.7854  agree 0.8536", "1.5708  agree 0.5000", "3.1416  agree 0.0000"];
    assert_shows(&shown, &rows);
    assert_eq!(count(&emulator, Operation::SessionsClose), 1);
}

#[tokio::test]
async fn batch_sends_each_job_once_and_watches_by_pages() {
    if argument().is_some() {
        return Box::pin(batch::run()).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let shown = process("batch_sends_each_job_once_and_watches_by_pages", by_key(&emulator), "").await;
    assert_shows(&shown, &["200 jobs sent", " 50 of 200", "200 of 200", "to within 0.0000"]);
    assert_eq!((count(&emulator, Operation::JobsCreate), count(&emulator, Operation::JobsGet)), (200, 0));
}

#[tokio::test]
async fn attachments_go_up_and_come_back() {
    if argument().is_some() {
        return Box::pin(attachments::run()).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let shown = process("attachments_go_up_and_come_back", by_key(&emulator), "").await;
    assert_shows(
        &shown,
        &["inputData", "rawOutputData", "notes.txt        48 bytes", "second attempt: good"],
    );
}

#[tokio::test]
async fn cancel_stops_and_delete_removes() {
    if argument().is_some() {
        return Box::pin(cancel::run()).await.unwrap();
    }
    let minute = Duration::from_mins(1);
    let emulator = Emulator::builder().job_timing(minute, minute).start().await.unwrap();
    let shown = process("cancel_stops_and_delete_removes", by_key(&emulator), "").await;
    assert_shows(&shown, &["asked to cancel", "cancelled: ", "deleted: true"]);
}

#[tokio::test]
async fn pick_up_finishes_what_another_process_began() {
    match argument().as_deref() {
        Some("") => drop(Box::pin(pick_up::submit()).await.unwrap()),
        Some(id) => Box::pin(pick_up::pick_up(id)).await.unwrap(),
        None => {
            let emulator = Emulator::start().await.unwrap();
            let test = "pick_up_finishes_what_another_process_began";
            let first = process(test, by_key(&emulator), "").await;
            let id = first.lines().find_map(|line| line.strip_prefix("job ")).unwrap();
            let second = process(test, by_key(&emulator), id).await;
            assert_shows(&second, &["00  █", "11  █", "~50"]);
            assert_eq!(count(&emulator, Operation::JobsCreate), 1);
        }
    }
}

#[cfg(feature = "svg")]
#[tokio::test]
async fn picture_is_the_histogram_as_svg() {
    if let Some(file) = argument() {
        return Box::pin(picture::run(file)).await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    let file = env::temp_dir().join(format!("qws-picture-{}.svg", qws::JobId::random()));
    let name = file.to_str().expect("temporary folders have readable names");
    let shown = process("picture_is_the_histogram_as_svg", by_key(&emulator), name).await;
    assert_shows(&shown, &["100  █", "010  █", "001  █", "~333  0.3333", name]);
    let svg = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_shows(&svg, &["<svg", "</svg>", "\n100\n", "\n010\n", "\n001\n", "probability"]);
}
