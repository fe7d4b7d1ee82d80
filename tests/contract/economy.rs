//! Nothing is sent that is not needed, and nothing goes on that nobody waits for.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt};
use qws::{ClientOptions, ErrorKind, JobSet, Program, Target, Workspace, http::ManualClock};
use qws_contract::{Exchange, Local, Replay};
use qws_emulator::{Action, Fault, Gate, Operation as Route};
use serde_json::json;

use crate::main_job::GHZ;

fn count(local: &Local, route: Route) -> usize {
    local.emulator.requests().iter().filter(|request| request.operation == Some(route)).count()
}

#[tokio::test]
async fn pages_that_nobody_wants_are_not_fetched() {
    let local = Local::start().await;
    let workspace = local.workspace();
    let target = workspace.target("ionq.simulator").await.unwrap();
    for _ in 0..5 {
        target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    }
    let list = || workspace.jobs().list().page_size(2);
    drop(list().into_stream());
    assert_eq!(count(&local, Route::JobsList), 0, "a stream that is not polled sends nothing");
    let two: Vec<_> = list().into_stream().take(2).try_collect().await.unwrap();
    assert_eq!((two.len(), count(&local, Route::JobsList)), (2, 1));
    let three: Vec<_> = list().into_stream().take(3).try_collect().await.unwrap();
    assert_eq!((three.len(), count(&local, Route::JobsList)), (3, 3), "one more call of two pages");
    let first = list().pages().next().await.unwrap().unwrap();
    let rest = list().resume(first.continuation.unwrap()).collect().await.unwrap();
    assert_eq!((first.items.len(), rest.len()), (2, 3), "a kept place goes on where it was");
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_nothing_behind() {
    let local = Local::start().await;
    let workspace = local.workspace();
    let target = workspace.target("ionq.simulator").await.unwrap();
    for route in [Route::ProviderStatus, Route::SasUri, Route::BlobPut, Route::JobsCreate] {
        let gate = Gate::new();
        local.emulator.inject(Fault::new(route, Action::Hold(gate.clone())));
        local.emulator.clear_requests();
        {
            let call = async {
                workspace.targets().await?;
                target.submit(Program::ionq_json(GHZ).unwrap()).send().await
            };
            let held = local.emulator.wait_for_requests(|requests| {
                requests.iter().any(|request| request.operation == Some(route))
            });
            let (call, held) = (std::pin::pin!(call), std::pin::pin!(held));
            let first = futures::future::select(call, held).await;
            assert!(matches!(first, futures::future::Either::Right(_)));
        }
        gate.release();
        assert_eq!(local.clock.waiting(), 0, "{route:?}: no limit and no pause is under way");
        let seen = local.emulator.requests().len();
        workspace.targets().await.expect("the client works as before");
        assert_eq!(local.emulator.requests().len(), seen + 1, "{route:?}: nothing else was sent");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_in_a_pause_is_not_repeated() {
    let busy = json!({
        "request": {
            "method": "GET",
            "origin": "https://eastus.quantum.azure.com",
            "path": "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Quantum/workspaces/ws/providerStatus",
            "query": "api-version=2026-01-15-preview",
        },
        "response": {"status": 503},
    });
    let busy: Exchange = serde_json::from_value(busy).unwrap();
    let replay = Arc::new(Replay::new(vec![busy]));
    let clock = ManualClock::new(azure_core::time::parse_rfc3339("2026-02-03T04:05:06Z").unwrap());
    let options = ClientOptions::default().transport(replay.clone()).clock(Arc::new(clock.clone()));
    let workspace = Workspace::builder()
        .connection_string(
            "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=rg;WorkspaceName=ws;ApiKey=k;\
             QuantumEndpoint=https://eastus.quantum.azure.com/;",
        )
        .unwrap()
        .options(options)
        .build()
        .unwrap();
    {
        let mut call = std::pin::pin!(workspace.targets());
        assert!(futures::poll!(&mut call).is_pending());
        assert_eq!(clock.sleeps().len(), 1, "it pauses before the second attempt");
    }
    assert_eq!(clock.waiting(), 0);
    clock.advance(Duration::from_mins(10));
    assert_eq!(replay.faults(), Vec::<String>::new(), "the first attempt was the only one");
}

#[tokio::test]
async fn repetitions_share_one_budget() {
    let local = Local::start().await;
    local.emulator.inject(Fault::new(Route::ProviderStatus, Action::throttle(50)).always());
    let error = local.workspace().targets().await.unwrap_err();
    // 50 s, 100 s, and a third pause would end after the two minutes that all of them may take.
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Throttled, 3));
    assert_eq!(local.clock.sleeps(), [Duration::from_secs(50); 2]);
}

#[tokio::test]
async fn a_client_is_shared_by_tasks_at_no_cost() {
    fn shared<T: Send + Sync + 'static>() {}
    fn cheap<T: Clone>() {}
    shared::<Workspace>();
    shared::<Target>();
    shared::<qws::Client>();
    shared::<qws::Job>();
    shared::<qws::Submission>();
    shared::<JobSet>();
    cheap::<Workspace>();
    let local = Local::start().await;
    let workspace = local.workspace();
    let calls = (0..8).map(|_| {
        let workspace = workspace.clone();
        tokio::spawn(async move { workspace.targets().await.map(|targets| targets.len()) })
    });
    let counts = futures::future::join_all(calls).await;
    assert!(counts.into_iter().all(|count| count.unwrap().unwrap() > 0));
    assert_eq!(local.emulator.requests().len(), 8);
}
