//! The seeds of the fuzz targets are the vectors.

use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn texts(vectors: &str, text: impl Fn(&Json) -> Vec<&str>) -> BTreeSet<String> {
    let rows: Vec<Json> = serde_json::from_str(vectors).unwrap();
    rows.iter().flat_map(text).map(str::to_owned).collect()
}

/// Compares a folder of seeds with what it should hold, and writes that if it does not.
fn check(target: &str, wanted: &BTreeSet<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).into_iter().flatten();
    let found: BTreeSet<String> =
        entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    if found != *wanted {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (index, text) in wanted.iter().enumerate() {
            fs::write(folder.join(format!("{index:03}")), text).unwrap();
        }
        panic!("fuzz/seeds/{target} did not hold the vectors; it was written anew, so commit it");
    }
}

#[test]
fn seeds_are_the_vectors() {
    let (strings, ids) =
        (include_str!("../vectors/connection_strings.json"), include_str!("../vectors/resource_ids.json"));
    let settings = include_str!("../vectors/settings.json");
    check("connection_string", &texts(strings, |row| row["text"].as_str().into_iter().collect()));
    check("resource_id", &texts(ids, |row| row["text"].as_str().into_iter().collect()));
    check(
        "endpoint",
        &texts(strings, |row| {
            let value = row["text"]
                .as_str()
                .and_then(|text| text.split_once("QuantumEndpoint="))
                .map(|(_, value)| value);
            value.map(|value| value.split(';').next().unwrap_or_default()).into_iter().collect()
        }),
    );
    let guide = include_str!("../../../../docs/connect.md");
    let example = guide.split("```").filter_map(|block| block.strip_prefix("toml\n")).map(str::to_owned);
    check(
        "profile",
        &texts(settings, |row| row["profiles"].as_str().into_iter().collect())
            .into_iter()
            .chain(example)
            .collect(),
    );
}
