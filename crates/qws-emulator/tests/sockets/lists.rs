use http::Method;
use qws_emulator::Emulator;
use serde_json::{Value, json};

use super::client::{call, get, id, send, submit};
use super::{GHZ, still};

fn names(page: &Value) -> Vec<&str> {
    page["value"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

/// Creates jobs without input, which is enough for lists.
async fn create(emulator: &Emulator, number: usize, name: &str, target: &str) {
    let body = json!({
        "name": name, "providerId": target.split('.').next(), "target": target, "outputDataFormat": "x",
        "containerUri": format!("{}job-{number:03}", emulator.storage_endpoint()),
    });
    let path = format!("jobs/{}", id(number));
    let answer = call(emulator, Method::PUT, &path, &body.to_string()).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn pages_hold_every_job_once() {
    let emulator = still().start().await.unwrap();
    for number in 0..250 {
        create(&emulator, number, &format!("job {number:03}"), "ionq.simulator").await;
    }
    let mut seen = Vec::new();
    let mut page = get(&emulator, "jobs?skip=0&top=100&orderby=Name%20desc").await.json();
    let mut pages = 1;
    loop {
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["nextLink"].as_str().map(str::to_owned) else { break };
        assert!(
            next.contains("orderby=Name%20desc") && next.contains("api-version=2026-01-15-preview"),
            "{next}"
        );
        page = send(Method::GET, &next, &[("x-ms-quantum-api-key", &emulator.api_key())], "")
            .await
            .unwrap()
            .json();
        pages += 1;
    }
    assert_eq!((pages, seen.len()), (3, 250));
    assert!(seen.array_windows().all(|[one, next]| one > next));
}

#[tokio::test]
async fn filters_choose_by_every_property() {
    let emulator = still().start().await.unwrap();
    create(&emulator, 0, "bell one", "ionq.simulator").await;
    emulator.clock().advance(std::time::Duration::from_mins(1));
    create(&emulator, 1, "bell two", "rigetti.sim.qvm").await;
    create(&emulator, 2, "it's", "rigetti.sim.qvm").await;
    for (filter, expected) in [
        ("startswith%28Name%2C%20%27bell%27%29", vec!["bell one", "bell two"]),
        (
            "%28ProviderId%20eq%20%27rigetti%27%29%20and%20startswith%28Name%2C%20%27bell%27%29",
            vec!["bell two"],
        ),
        ("%28State%20eq%20%27Executing%27%29", vec!["bell one"]),
        ("Name%20eq%20%27it%27%27s%27", vec!["it's"]),
        ("CreationTime%20ge%202099-01-01", vec![]),
    ] {
        let page = get(&emulator, &format!("jobs?filter={filter}")).await.json();
        assert_eq!(names(&page), expected, "{filter}");
    }
    let bad = get(&emulator, "jobs?filter=Status%20eq%20%27x%27").await;
    assert_eq!((bad.status, bad.header("x-ms-error-code")), (400, "InvalidQueryParameter"));
}

#[tokio::test]
async fn top_level_items_are_sessions_and_the_jobs_of_none() {
    let emulator = still().start().await.unwrap();
    create(&emulator, 0, "alone", "ionq.simulator").await;
    let open = json!({ "name": "a session", "target": "ionq.simulator", "itemType": "Session" });
    call(&emulator, Method::PUT, "sessions/s1", &open.to_string()).await.unwrap();
    submit(&emulator, &id(1), GHZ, &json!({ "sessionId": "s1", "name": "within" })).await;
    let items = get(&emulator, "topLevelItems?skip=0&top=100").await.json();
    assert_eq!(names(&items), ["alone", "a session"]);
    assert_eq!(items["value"][1]["itemType"], "Session");
    let only = get(&emulator, "topLevelItems?filter=%28ItemType%20eq%20%27Session%27%29").await.json();
    assert_eq!(names(&only), ["a session"]);
    assert_eq!(names(&get(&emulator, "sessions/s1/jobs").await.json()), ["within"]);
    assert_eq!(get(&emulator, "sessions/s2/jobs").await.status, 404);
    assert_eq!(names(&get(&emulator, "sessions").await.json()), ["a session"]);
}
