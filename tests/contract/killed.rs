//! Processes that die on the way: whatever step they died at, the printed id is enough to finish, and there is one job.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use qws::{Program, Workspace};
use qws_emulator::{Action, Emulator, Fault, Gate, Operation as Route, RecordedRequest};

use crate::main_job::GHZ;

#[tokio::test]
async fn a_job_is_finished_from_its_id_wherever_the_first_process_was_killed() {
    for died_at in [Route::SasUri, Route::BlobPut, Route::JobsCreate, Route::JobsGet, Route::BlobGet] {
        let emulator = Emulator::builder().seed(7).job_timing(Duration::ZERO, Duration::ZERO);
        let emulator = emulator.start().await.unwrap();
        // The request is carried out, its answer never comes.
        let gate = Gate::new();
        emulator.inject(Fault::new(died_at, Action::Hold(gate.clone())));
        let mut process = Command::new(env!("CARGO_BIN_EXE_victim"))
            .args([&*emulator.connection_string(), GHZ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let there =
            |requests: &[RecordedRequest]| requests.iter().any(|request| request.operation == Some(died_at));
        emulator.wait_for_requests(there).await;
        process.kill().unwrap();
        assert!(!process.wait().unwrap().success(), "it was killed on the way");
        let mut id = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut id).unwrap();
        let id = id.trim().parse().unwrap();
        gate.release();

        let workspace = Workspace::from_connection_string(&emulator.connection_string()).unwrap();
        let mut job = match workspace.job(&id).await {
            Ok(job) => job,
            Err(error) => {
                assert!(error.is_not_found(), "{error}");
                let target = workspace.target("ionq.simulator").await.unwrap();
                let again = target.submit(Program::ionq_json(GHZ).unwrap()).shots(10).with_id(id);
                again.send().await.unwrap()
            }
        };
        job.wait().await.unwrap();
        assert!(job.results().await.unwrap().histogram().is_ok());
        let jobs = workspace.jobs().list().collect().await.unwrap();
        assert_eq!(jobs.len(), 1, "{died_at:?}");
    }
}
